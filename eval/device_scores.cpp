#include "eval/device_scores.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "eval/device_spectra.hpp"
#include "eval/device_transfers.hpp"
#include "eval/device_truth.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics_device.hpp"

namespace mosaic::eval {

namespace {

using kernels::DeviceMemory;
using kernels::Stream;

/// Weight of every cell in every area: [R, lat, lon].
std::vector<double> cell_weights(std::span<const kernels::AreaMask> areas, const LatLonGrid& grid) {
  std::vector<double> weights;
  for (const kernels::AreaMask& area : areas) {
    for (std::size_t row = 0; row < grid.latitude.size(); ++row) {
      for (std::size_t column = 0; column < grid.longitude.size(); ++column) {
        weights.push_back(area.weight_at(row, column));
      }
    }
  }
  return weights;
}

/// Ensemble statistics and rank counts of all scored channels.
class DeviceStatistics {
 public:
  DeviceStatistics(const DeviceScoresArgs& args, std::span<const std::int64_t> places, const Stream& stream)
      : channels_(args.options.channels),
        weights_(upload<double>(cell_weights(args.areas, args.grid), stream)),
        places_(upload(places, stream)) {
    args_.fields = static_cast<std::int64_t>(channels_.size());
    args_.members = args.members;
    args_.points = static_cast<std::int64_t>(args.grid.points());
    args_.areas = static_cast<std::int64_t>(args.areas.size());
    args_.missing = args.options.missing;
    args_.energy = args_.ranks = true;
    sums_ = Transfer<double>(channels_.size() * field_numbers());
    workspace_ = DeviceMemory(static_cast<std::size_t>(args_.workspace_numbers()) * sizeof(double));
    args_.places = places_.as<std::int64_t>();
    args_.weights = weights_.as<double>();
    args_.workspace = workspace_.as<double>();
    args_.sums = sums_.device();
  }

  void queue(const DeviceMembers& members, const DeviceTruth& truth, const Stream& stream) {
    args_.truth = truth.truth(0);
    args_.climatology = truth.climatology();
    args_.forecast = members.first;
    args_.member_stride = members.stride;
    kernels::ensemble_statistics(args_, stream);
    sums_.receive(stream);
  }

  void collect(std::size_t lead, InitTimeSums& sums) const {
    const auto areas = static_cast<std::size_t>(args_.areas),
               numbers = static_cast<std::size_t>(args_.area_numbers());
    for (std::size_t c = 0; c < channels_.size(); ++c) {
      const std::span<const double> field = sums_.host().subspan(c * field_numbers(), field_numbers());
      const std::size_t place = lead * channels_.size() + c;
      for (std::size_t r = 0; r < areas; ++r) {
        sums.means[place * areas + r] = kernels::statistics_of_sums(
            field.subspan(r * numbers, numbers), static_cast<std::size_t>(args_.members), args_.energy);
      }
      std::copy(field.begin() + static_cast<std::ptrdiff_t>(areas * numbers), field.end(),
                sums.ranks.begin() + static_cast<std::ptrdiff_t>(place * sums.rank_numbers()));
    }
  }

 private:
  std::size_t field_numbers() const { return static_cast<std::size_t>(args_.field_numbers()); }

  ChannelSet channels_;
  DeviceMemory weights_, places_, workspace_;
  Transfer<double> sums_;  ///< [F, field_numbers()]
  kernels::DeviceEnsembleArgs args_;
};

}  // namespace

struct DeviceScores::Impl {
  explicit Impl(const DeviceScoresArgs& args) : members(static_cast<std::size_t>(args.members)) {
    require(args.members <= kernels::most_device_members, ExitCode::bad_configuration,
            "score.device: a GPU takes {} members, not {}; score.device: cpu takes any number",
            kernels::most_device_members, args.members);
    const std::size_t points = args.grid.points();
    const auto place_of = [&](const Channel& channel) { return place_in(args, channel); };
    std::vector<std::int64_t> places;
    for (const Channel& channel : args.options.channels) {
      places.push_back(place_of(channel));
    }
    if (!args.areas.empty() && !places.empty()) {
      statistics.emplace(args, places, stream);
    }
    ChannelSet channels = statistics ? args.options.channels : ChannelSet{};
    const std::size_t in_climatology = args.options.climatology ? channels.size() : 0;
    if (!args.options.spectra_channels.empty()) {
      spectra.emplace(args, place_of, channels, stream);
    }
    if (statistics || spectra) {
      truth.emplace(channels, in_climatology, points);
    }
    if (!uploaded.empty()) {
      fields = Transfer<float>(members * uploaded.size() * points);
    }
  }

