#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>

#include "grid/lat_lon_grid.hpp"
#include "model/network/loading.hpp"

namespace mosaic::test {

// The golden README's limits: float32 against float64 is below 4e-6; tables of another math library add 5e-6.
constexpr double stage_limit = 3e-5;
constexpr double gradient_limit = 1e-4;

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

/// Loss of the members of `noise` [member, noise width]; leaves its gradient in every parameter of `network`.
at::Tensor loss_with_gradients(const Network& network, const GoldenCase& which, const at::Tensor& features,
                               const at::Tensor& noise, const at::Tensor& target);

/// Fair CRPS of members [M, P, C] against target [P, C], area weights [lat]; the loss of the golden
/// gradients.
at::Tensor fair_crps(const at::Tensor& members, const at::Tensor& target, const LatLonGrid& grid);

/// max |a - b| / rms(b), and rms(a - b) / rms(b); infinite when anything is not finite.
struct Deviation {
  double max, rms;
};
Deviation deviation(const at::Tensor& ours, const at::Tensor& truth);
void expect_close(const at::Tensor& ours, const at::Tensor& truth, double limit, const std::string& what);

}  // namespace mosaic::test
