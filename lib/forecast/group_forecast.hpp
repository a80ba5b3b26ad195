#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "eval/init_time_scorer.hpp"
#include "eval/score_shares.hpp"
#include "forecast/derived_channels.hpp"
#include "forecast/ensemble_rollout.hpp"
#include "forecast/forecast_output.hpp"
#include "forecast/group_agreement.hpp"
#include "forecast/hindcast.hpp"
#include "forecast/hindcast_input.hpp"
#include "forecast/member_exchange.hpp"

namespace mosaic {

/// Forecasts and scores one initial time after another with the ranks of a group: members are spread over
/// the ranks, channels over the ranks for the scores; the first rank gets what is written. The bits do not
/// depend on the size of the group. Where the model computes on a device and a rank is alone, states stay
/// there: what the host needs of a lead is copied, and written while the next step runs.
class GroupForecast {
 public:
  /// Collective over the group.
  GroupForecast(const HindcastSetup& setup, const GroupAgreement& agreement);

  /// What this rank scores.
  const eval::ScoreOptions& scores() const;
  /// What this rank needs of the truth for it.
  const ChannelSet& truth_channels() const { return truth_channels_.to_read(); }
  /// The channels of the states that run() gives to the output.
  const ChannelSet& output_channels() const { return *host_channels_; }

  /// `output`: used on the first rank only. `before_step` is called with the index of every lead before its
  /// step. The sums are those of all scores on the first rank, of its share on others; nothing if the group
  /// was asked to stop. Collective. Errors: of forecast and scores as GroupAgreement says; OutputFailure.
  std::optional<eval::InitTimeSums> run(Time initial_time, const HindcastInput& input, ForecastOutput& output,
                                        HindcastTimings& timings,
                                        const std::function<void(std::size_t)>& before_step);

 private:
  std::vector<ChannelSet> wanted_channels() const;
  bool scores_where_members_are() const;
  std::shared_ptr<const ChannelSet> needed_on_host() const;
  bool step(const std::function<void()>& beside, ForecastOutput& output, HindcastTimings& timings);
  std::vector<const float*> states_on_host(std::size_t lead);
  void deliver(ForecastOutput& output, HindcastTimings& timings);
  const State& completed(const State& truth);
  void score(std::size_t lead, const std::vector<const float*>& members, const State& truth,
             const eval::ClimatologyFields* climatology);
  eval::InitTimeSums join(const eval::InitTimeSums& part) const;
  bool is_first() const { return agreement_.group().rank() == 0; }

  const HindcastSetup& setup_;
  GroupAgreement agreement_;
  eval::ScoreShares shares_;
  std::shared_ptr<const ChannelSet> scored_;  ///< by this rank
  DerivedChannels forecast_channels_;         ///< how its forecasts and truth become that
  DerivedChannels truth_channels_;
  EnsembleRollout rollout_;
  MemberExchange exchange_;
  std::shared_ptr<const ChannelSet> host_channels_;  ///< of the states that the host gets
  std::vector<std::size_t> fetched_;                 ///< their positions in the model's, of resident members
  bool scores_need_host_;                            ///< fields of every lead, before it is scored
  std::vector<Duration> written_;                    ///< lead times of which the output wants fields
  eval::InitTimeScorer scorer_;
  State completed_;                         ///< a truth with its derived channels
  std::optional<std::size_t> undelivered_;  ///< the lead whose fields are under way to the output
};

}  // namespace mosaic
