#include "model/mosaic_model.hpp"

#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.hpp"
#include "base/files.hpp"
#include "model/checkpoint.hpp"
#include "model/network/loading.hpp"
#include "model/network/member_step.hpp"
#include "model/network/resident_check.hpp"
#include "model/time_features.hpp"
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

Network load_network(const MosaicModelOptions& options) {
  const NetworkConfig& network = options.description.network;
  const bool formula = options.weights.starts_with(formula_prefix);
  const auto checkpoint = formula ? nullptr : open_tensor_file(options.weights);
  if (checkpoint != nullptr) {
    verify_tensors(*checkpoint);
    check_stored_description(*checkpoint, options.description);
  }
  const auto neighbours = options.neighbours.empty() ? nullptr : open_tensor_file(options.neighbours);
  Parameters parameters = formula ? formula_parameters(network, options.weights.substr(formula_prefix.size()))
                                  : parameters_from(network, *checkpoint);
  NetworkTables tables =
      make_tables(network, options.grid, read_static_columns(options.static_vars, options.grid),
                  checkpoint.get(), neighbours.get(), options.threads);
  return Network(network, std::move(parameters), std::move(tables));
}

std::string identity_of(const MosaicModelOptions& options) {
  std::string text = print_network_file(options.description) + "\n";
  text += options.calendar == Calendar::exact ? "exact\n" : "published\n";
  text += options.weights.starts_with(formula_prefix) ? options.weights : sha256_of_file(options.weights);
  for (const std::string& path : {options.norm_stats, options.static_vars, options.neighbours}) {
    text += "\n" + (path.empty() ? "rule" : sha256_of_file(path));
  }
  return sha256_of_text(text);
}

ModelInfo info_of(const MosaicModelOptions& options) {
  const NetworkConfig& network = options.description.network;
  ModelInfo info;
  info.name = "mosaic";
  info.description =
      fmt::format("Mosaic network, step {}, {} parameters, weights {}", to_string(options.description.step),
                  parameter_count(network), options.weights);
  info.step = options.description.step;
  info.history = network.history;
  info.history_spacing = options.description.step;
  info.noise_width = network.noise == NoiseKind::per_step ? network.noise_width : 0;
  info.batch = options.batch;
  info.channels = std::make_shared<const ChannelSet>(options.description.channels);
  info.grid = std::make_shared<const LatLonGrid>(options.grid);
  info.identity = identity_of(options);
  return info;
}

std::vector<double> doubles(const Tensor& values) {
  const float* first = values.const_data_ptr<float>();
  return {first, first + values.numel()};
}

class MosaicModel : public ForecastModel {
 public:
  explicit MosaicModel(const MosaicModelOptions& options)
      : MosaicModel(options, read_normalisation(options.norm_stats, options.description.network.channels)) {}

  const ModelInfo& info() const override { return info_; }

  void advance(const AdvanceArgs& args) override {
    const std::size_t state = info_.channels->size() * info_.grid->points();
    const std::size_t window = state * static_cast<std::size_t>(info_.history);
    const auto batch = static_cast<std::size_t>(info_.batch),
               noise = static_cast<std::size_t>(info_.noise_width);
    require(args.history.size() == batch * window, "mosaic: history of {} values, expected {} members x {}",
            args.history.size(), batch, window);
    require(args.noise.size() == batch * noise, "mosaic: {} noise draws, expected {} members x {}",
            args.noise.size(), batch, noise);
    verify_weights(args);
    const auto phases = advanced_phases(args.initial_time, args.step, info_.step, calendar_);
    for (std::size_t member = 0; member < batch; ++member) {
      step_.advance(args.history.subspan(member * window, window), args.noise.subspan(member * noise, noise),
                    phases);
    }
    // Measured with the demonstration's network, 2 members: resident after steps 2 to 12 229 MB, equal within
    // 0.01 %; without this 430 MB growing to 442 MB. It takes 0.1 s.
    malloc_trim(0);
  }

 private:
  MosaicModel(const MosaicModelOptions& options, const Normalisation& normalisation)
      : info_(info_of(options)),
        calendar_(options.calendar),
        step_(load_network(options), normalisation, options.grid) {
    info_.channel_mean = doubles(normalisation.mean);
    info_.channel_std = doubles(normalisation.deviation);
    if (options.verify_weights == VerifyWeights::each_initial_time) {
      resident_.emplace(step_.network());
    }
    if (options.lend_weights) {
      const Tensor& first = step_.network().parameters().begin()->second;
      options.lend_weights({first.mutable_data_ptr<float>(), static_cast<std::size_t>(first.numel())});
    }
  }

  /// Once for each initial time, however many batches begin there.
  void verify_weights(const AdvanceArgs& args) {
    if (resident_ && args.step == 0 && verified_ != args.initial_time) {
      resident_->verify(step_.network());
      verified_ = args.initial_time;
    }
  }

  ModelInfo info_;
  Calendar calendar_;
  MemberStep step_;
  std::optional<ResidentCheck> resident_;
  std::optional<Time> verified_;  // the initial time of the last check
};

}  // namespace

void set_model_threads(int threads) {
  require(threads >= 1, ExitCode::bad_configuration, "threads: {} is less than 1", threads);
  at::set_num_threads(threads);
  // Large arrays come straight from the system and go back to it. Measured as in advance(): without these 244
  // MB instead of 229 MB remain after a step, and without both resident memory grows by 11 % in 10 steps.
  mallopt(M_MMAP_THRESHOLD, 64 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
  mallopt(M_ARENA_MAX, 2);
}

std::unique_ptr<ForecastModel> make_mosaic_model(const MosaicModelOptions& options) {
  require(options.batch >= 1, ExitCode::bad_configuration, "batch: {} is less than 1", options.batch);
  check_network(options.description.network);
  set_model_threads(options.threads);
  return std::make_unique<MosaicModel>(options);
}

}  // namespace mosaic
