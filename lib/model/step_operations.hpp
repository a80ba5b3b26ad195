#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "model/network_config.hpp"

namespace mosaic {

/// Floating-point operations of one member-step by class, in closed form: two per multiply-add of every
/// matrix product and weighted sum of model.md sections 3 to 5; norms, softmaxes, rotations and sums of
/// fields are not counted. Classes and counts are those of kernels::OperationRecord, which counts from the
/// shapes that run. `points` of the lat-lon grid.
std::map<std::string, double> step_operations(const NetworkConfig& config, std::int64_t points);

}  // namespace mosaic
