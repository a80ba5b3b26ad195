#include "model/network/device_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/error.hpp"
#include "kernels/device/device_choice.hpp"
#include "model/device/resident_members.hpp"
#include "model/network/host_network.hpp"
#include "model/network/loading.hpp"
#include "model/network/model_files.hpp"

namespace mosaic {

namespace {

using kernels::ElementType;

/// Of the free memory, the part that a plan may fill: the runtime and cuBLASLt keep some for themselves.
constexpr double usable_share = 0.92;
/// Members at once from which on more of them gain nothing: the matrix products are long enough.
constexpr int enough_members = 8;

/// Makes this rank's GPU the device of the thread, and says so.
kernels::DeviceInfo choose_device(const DeviceChoice& choice) {
  std::string why;
  kernels::DeviceInfo device =
      kernels::device_of_rank(kernels::visible_devices(&why), why, choice.rank_on_node);
  kernels::use_device(device.number);
  return device;
}

int chunk_of(const MosaicModelOptions& options, DeviceOptions device) {
  if (options.device.chunk > 0) {
    require(options.batch % options.device.chunk == 0, ExitCode::bad_configuration,
            "model.chunk: {} does not divide the batch of {} members", options.device.chunk, options.batch);
    return options.device.chunk;
  }
  const auto usable = static_cast<std::size_t>(
      usable_share * static_cast<double>(kernels::free_device_memory()) / options.device.sharing);
  int chunk = chunk_that_fits(options.description.network, device, options.grid.points(),
                              std::min(options.batch, enough_members), usable);
  while (options.batch % chunk != 0) {
    --chunk;
  }
  return chunk;
}

class DeviceModel : public ForecastModel {
 public:
  explicit DeviceModel(const MosaicModelOptions& options) : DeviceModel(options, ModelFiles(options)) {}

  const ModelInfo& info() const override { return info_; }

  void advance(const AdvanceArgs& args) override {
    const std::size_t window = step_.state_size() * static_cast<std::size_t>(info_.history);
    const auto batch = static_cast<std::size_t>(info_.batch),
               noise = static_cast<std::size_t>(info_.noise_width);
    require(args.history.size() == batch * window && args.noise.size() == batch * noise,
            "mosaic: history of {} and {} noise draws for {} members", args.history.size(), args.noise.size(),
            batch);
    const auto phases = advanced_phases(args.initial_time, args.step, info_.step, calendar_);
    if (!from_host_) {  // runs whose members stay on the device never need it
      from_host_.emplace(step_, static_cast<int>(chunk_));
    }
    for (std::size_t first = 0; first < batch; first += chunk_) {
      const std::span<float> histories = args.history.subspan(first * window, chunk_ * window);
      from_host_->members.load(histories);
      from_host_->members.advance(
          args.noise.subspan(first * noise, chunk_ * noise), phases,
          args.step == 0 && all_same(histories, window) ? Members::same : Members::different);
      take(histories, window);
    }
  }

  std::unique_ptr<ResidentEnsemble> make_resident(int members) override {
    require(members > 0 && members % info_.batch == 0, "mosaic: {} resident members, the batch is {}",
            members, info_.batch);
    const std::size_t needed = member_bytes(step_.network().config(), info_.grid->points(), members),
                      free = kernels::free_device_memory();
    require(needed <= free, ExitCode::bad_configuration,
            "GPU: {} members that stay there need {} MB, {} MB are free: take more GPUs, or a smaller "
            "model.chunk",
            members, needed / 1'000'000, free / 1'000'000);
    return std::make_unique<ResidentMembers>(step_, members, info_.step, calendar_);
  }

 private:
  /// The chunk whose histories come from the host.
  struct HostChunk {
    HostChunk(DeviceStep& step, int chunk)
        : members(step, chunk),
          fetch(chunk, static_cast<std::size_t>(step.network().config().channels), step.points()) {}
    DeviceMembers members;
    StateFetch fetch;
  };

  DeviceModel(const MosaicModelOptions& options, ModelFiles files)
      : DeviceModel(options, files, files.normalisation()) {}

  DeviceModel(const MosaicModelOptions& options, ModelFiles& files, const Normalisation& normalisation)
      : info_(mosaic_model_info(options, normalisation)),
        calendar_(options.calendar),
        device_(choose_device(options.device)),
        chunk_(static_cast<std::size_t>(chunk_of(options, device_options(options, 1)))),
        step_(
            options.description.network,
            host_network(files.tables(), [&files](const std::string& name) { return files.parameter(name); }),
            {values_of(normalisation.mean), values_of(normalisation.deviation)}, options.grid,
            device_options(options, static_cast<int>(chunk_)), Graphs::on),
        all_channels_(info_.channels->size()) {
    info_.identity = files.verified_identity();
    std::iota(all_channels_.begin(), all_channels_.end(), std::size_t(0));
    const int resident = options.device.resident_members;
    info_.device = {device_.number, device_.name,
                    fmt::format("{} members at once{}, {} of {} MB", chunk_,
                                resident == 0 ? "" : fmt::format(", {} stay there", resident),
                                step_.network().plan().total() / 1'000'000, device_.memory / 1'000'000)};
    info_.description += ", on " + device_.name;
  }

  static DeviceOptions device_options(const MosaicModelOptions& options, int chunk) {
    return {element_type(options.precision), chunk, options.device.resident_members};
  }

  static bool all_same(std::span<const float> histories, std::size_t window) {
    for (std::size_t first = window; first < histories.size(); first += window) {
      if (!std::equal(histories.begin(), histories.begin() + static_cast<std::ptrdiff_t>(window),
                      histories.begin() + static_cast<std::ptrdiff_t>(first))) {
        return false;
      }
    }
    return true;
  }

  /// Shifts the histories on the host and appends the device's newest states.
  void take(std::span<float> histories, std::size_t window) {
    const std::size_t state = step_.state_size();
    from_host_->fetch.queue(from_host_->members.newest(), 0, from_host_->members.count(), all_channels_);
    for (std::size_t first = 0; first < histories.size(); first += window) {
      const auto begin = histories.begin() + static_cast<std::ptrdiff_t>(first);
      std::copy(begin + static_cast<std::ptrdiff_t>(state), begin + static_cast<std::ptrdiff_t>(window),
                begin);
    }
    const std::span<const float> newest = from_host_->fetch.wait();
    for (std::size_t member = 0; (member + 1) * window <= histories.size(); ++member) {
      std::copy_n(newest.begin() + static_cast<std::ptrdiff_t>(member * state), state,
                  histories.begin() + static_cast<std::ptrdiff_t>((member + 1) * window - state));
    }
  }

  ModelInfo info_;
  Calendar calendar_;
  kernels::DeviceInfo device_;
  std::size_t chunk_;
  DeviceStep step_;
  std::optional<HostChunk> from_host_;
  std::vector<std::size_t> all_channels_;
};

}  // namespace

std::unique_ptr<ForecastModel> make_device_model(const MosaicModelOptions& options) {
  require(options.verify_weights == VerifyWeights::load, ExitCode::bad_configuration,
          "model.verify_weights: each_initial_time looks at weights in the memory of the host: with "
          "model.device: cuda take "
          "load");
  return std::make_unique<DeviceModel>(options);
}

}  // namespace mosaic
