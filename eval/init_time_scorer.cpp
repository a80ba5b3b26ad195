#include "eval/init_time_scorer.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "eval/spectra_sums.hpp"
#include "kernels/threshold_statistics/threshold_statistics.hpp"

namespace mosaic::eval {
namespace {

std::size_t find_channel(const ChannelSet& channels, const Channel& channel) {
  return static_cast<std::size_t>(std::find(channels.begin(), channels.end(), channel) - channels.begin());
}

void require_channels(const ChannelSet& wanted, const ChannelSet& there) {
  for (const Channel& channel : wanted) {
    require(find_channel(there, channel) < there.size(), ExitCode::bad_configuration,
            "channel {} is to be scored, but the forecast does not have it; remove it from the scores",
            channel.name());
  }
}

/// Rounded to float32, as a stored one would be.
std::vector<float> ensemble_mean(const std::vector<const float*>& members, std::size_t points) {
  std::vector<double> total(points, 0.0);
  for (const float* field : members) {
    for (std::size_t i = 0; i < points; ++i) {
      total[i] += field[i];
    }
  }
  std::vector<float> mean(points);
  const auto count = static_cast<double>(members.size());
  std::transform(total.begin(), total.end(), mean.begin(),
                 [count](double sum) { return static_cast<float>(sum / count); });
  return mean;
}

}  // namespace

InitTimeScorer::InitTimeScorer(const ScoreOptions& options, std::shared_ptr<const LatLonGrid> grid,
                               std::shared_ptr<const ChannelSet> state_channels, int members,
                               const ChannelSet* on_device)
    : options_(options), grid_(std::move(grid)), state_channels_(std::move(state_channels)) {
  require(members > 0, ExitCode::bad_configuration, "scores need at least one member, not {}", members);
  require(!options_.leads.empty(), ExitCode::bad_configuration, "scores need at least one lead time");
  const ChannelSet& scored_from = on_device == nullptr ? *state_channels_ : *on_device;
  require_channels(options_.channels, scored_from);
  require_channels(options_.spectra_channels, scored_from);
  require_channels(host_channels(options_), *state_channels_);
  require_channels(options_.thresholds.channels, options_.channels);
  require_channels(options_.maps.channels, options_.channels);
  require_channels(options_.seeps.channels, options_.channels);
  require(options_.seeps.channels.empty() || options_.climatology, "SEEPS needs a climatology");
  require(options_.thresholds.channels.empty() ||
              (options_.climatology && !options_.thresholds.quantiles.empty()),
          "scores at quantiles need a climatology and at least one quantile");
  for (const Region& region : options_.regions) {
    areas_.push_back(area_mask(region, *grid_, options_.land_mask));
  }
  if (options_.spectra_by_degree && !options_.spectra_channels.empty()) {
    degree_spectra_ = std::make_shared<const DegreeSpectra>(*grid_, options_.threads);
  }
  if (options_.on_device) {
    device_ = std::make_unique<DeviceScores>(
        DeviceScoresArgs{.options = options_,
                         .grid = *grid_,
                         .areas = areas_,
                         .channels = scored_from,
                         .members_on = on_device == nullptr ? MembersOn::host : MembersOn::device,
                         .members = members,
                         .degree_spectra = degree_spectra_.get()});
  }
  empty_ = empty_sums(options_, *grid_, members);
}

ChannelSet InitTimeScorer::host_channels(const ScoreOptions& options) {
  ChannelSet channels = options.maps.channels;
  for (const ChannelSet* more : {&options.thresholds.channels, &options.seeps.channels}) {
    for (const Channel& channel : *more) {
      if (find_channel(channels, channel) == channels.size()) {
        channels.push_back(channel);
      }
    }
  }
  return channels;
}

void InitTimeScorer::begin(Time initial_time) {
  if (device_ != nullptr) {
    device_->collect(sums_);  // of an initial time that was given up
    sent_.reset();
  }
  sums_ = empty_;
  sums_.initial_time = initial_time;
}

void InitTimeScorer::add(std::size_t lead_index, const EnsembleFields& fields, const State& truth,
                         const ClimatologyFields* climatology) {
  const std::vector<const float*>& members = fields.host;
  require(!sums_.leads.empty(), "a lead was added before the initial time was begun");
  require(lead_index < sums_.leads.size() && sums_.scored[lead_index] == 0,
          "lead {} of {} does not exist or was scored before", lead_index, sums_.leads.size());
  require(members.size() == static_cast<std::size_t>(sums_.members) || (members.empty() && fields.device),
          "{} members instead of {}", members.size(), sums_.members);
  check_truth(lead_index, truth, climatology);
  device_ == nullptr
      ? add_statistics(lead_index, members, truth, climatology == nullptr ? nullptr : &climatology->mean)
      : queue_on_device(lead_index, fields, truth, climatology);
  if (!options_.seeps.channels.empty()) {
    add_seeps(lead_index, members, truth, climatology->seeps);
  }
  if (!options_.thresholds.channels.empty()) {
    add_thresholds(lead_index, members, truth, climatology->thresholds);
  }
  if (device_ == nullptr) {
    add_spectra(lead_index, members, truth);
  }
  if (device_ == nullptr && degree_spectra_ != nullptr) {
    add_degree_spectra(lead_index, members, truth);
  }
  sums_.scored[lead_index] = 1;
}

void InitTimeScorer::check_truth(std::size_t lead, const State& truth,
                                 const ClimatologyFields* climatology) const {
  require(*truth.grid == *grid_, "the truth at {} is on another grid than the forecast",
          to_string(truth.time));
  const Time valid = sums_.initial_time + sums_.leads.at(lead);
  require(truth.time == valid, "the truth is at {}, the forecast at {}", to_string(truth.time),
          to_string(valid));
  require(options_.climatology == (climatology != nullptr),
          "the scores and their caller do not agree whether there is a climatology");
  require(climatology == nullptr || *climatology->mean.grid == *grid_,
          "the climatology is on another grid than the forecast");
}

void InitTimeScorer::send_ahead(std::size_t lead_index, const State& truth,
                                const ClimatologyFields* climatology) {
  if (device_ == nullptr) {
    return;
  }
  check_truth(lead_index, truth, climatology);
  device_->send([&](const Channel& channel) { return truth_field(truth, channel); },
                [&](const Channel& channel) -> const float* {
                  const State& mean = climatology->mean;
                  const std::size_t place = find_channel(*mean.channels, channel);
                  return place < mean.channels->size() ? mean.field(place).data() : nullptr;
                });
  sent_ = lead_index;
}

InitTimeSums InitTimeScorer::finish() {
  if (device_ != nullptr) {
    device_->collect(sums_);
  }
  for (double& value : sums_.maps.values) {
    value = static_cast<float>(value);  // what is kept of a map; the mean is formed of these
  }
  return std::exchange(sums_, InitTimeSums{});
}

std::vector<const float*> InitTimeScorer::fields_of(const std::vector<const float*>& members,
                                                    const Channel& channel) const {
  const std::size_t offset = find_channel(*state_channels_, channel) * grid_->points();
  std::vector<const float*> fields;
  for (const float* member : members) {
    fields.push_back(member + offset);
  }
  return fields;
}

const float* InitTimeScorer::truth_field(const State& truth, const Channel& channel) const {
  const std::size_t index = find_channel(*truth.channels, channel);
  require(index < truth.channels->size(), ExitCode::missing_input,
          "the truth at {} has no channel {}; remove it from the scores or give a truth that has it",
          to_string(truth.time), channel.name());
  return truth.field(index).data();
}

void InitTimeScorer::add_statistics(std::size_t lead, const std::vector<const float*>& members,
                                    const State& truth, const State* climatology) {
  const std::size_t regions = areas_.size();
  for (std::size_t c = 0; c < options_.channels.size() && regions > 0; ++c) {
    const Channel& channel = options_.channels[c];
    const std::vector<const float*> fields = fields_of(members, channel);
    const std::size_t in_climatology =
        climatology == nullptr ? 0 : find_channel(*climatology->channels, channel);
    const bool has_climatology = climatology != nullptr && in_climatology < climatology->channels->size();
    const std::size_t place = lead * options_.channels.size() + c;
    kernels::ensemble_statistics(
        {.members = fields,
         .truth = truth_field(truth, channel),
         .latitudes = grid_->latitude.size(),
         .longitudes = grid_->longitude.size(),
         .areas = areas_,
         .means = std::span(sums_.means).subspan(place * regions, regions),
         .threads = options_.threads,
         .climatology = has_climatology ? climatology->field(in_climatology).data() : nullptr,
         .missing = options_.missing,
         .energy = true,
         .ranks = std::span(sums_.ranks).subspan(place * sums_.rank_numbers(), sums_.rank_numbers()),
         .maps = maps_of(lead, channel)});
  }
}

/// The device works on the lead while the next one is forecast; maps are made here.
void InitTimeScorer::queue_on_device(std::size_t lead, const EnsembleFields& fields, const State& truth,
                                     const ClimatologyFields* climatology) {
  device_->collect(sums_);  // of the lead before
  if (sent_ != lead) {
    send_ahead(lead, truth, climatology);
  }
  sent_.reset();
  device_->queue(lead, fields);
  for (const Channel& channel : options_.maps.channels) {
    const std::span<double> maps = maps_of(lead, channel);
    if (!maps.empty()) {
      kernels::ensemble_statistics({.members = fields_of(fields.host, channel),
                                    .truth = truth_field(truth, channel),
                                    .latitudes = grid_->latitude.size(),
                                    .longitudes = grid_->longitude.size(),
                                    .areas = {},
                                    .means = {},
                                    .threads = options_.threads,
                                    .missing = options_.missing,
                                    .maps = maps});
    }
  }
}

void InitTimeScorer::add_seeps(std::size_t lead, const std::vector<const float*>& members, const State& truth,
                               const std::vector<SeepsFields>& climate) {
  SeepsSums& sums = sums_.seeps;
  require(climate.size() == sums.channels.size(), "the climate of {} channels for SEEPS of {}",
          climate.size(), sums.channels.size());
  for (std::size_t c = 0; c < sums.channels.size(); ++c) {
    const SeepsScores scores =
        score_seeps(fields_of(members, sums.channels[c]), truth_field(truth, sums.channels[c]), climate[c],
                    *grid_, areas_, options_.seeps.variant, options_.threads);
    for (std::size_t r = 0; r < areas_.size(); ++r) {
      const double* of_members = &scores.members[r * members.size()];
      const double total = std::accumulate(of_members, of_members + members.size(), 0.0);
      sums.means[sums.offset(lead, c, areas_.size()) + r] = {total / static_cast<double>(members.size()),
                                                             scores.ensemble_mean[r]};
    }
  }
}

/// Where the maps of a lead and channel go; nothing if none are asked for.
std::span<double> InitTimeScorer::maps_of(std::size_t lead, const Channel& channel) {
  MapSums& maps = sums_.maps;
  const std::size_t place = find_channel(maps.channels, channel);
  const auto found = std::find(maps.leads.begin(), maps.leads.end(), sums_.leads[lead]);
  if (place == maps.channels.size() || found == maps.leads.end()) {
    return {};
  }
  const std::size_t first = maps.offset(static_cast<std::size_t>(found - maps.leads.begin()), place);
  return std::span(maps.values).subspan(first, kernels::map_statistic_count * maps.points());
}

void InitTimeScorer::add_thresholds(std::size_t lead, const std::vector<const float*>& members,
                                    const State& truth, const std::vector<double>& thresholds) {
  ThresholdSums& sums = sums_.thresholds;
  const std::size_t values = sums.quantiles.size() * grid_->points();
  require(thresholds.size() == sums.channels.size() * values, "{} values of thresholds instead of {}",
          thresholds.size(), sums.channels.size() * values);
  const std::vector<double> row_weight = area_weights(*grid_);
  for (std::size_t c = 0; c < sums.channels.size(); ++c) {
    const std::vector<const float*> fields = fields_of(members, sums.channels[c]);
    const std::size_t first = sums.mean_offset(lead, c, 0, areas_.size());
    kernels::threshold_statistics(
        {.members = fields,
         .truth = truth_field(truth, sums.channels[c]),
         .thresholds = std::span(thresholds).subspan(c * values, values),
         .latitudes = grid_->latitude.size(),
         .longitudes = grid_->longitude.size(),
         .areas = areas_,
         .means = std::span(sums.means).subspan(first, areas_.size() * sums.quantiles.size()),
         .threads = options_.threads,
         .missing = options_.missing,
         .row_weight = row_weight,
         .reliability = std::span(sums.reliability)
                            .subspan(sums.reliability_offset(lead, c, sums_.members),
                                     sums.reliability_numbers(sums_.members))});
  }
}

void InitTimeScorer::add_spectra(std::size_t lead, const std::vector<const float*>& members,
                                 const State& truth) {
  for (std::size_t q = 0; q < sums_.quantities.size(); ++q) {
    begin_zonal_spectra(sums_, lead, q);
    // Kinetic energy is the mean of the two components' spectra.
    const double share = 1.0 / static_cast<double>(sums_.quantities[q].channels.size());
    for (const std::size_t c : sums_.quantities[q].channels) {
      const Channel& channel = options_.spectra_channels[c];
      const std::vector<const float*> fields = fields_of(members, channel);
      for (const float* field : fields) {
        add_spectrum(SpectrumKind::member_mean, lead, q, field, share / sums_.members);
      }
      const std::vector<float> mean = ensemble_mean(fields, grid_->points());
      add_spectrum(SpectrumKind::ensemble_mean, lead, q, mean.data(), share);
      add_spectrum(SpectrumKind::truth, lead, q, truth_field(truth, channel), share);
    }
  }
}

/// All members, the ensemble mean and the truth in one batch.
void InitTimeScorer::add_degree_spectra(std::size_t lead, const std::vector<const float*>& members,
                                        const State& truth) {
  const auto& quantities = sums_.by_degree.quantities;
  for (std::size_t q = 0; q < quantities.size();) {
    std::vector<std::vector<const float*>> components;
    std::vector<std::vector<float>> means;
    for (const std::size_t c : quantities[q].channels) {
      const Channel& channel = options_.spectra_channels[c];
      components.push_back(fields_of(members, channel));
      means.push_back(ensemble_mean(components.back(), grid_->points()));
      components.back().push_back(means.back().data());
      components.back().push_back(truth_field(truth, channel));
    }
    if (components.size() == 1) {
      store_degree_spectra(sums_, lead, q++, degree_spectra_->power<float>(components[0]));
    } else {
      const KineticEnergySpectra energy =
          degree_spectra_->kinetic_energy<float>(components[0], components[1]);
      store_degree_spectra(sums_, lead, q++, energy.total);
      store_degree_spectra(sums_, lead, q++, energy.rotational);
      store_degree_spectra(sums_, lead, q++, energy.divergent);
    }
  }
}

void InitTimeScorer::add_spectrum(SpectrumKind kind, std::size_t lead, std::size_t quantity,
                                  const float* field, double factor) {
  const std::vector<double> spectrum =
      zonal_energy_spectrum(std::span(field, grid_->points()), *grid_, options_.threads);
  for (std::size_t b = 0; b < spectrum_bands().size(); ++b) {
    add_band_mean(sums_, kind, lead, quantity, b, factor, band_mean(spectrum, spectrum_bands()[b], *grid_));
  }
}

}  // namespace mosaic::eval
