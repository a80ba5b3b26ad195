#pragma once

#include "grid/neighbours.hpp"

namespace mosaic::test {

/// The k sources nearest to each target as the published code finds them: a ball tree over (lat, lon) with
/// the haversine metric, at most 40 points per leaf or few more, searched depth first with a heap of the k
/// best. Equal to nearest_neighbours but for mirror images that are equally far at the k-th place: which of
/// them is kept depends on the tree. Golden cases without stored tables were made with this choice. Errors:
/// bad_configuration unless 1 <= k <= number of sources.
NeighbourTable ball_tree_neighbours(const SpherePoints& sources, const SpherePoints& targets, int k);

}  // namespace mosaic::test
