#pragma once

#include <fmt/format.h>

#include <filesystem>
#include <type_traits>

#include "model/formula_numbers.hpp"
#include "model/mosaic_model.hpp"
#include "stores/tensor_file.hpp"

/// A model that the emulated device steps in a second.
namespace mosaic {

constexpr int small_model_channels = 5;

inline NetworkDescription small_description() {
  NetworkDescription description;
  description.network.stages = {{16, 256, 4, 256, 128, 2, 1, 0}};
  description.network.bottleneck = {8, 256, 4, 128, 128, 2, 1, 0};
  description.network.channels = small_model_channels;
  description.network.neighbours = 4;
  description.network.mlp_ratio = 1;
  description.channels.clear();
  for (int c = 0; c < small_model_channels; ++c) {
    description.channels.push_back({fmt::format("channel{}", c), std::nullopt});
  }
  return description;
}

template <class T>
TensorSource source_of(const std::vector<T>& values, std::vector<std::int64_t> shape) {
  return {std::is_same_v<T, float> ? TensorType::float32 : TensorType::float64, std::move(shape),
          std::as_bytes(std::span(values))};
}

/// Its files are written to `folder`.
inline MosaicModelOptions small_model(const std::filesystem::path& folder, int batch) {
  const LatLonGrid grid = LatLonGrid::with_poles(24, 13);
  const auto mean = formula_values("model/mean", small_model_channels);
  const std::vector<float> deviation(small_model_channels, 3.0F),
      fields = formula_values("model/static", 3 * grid.points());
  write_safetensors((folder / "norm.safetensors").string(),
                    {{"state_mean", source_of(mean, {small_model_channels})},
                     {"state_std", source_of(deviation, {small_model_channels})}},
                    {});
  write_safetensors((folder / "static.safetensors").string(),
                    {{"data", source_of(fields, {24, 13, 3})},
                     {"latitude", source_of(grid.latitude, {13})},
                     {"longitude", source_of(grid.longitude, {24})}},
                    {});
  MosaicModelOptions options;
  options.description = small_description();
  options.weights = "formula:device model";
  options.norm_stats = (folder / "norm.safetensors").string();
  options.static_vars = (folder / "static.safetensors").string();
  options.batch = batch;
  options.grid = grid;
  return options;
}

}  // namespace mosaic
