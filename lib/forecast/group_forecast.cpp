#include "forecast/group_forecast.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "base/stopwatch.hpp"
#include "forecast/score_channels.hpp"

namespace mosaic {

namespace {

MemberRange all_members(const HindcastSetup& setup) {
  return {setup.config.ensemble.first_member, setup.config.ensemble.members};
}

NoiseSource make_noise(const HindcastSetup& setup) {
  const auto& ensemble = setup.config.ensemble;
  if (ensemble.noise_file.empty()) {
    return NoiseSource::from_seed(static_cast<std::uint64_t>(ensemble.seed));
  }
  return NoiseSource::from_file(ensemble.noise_file, ensemble.first_member + ensemble.members,
                                static_cast<int>(setup.leads.size()), setup.model->info().noise_width);
}

MemberRange own_members(const HindcastSetup& setup, const Comm& group) {
  return members_of_rank(all_members(setup), setup.model->info().batch, group.rank(), group.size());
}

/// Of the share, or of everything where a rank is alone.
const eval::ScoreOptions& own_scores(const HindcastSetup& setup, const eval::ScoreShares& shares,
                                     const Comm& group) {
  return group.size() == 1 ? setup.score : shares.share(static_cast<std::size_t>(group.rank()));
}

}  // namespace

GroupForecast::GroupForecast(const HindcastSetup& setup, const GroupAgreement& agreement)
    : setup_(setup),
      agreement_(agreement),
      shares_(setup.score, *setup.model->info().grid, setup.config.ensemble.members,
              static_cast<std::size_t>(agreement.group().size())),
      scored_(std::make_shared<const ChannelSet>(scored_channels(scores()))),
      forecast_channels_(channels_of_forecast(setup, *scored_)),
      truth_channels_(channels_of_truth(setup, *scored_)),
      exchange_(agreement.group(), setup.model->info(), all_members(setup), wanted_channels()),
      rollout_(*setup.model, own_members(setup, agreement.group()), make_noise(setup)),
      scorer_(scores(), setup.model->info().grid,
              forecast_channels_.derives() ? scored_ : exchange_.channels(), setup.config.ensemble.members) {}

const eval::ScoreOptions& GroupForecast::scores() const {
  return own_scores(setup_, shares_, agreement_.group());
}

/// By rank: what it scores, and on the first rank what is written.
std::vector<ChannelSet> GroupForecast::wanted_channels() const {
  std::vector<ChannelSet> wanted;
  for (std::size_t rank = 0; rank < shares_.parts(); ++rank) {
    wanted.push_back(channels_of_forecast(setup_, scored_channels(shares_.share(rank))).to_read());
  }
  if (setup_.config.output.forecasts) {
    const auto options = forecast_writer_options(setup_.config, setup_.model->info(), setup_.leads, "");
    for (const Channel& channel : options.channels) {
      if (std::find(wanted[0].begin(), wanted[0].end(), channel) == wanted[0].end()) {
        wanted[0].push_back(channel);
      }
    }
  }
  return wanted;
}

std::optional<eval::InitTimeSums> GroupForecast::run(Time initial_time, const HindcastInput& input,
                                                     ForecastOutput& output, HindcastTimings& timings,
                                                     const std::function<void(std::size_t)>& before_step) {
  rollout_.start(initial_time, input.history);
  scorer_.begin(initial_time);
  std::size_t next_truth = 0;
  for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
    before_step(lead);
    const auto advance = [&] {
      const Stopwatch watch(timings.compute);
      rollout_.advance();
    };
    if (!agreement_.all_well(advance)) {
      return std::nullopt;
    }
    std::vector<const float*> members;
    {
      const Stopwatch watch(timings.exchange);
      members = exchange_.collect(rollout_.members());
    }
    const auto score_lead = [&] {
      if (std::binary_search(input.truth_leads.begin(), input.truth_leads.end(), lead)) {
        const Stopwatch watch(timings.score);
        const std::size_t at = next_truth++;
        score(lead, members, input.truth[at], input.climatology.empty() ? nullptr : &input.climatology[at]);
      }
    };
    if (!agreement_.all_well(score_lead)) {
      return std::nullopt;
    }
    if (is_first()) {
      write_or_fail(timings.write, [&] { output.push(setup_.leads[lead], members); });
    }
  }
  const Stopwatch watch(timings.exchange);
  return join(scorer_.finish());
}

/// `members`: [exchange_.channels(), lat, lon] each. Derived fields live as long as the call.
void GroupForecast::score(std::size_t lead, const std::vector<const float*>& members, const State& truth,
                          const eval::ClimatologyFields* climatology) {
  const std::size_t points = truth.grid->points();
  const auto field_of = [points](const ChannelSet& channels, const float* state, const Channel& channel) {
    const auto place = std::find(channels.begin(), channels.end(), channel) - channels.begin();
    return state + static_cast<std::size_t>(place) * points;
  };
  std::vector<std::vector<float>> derived;
  std::vector<const float*> to_score = members;
  for (std::size_t m = 0; m < members.size() && forecast_channels_.derives(); ++m) {
    derived.push_back(forecast_channels_.make(
        [&](const Channel& channel) { return field_of(*exchange_.channels(), members[m], channel); }));
    to_score[m] = derived.back().data();
  }
  if (!truth_channels_.derives()) {
    scorer_.add(lead, to_score, truth, climatology);
    return;
  }
  const State completed{truth.time, truth.grid, scored_, truth_channels_.make([&](const Channel& channel) {
                          return field_of(*truth.channels, truth.values.data(), channel);
                        })};
  scorer_.add(lead, to_score, completed, climatology);
}

/// The parts of all ranks, on the first one.
eval::InitTimeSums GroupForecast::join(const eval::InitTimeSums& part) const {
  if (shares_.parts() == 1) {
    return part;
  }
  const std::vector<double> mine = eval::ScoreShares::numbers_of(part);
  std::string bytes(mine.size() * sizeof(double), '\0');
  std::memcpy(bytes.data(), mine.data(), bytes.size());
  std::vector<std::vector<double>> numbers;
  for (const std::string& theirs : agreement_.group().all_gather(bytes)) {
    numbers.emplace_back(theirs.size() / sizeof(double));
    std::memcpy(numbers.back().data(), theirs.data(), theirs.size());
  }
  return is_first() ? shares_.join(part.initial_time, numbers) : part;
}

}  // namespace mosaic
