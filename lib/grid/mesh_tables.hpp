#pragma once

#include <cstddef>
#include <vector>

#include "grid/healpix.hpp"
#include "grid/neighbours.hpp"
#include "grid/sphere_points.hpp"

namespace mosaic {

/// Directions of the neighbours, what the interpolation's queries are made of: rel = v / max(|v|, 1e-12) with
/// v = target_xyz - source_xyz, all in float32. Shape: [targets, k, 3]. Errors: internal if the table does
/// not fit the points.
std::vector<float> relative_positions(const SpherePoints& sources, const SpherePoints& targets,
                                      const NeighbourTable& table);

/// Unit vectors of the four children minus that of their parent, child-major, then x, y, z; each of the
/// 12 columns standardised over all parents, (r - mean) / (std + 1e-6), std with n - 1. Differences in
/// float32, statistics in double. Shape: [parents, 12], NESTED order.
std::vector<float> standardised_child_offsets(const HealpixMesh& parents);

/// Cosines and sines of the two-dimensional rotary position embedding.
struct RopeTables {
  int angles = 0;             ///< head width / 2
  std::vector<float> cosine;  ///< [N, angles]
  std::vector<float> sine;    ///< [N, angles]
};

/// Frequencies f_j = 10000^(-2 j / (d / 2)), j = 0 ... d / 4 - 1; the angles of a point are lon f_j for all
/// j, then lat f_j, float32 products of float32 radians. `head_width` is d. Errors: bad_configuration unless
/// d is a positive multiple of 4.
RopeTables rope_tables(const SpherePoints& points, int head_width);

}  // namespace mosaic