  /// Where a channel's field begins in a member's numbers. Of members on the host the channels that are
  /// needed go to the device one behind the other.
  std::int64_t place_in(const DeviceScoresArgs& args, const Channel& channel) {
    const auto found = std::find(args.channels.begin(), args.channels.end(), channel);
    require(found != args.channels.end(), "scores on a device: the forecast has no {}", channel.name());
    auto position = static_cast<std::size_t>(found - args.channels.begin());
    if (args.members_on == MembersOn::host) {
      const auto there = std::find(uploaded.begin(), uploaded.end(), position);
      if (there == uploaded.end()) {
        uploaded.push_back(position);
        position = uploaded.size() - 1;
      } else {
        position = static_cast<std::size_t>(there - uploaded.begin());
      }
    }
    return static_cast<std::int64_t>(position * args.grid.points());
  }

  DeviceMembers send(const std::vector<const float*>& on_host) {
    const std::size_t points = fields.host().size() / (members * uploaded.size());
    float* target = fields.host().data();
    for (const float* state : on_host) {
      for (const std::size_t position : uploaded) {
        target = std::copy_n(state + position * points, points, target);
      }
    }
    fields.send(stream);
    return {fields.device(), static_cast<std::int64_t>(uploaded.size() * points), &stream};
  }

  std::size_t members;
  Stream stream;                      ///< unless the members come with theirs
  std::vector<std::size_t> uploaded;  ///< positions of the channels that go to the device with the members
  Transfer<float> fields;             ///< [M, uploaded, lat, lon]
  std::optional<DeviceTruth> truth;   ///< of the scored channels, then of others of spectra
  std::optional<DeviceStatistics> statistics;
  std::optional<DeviceSpectra> spectra;
  std::optional<std::size_t> queued;  ///< the lead that is to be collected
  const Stream* queued_in = nullptr;
};

int most_members_on_device() { return kernels::most_device_members; }

DeviceScores::DeviceScores(const DeviceScoresArgs& args) : impl_(std::make_unique<Impl>(args)) {}
DeviceScores::~DeviceScores() = default;

void DeviceScores::send(const FieldOf& truth, const FieldOf& climatology) {
  if (impl_->truth) {
    impl_->truth->send(truth, climatology);
  }
}

void DeviceScores::queue(std::size_t lead, const EnsembleFields& members) {
  Impl& impl = *impl_;
  require(!impl.queued, "scores on a device: lead {} has not been collected", *impl.queued);
  if (!impl.truth) {
    return;
  }
  const DeviceMembers on_device = members.device ? *members.device : impl.send(members.host);
  impl.truth->take(*on_device.stream);
  if (impl.statistics) {
    impl.statistics->queue(on_device, *impl.truth, *on_device.stream);
  }
  if (impl.spectra) {
    impl.spectra->queue(on_device, *impl.truth, *on_device.stream);
  }
  impl.queued = lead;
  impl.queued_in = on_device.stream;
}

void DeviceScores::collect(InitTimeSums& sums) {
  Impl& impl = *impl_;
  if (!impl.queued) {
    return;
  }
  const std::size_t lead = *std::exchange(impl.queued, std::nullopt);
  impl.queued_in->wait();
  if (impl.statistics) {
    impl.statistics->collect(lead, sums);
  }
  if (impl.spectra) {
    impl.spectra->collect(lead, sums);
  }
}

}  // namespace mosaic::eval
