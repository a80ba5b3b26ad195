#pragma once

#include <span>
#include <string>

#include "grid/lat_lon_grid.hpp"
#include "model/network/network.hpp"
#include "model/precision.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

/// float32 tensor of its own memory from values in C order.
at::Tensor tensor_from(std::span<const float> values, at::IntArrayRef shape);
at::Tensor tensor_from(std::span<const std::int64_t> values, at::IntArrayRef shape);

/// The numbers of a contiguous float32 tensor.
std::vector<float> values_of(const at::Tensor& tensor);

/// Pseudo-random parameters of the formula in model/formula_numbers.hpp.
Parameters formula_parameters(const NetworkConfig& config, const std::string& key,
                              Precision precision = Precision::float32);

/// Parameters of a checkpoint that check_parameters() has accepted.
Parameters parameters_from(const NetworkConfig& config, const TensorFile& checkpoint,
                           Precision precision = Precision::float32);

/// The six conditioning columns: three static fields, then the unit vector, each standardised over all
/// points. `fields` [lon, lat, 3] as in static_vars.npz. Shape: [P, 6].
at::Tensor static_columns(std::span<const float> fields, const LatLonGrid& grid);

/// Builds all tables. A buffer in `checkpoint` wins, then the neighbour table in `neighbours` (`to_hp`,
/// `to_ll`), then the rule of grid/neighbours.hpp; either file may be null. `columns` [P, 6] are used unless
/// the checkpoint stores them. Errors: corrupt_input naming file, entry and both shapes of a misfit, an index
/// outside the source grid, or rotary tables that differ between blocks of one level.
NetworkTables make_tables(const NetworkConfig& config, const LatLonGrid& grid, const at::Tensor& columns,
                          const TensorFile* checkpoint, const TensorFile* neighbours, int threads);

}  // namespace mosaic
