#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

#include "grid/lat_lon_grid.hpp"
#include "model/network/loading.hpp"

namespace mosaic::test {

/// A case of the golden data: its config.json and the inputs of the formulas in the golden README.
struct GoldenCase {
  std::string key;
  LatLonGrid grid;
  NetworkConfig network;
  int members = 1;
};

GoldenCase read_case(const std::filesystem::path& config_json);

/// Any entry of a tensor file as float32 or int64 tensor.
at::Tensor entry(const TensorFile& file, const std::string& name);

/// The normalised states of the formula, [P, T, C], longitude-major; `target` gives the state of the loss.
at::Tensor formula_states(const GoldenCase& which);
at::Tensor formula_target(const GoldenCase& which);  // [P, C]
/// Static fields of the formula, [lon, lat, 3].
std::vector<float> formula_static_fields(const GoldenCase& which);
/// sin and cos of 2 pi day and 2 pi year.
at::Tensor time_columns(float day, float year);
/// [P, T C + 10]
at::Tensor features_of(const at::Tensor& states, const at::Tensor& columns, const at::Tensor& time);

/// Fair CRPS of members [M, P, C] against target [P, C], area weights [lat]; the loss of the golden
/// gradients.
at::Tensor fair_crps(const at::Tensor& members, const at::Tensor& target, const LatLonGrid& grid);

/// max |a - b| / rms(b), and rms(a - b) / rms(b); infinite when anything is not finite.
struct Deviation {
  double max, rms;
};
Deviation deviation(const at::Tensor& ours, const at::Tensor& truth);

}  // namespace mosaic::test
