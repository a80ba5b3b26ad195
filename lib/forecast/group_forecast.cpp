#include "forecast/group_forecast.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

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

std::vector<std::size_t> positions_in(const ChannelSet& all, const ChannelSet& wanted) {
  std::vector<std::size_t> positions;
  for (const Channel& channel : wanted) {
    const auto found = std::find(all.begin(), all.end(), channel);
    require(found != all.end(), "the model has no {}", channel.name());
    positions.push_back(static_cast<std::size_t>(found - all.begin()));
  }
  return positions;
}

/// Where a channel's field begins in a state of `channels`.
const float* field_in(const float* state, const ChannelSet& channels, const Channel& channel,
                      std::size_t points) {
  const auto place = std::find(channels.begin(), channels.end(), channel) - channels.begin();
  return state + static_cast<std::size_t>(place) * points;
}

void add_absent(ChannelSet& channels, const ChannelSet& more) {
  for (const Channel& channel : more) {
    if (std::find(channels.begin(), channels.end(), channel) == channels.end()) {
      channels.push_back(channel);
    }
  }
}

/// What the output writes; nothing without one.
std::optional<ForecastWriterOptions> writer_options(const HindcastSetup& setup) {
  return setup.config.output.forecasts
             ? std::optional(forecast_writer_options(setup.config, setup.model->info(), setup.leads, ""))
             : std::nullopt;
}

