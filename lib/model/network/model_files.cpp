#include "model/network/model_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/files.hpp"
#include "model/checkpoint.hpp"
#include "model/formula_numbers.hpp"
#include "model/network/loading.hpp"
#include "stores/tensor_checksum.hpp"

namespace mosaic {

namespace {

using at::Tensor;

constexpr std::string_view formula_prefix = "formula:";

Normalisation read_normalisation(const std::string& path, std::int64_t channels) {
  const auto file = open_tensor_file(path);
  const auto read = [&](const char* name) {
    const TensorView& view = file->at(name);
    require(view.shape == std::vector<std::int64_t>{channels}, ExitCode::corrupt_input,
            "{}: {} has shape ({}), the model has {} channels", path, name, fmt::join(view.shape, ", "),
            channels);
    return tensor_from(view.to_float(), {channels, 1, 1});
  };
  Normalisation result{read("state_mean"), read("state_std")};
  const float* deviation = result.deviation.const_data_ptr<float>();
  for (std::int64_t c = 0; c < channels; ++c) {
    require(std::isfinite(deviation[c]) && deviation[c] > 0, ExitCode::corrupt_input,
            "{}: state_std of channel {} is {}", path, c, deviation[c]);
  }
  return result;
}

void check_axis(const TensorFile& file, const char* name, const std::vector<double>& expected) {
  const std::vector<double> stored = file.at(name).to_double();
  const bool same = std::equal(stored.begin(), stored.end(), expected.begin(), expected.end(),
                               [](double a, double b) { return std::abs(a - b) < 1e-4; });
  require(
      same, ExitCode::corrupt_input,
      "{}: {} has {} values from {} to {}, the model's grid has {} from {} to {}; give static fields on the "
      "model's grid",
      file.path(), name, stored.size(), stored.empty() ? 0 : stored.front(),
      stored.empty() ? 0 : stored.back(), expected.size(), expected.front(), expected.back());
}

Tensor read_static_columns(const std::string& path, const LatLonGrid& grid) {
  const auto file = open_tensor_file(path);
  check_axis(*file, "latitude", grid.latitude);
  check_axis(*file, "longitude", grid.longitude);
  const TensorView& data = file->at("data");
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(grid.longitude.size()),
                                           static_cast<std::int64_t>(grid.latitude.size()), 3};
  require(data.shape == shape, ExitCode::corrupt_input, "{}: data is ({}), expected ({}) (lon, lat, field)",
          path, fmt::join(data.shape, ", "), fmt::join(shape, ", "));
  return static_columns(data.to_float(), grid);
}

std::string identity_of(const MosaicModelOptions& options) {
  std::string text = print_network_file(options.description) + "\n";
  text += options.calendar == Calendar::exact ? "exact\n" : "published\n";
  // Models in float32 keep the identities that they had before there was a choice.
  if (options.precision != Precision::float32) {
    text += to_string(options.precision) + "\n";
  }
  text += options.weights.starts_with(formula_prefix) ? options.weights : sha256_of_file(options.weights);
  for (const std::string& path : {options.norm_stats, options.static_vars, options.neighbours}) {
    text += "\n" + (path.empty() ? "rule" : sha256_of_file(path));
  }
  return sha256_of_text(text);
}

}  // namespace

ModelFiles::ModelFiles(const MosaicModelOptions& options)
    : options_(options),
      identity_(std::async(std::launch::async, [&options] { return identity_of(options); })) {
  if (options.weights.starts_with(formula_prefix)) {
    formula_ = options.weights.substr(formula_prefix.size());
    return;
  }
  checkpoint_ = open_tensor_file(options.weights);
  verification_ = std::async(std::launch::async, [file = checkpoint_.get()] { verify_tensors(*file); });
  check_stored_description(*checkpoint_, options.description);
  check_parameters(options.description.network, *checkpoint_);
}

std::string ModelFiles::verified_identity() {
  if (verification_.valid()) {
    verification_.get();
  }
  return identity_.get();
}

Normalisation ModelFiles::normalisation() const {
  return read_normalisation(options_.norm_stats, options_.description.network.channels);
}

NetworkTables ModelFiles::tables() const {
  const auto neighbours = options_.neighbours.empty() ? nullptr : open_tensor_file(options_.neighbours);
  return make_tables(options_.description.network, options_.grid,
                     read_static_columns(options_.static_vars, options_.grid), checkpoint_.get(),
                     neighbours.get(), options_.threads);
}

Parameters ModelFiles::parameters() const {
  const NetworkConfig& network = options_.description.network;
  return checkpoint_ == nullptr ? formula_parameters(network, formula_, options_.precision)
                                : parameters_from(network, *checkpoint_, options_.precision);
}

HostParameter ModelFiles::parameter(const std::string& name) const {
  if (checkpoint_ != nullptr) {
    const TensorView& view = checkpoint_->at(name);
    const auto* first = reinterpret_cast<const float*>(view.bytes.data());
    const bool aligned = reinterpret_cast<std::uintptr_t>(first) % alignof(float) == 0;
    return view.type == TensorType::float32 && aligned ? HostParameter(std::span(first, view.elements()))
                                                       : HostParameter(view.to_float());
  }
  const auto shape = parameter_shapes(options_.description.network).at(name);
  return formula_weight(formula_, name, shape[0], shape[1]);
}

ModelInfo mosaic_model_info(const MosaicModelOptions& options, const Normalisation& normalisation) {
  const NetworkConfig& network = options.description.network;
  ModelInfo info;
  info.name = "mosaic";
  info.description = fmt::format("Mosaic network, step {}, {} parameters, {}, weights {}",
                                 to_string(options.description.step), parameter_count(network),
                                 to_string(options.precision), options.weights);
  info.step = options.description.step;
  info.history = network.history;
  info.history_spacing = options.description.step;
  info.noise_width = network.noise == NoiseKind::per_step ? network.noise_width : 0;
  info.batch = options.batch;
  info.channels = std::make_shared<const ChannelSet>(options.description.channels);
  info.grid = std::make_shared<const LatLonGrid>(options.grid);
  const auto mean = values_of(normalisation.mean), deviation = values_of(normalisation.deviation);
  info.channel_mean.assign(mean.begin(), mean.end());
  info.channel_std.assign(deviation.begin(), deviation.end());
  return info;
}

}  // namespace mosaic
