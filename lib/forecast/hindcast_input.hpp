#pragma once

#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "forecast/climatology_fields.hpp"
#include "forecast/group_agreement.hpp"
#include "forecast/hindcast.hpp"
#include "stores/prefetch.hpp"

namespace mosaic {

/// What one rank needs of one initial time.
struct HindcastInput {
  std::vector<State> history;                        ///< oldest first
  std::vector<State> truth;                          ///< at the leads that have one
  std::vector<eval::ClimatologyFields> climatology;  ///< likewise; empty where the scores need none
  std::vector<std::size_t> truth_leads;              ///< which these are, ascending
};

/// Reads the input of one initial time after another, ahead of its use.
class HindcastInputReader {
 public:
  /// `truth_channels`: what this rank needs of the truth; none = it needs no truth. `score`: what it scores.
  HindcastInputReader(const HindcastSetup& setup, ChannelSet truth_channels, const eval::ScoreOptions& score);

  /// Starts to read. Errors: internal if another initial time was requested and not taken.
  void request(Time initial_time);

  /// Waits for what was requested, for all ranks of the group, and checks it; with `on_error: continue` a
  /// failed attempt is repeated, three in all. False if the group was asked to stop. Collective. Errors: of
  /// the stores; corrupt_input naming what is not fit for model input.
  bool take(Time initial_time, const GroupAgreement& agreement, HindcastInput& input);

 private:
  std::vector<std::size_t> leads_with_truth(Time initial_time) const;
  std::vector<Time> valid_times(Time initial_time) const;
  HindcastInput take_once(Time initial_time);
  void check_history(const std::vector<State>& history) const;

  const HindcastSetup& setup_;
  std::shared_ptr<const ChannelSet> truth_channels_;
  ReadAhead input_ahead_;
  ReadAhead truth_ahead_;
  std::optional<ClimatologyFieldsReader> climatology_;
  std::future<std::vector<eval::ClimatologyFields>> climatology_ahead_;  // after what its thread uses
};

}  // namespace mosaic