std::vector<Duration> written_leads(const HindcastSetup& setup) {
  const auto options = writer_options(setup);
  return options ? options->leads : std::vector<Duration>{};
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
      rollout_(*setup.model, own_members(setup, agreement.group()), make_noise(setup)),
      exchange_(agreement.group(), setup.model->info(), all_members(setup), wanted_channels()),
      host_channels_(needed_on_host()),
      fetched_(positions_in(*setup.model->info().channels,
                            agreement.group().size() == 1 ? *host_channels_ : *setup.model->info().channels)),
      scores_need_host_(!scores_where_members_are() ||
                        !eval::InitTimeScorer::host_channels(scores()).empty()),
      written_(written_leads(setup)),
      scorer_(scores(), setup.model->info().grid, forecast_channels_.derives() ? scored_ : host_channels_,
              setup.config.ensemble.members,
              scores_where_members_are() ? setup.model->info().channels.get() : nullptr) {}

const eval::ScoreOptions& GroupForecast::scores() const {
  return own_scores(setup_, shares_, agreement_.group());
}

/// By rank: what it scores, and on the first rank what is written.
std::vector<ChannelSet> GroupForecast::wanted_channels() const {
  std::vector<ChannelSet> wanted;
  for (std::size_t rank = 0; rank < shares_.parts(); ++rank) {
    wanted.push_back(channels_of_forecast(setup_, scored_channels(shares_.share(rank))).to_read());
  }
  if (const auto options = writer_options(setup_)) {
    add_absent(wanted[0], options->channels);
  }
  return wanted;
}

/// Whether the members' fields need not leave the device for statistics and spectra.
bool GroupForecast::scores_where_members_are() const {
  return setup_.score.on_device && rollout_.is_resident() && agreement_.group().size() == 1 &&
         !forecast_channels_.derives();
}

/// The channels of the states that the host gets: all of them from a model on the processor.
std::shared_ptr<const ChannelSet> GroupForecast::needed_on_host() const {
  if (agreement_.group().size() > 1 || !rollout_.is_resident()) {
    return exchange_.channels();
  }
  if (!scores_where_members_are()) {
    return std::make_shared<const ChannelSet>(wanted_channels()[0]);
  }
  ChannelSet channels = eval::InitTimeScorer::host_channels(scores());
  if (const auto options = writer_options(setup_)) {
    add_absent(channels, options->channels);
  }
  return std::make_shared<const ChannelSet>(std::move(channels));
}

std::optional<eval::InitTimeSums> GroupForecast::run(Time initial_time, const HindcastInput& input,
                                                     ForecastOutput& output, HindcastTimings& timings,
                                                     const std::function<void(std::size_t)>& before_step) {
  rollout_.start(initial_time, input.history);
  scorer_.begin(initial_time);
  undelivered_.reset();  // of an initial time that was given up
  for (std::size_t lead = 0; lead < setup_.leads.size(); ++lead) {
    before_step(lead);
    const State* truth = nullptr;
    const eval::ClimatologyFields* climatology = nullptr;
    const auto found = std::ranges::lower_bound(input.truth_leads, lead);
    const auto send_truth = [&] {
      if (found != input.truth_leads.end() && *found == lead) {
        const Stopwatch watch(timings.score);
        const auto at = static_cast<std::size_t>(found - input.truth_leads.begin());
        truth = &completed(input.truth[at]);
        climatology = input.climatology.empty() ? nullptr : &input.climatology[at];
        scorer_.send_ahead(lead, *truth, climatology);
      }
    };
    if (!step(send_truth, output, timings)) {
      return std::nullopt;
    }
    std::vector<const float*> members;
    {
      const Stopwatch watch(timings.exchange);
      members = states_on_host(lead);
    }
    const auto score_lead = [&] {
      if (truth != nullptr) {
        const Stopwatch watch(timings.score);
        score(lead, members, *truth, climatology);
      }
    };
    if (!agreement_.all_well(score_lead)) {
      return std::nullopt;
    }
    if (is_first() && !members.empty()) {
      write_or_fail(timings.write, [&] { output.push(setup_.leads[lead], members); });
    }
  }
  deliver(output, timings);
  const Stopwatch watch(timings.exchange);
  return join(scorer_.finish());
}

/// While a device computes `beside` is called, and the output gets what was copied of the lead before. False
/// once a rank was asked to stop.
bool GroupForecast::step(const std::function<void()>& beside, ForecastOutput& output,
                         HindcastTimings& timings) {
  const auto begin_step = [&] {
    {
      const Stopwatch watch(timings.compute);
      rollout_.begin_step();
    }
    beside();
  };
  const auto finish_step = [&] {
    const Stopwatch watch(timings.compute);
    rollout_.finish_step();
  };
  if (!agreement_.all_well(begin_step)) {
    return false;
  }
  deliver(output, timings);
  return agreement_.all_well(finish_step);
}

/// The states of all members of the group in host_channels_, which the scores of this lead need; where they
/// do not, nothing: what the output wants is then under way.
std::vector<const float*> GroupForecast::states_on_host(std::size_t lead) {
  if (!rollout_.is_resident()) {
    return exchange_.collect(rollout_.members());
  }
  if (agreement_.group().size() > 1) {
    rollout_.fetch(fetched_);
    return exchange_.collect(rollout_.fetched());
  }
  const bool written = std::binary_search(written_.begin(), written_.end(), setup_.leads[lead]);
  if (scores_need_host_ || written) {
    rollout_.fetch(fetched_);
  }
  if (scores_need_host_) {
    return rollout_.fetched();
  }
  undelivered_ = written ? std::optional(lead) : std::nullopt;
  return {};
}

/// Waits for the fields that are under way, if there are any, and gives them to the output.
void GroupForecast::deliver(ForecastOutput& output, HindcastTimings& timings) {
  if (const auto lead = std::exchange(undelivered_, std::nullopt)) {
    std::vector<const float*> members;
    {
      const Stopwatch watch(timings.exchange);
      members = rollout_.fetched();
    }
    write_or_fail(timings.write, [&] { output.push(setup_.leads[*lead], members); });
  }
}

/// A truth as the scores need it; valid until the next call.
const State& GroupForecast::completed(const State& truth) {
  if (!truth_channels_.derives()) {
    return truth;
  }
  completed_ = {truth.time, truth.grid, scored_, truth_channels_.make([&](const Channel& channel) {
                  return field_in(truth.values.data(), *truth.channels, channel, truth.grid->points());
                })};
  return completed_;
}

/// `members`: [host_channels_, lat, lon] each. Derived fields live as long as the call.
void GroupForecast::score(std::size_t lead, const std::vector<const float*>& members, const State& truth,
                          const eval::ClimatologyFields* climatology) {
  std::vector<std::vector<float>> derived;
  std::vector<const float*> to_score = members;
  for (std::size_t m = 0; m < members.size() && forecast_channels_.derives(); ++m) {
    derived.push_back(forecast_channels_.make([&](const Channel& channel) {
      return field_in(members[m], *host_channels_, channel, truth.grid->points());
    }));
    to_score[m] = derived.back().data();
  }
  eval::EnsembleFields fields(std::move(to_score));
  if (scores_where_members_are()) {
    const DeviceStates states = rollout_.on_device();
    fields.device = {states.first, states.member_stride, states.stream};
  }
  scorer_.add(lead, fields, truth, climatology);
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
