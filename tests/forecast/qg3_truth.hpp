#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fields/state.hpp"

namespace mosaic::test {

/// 64 longitudes x 32 latitudes without poles: holds T21 exactly.
std::shared_ptr<const LatLonGrid> qg3_grid();

/// States of the simulated world at T21, each window from a realisation of its own. Shape: [windows][offsets]
/// `starts`: of the windows; `offsets`: behind these, ascending; `spin_up`: before them.
std::vector<std::vector<State>> simulate_windows(const std::vector<Time>& starts,
                                                 const std::vector<Duration>& offsets, Duration spin_up,
                                                 int threads);

/// A Zarr store of all of them; windows ascend and do not overlap.
void write_windows(const std::string& path, const std::vector<std::vector<State>>& windows);

}  // namespace mosaic::test
