#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "eval/degree_spectra.hpp"
#include "eval/device_scores.hpp"
#include "eval/ensemble_fields.hpp"
#include "eval/init_time_sums.hpp"
#include "eval/precipitation_scores.hpp"
#include "fields/channel.hpp"
#include "fields/state.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

/// A climatology at one valid time.
struct ClimatologyFields {
  State mean;                      ///< of the scored channels that it has
  std::vector<double> thresholds;  ///< [H, T, lat, lon] of ScoreOptions::thresholds; empty without them
  std::vector<SeepsFields> seeps;  ///< [E] of ScoreOptions::seeps
};

/// Scores one initial time after another: begin(), add() once per lead that has a truth, finish(). Results
/// are the same bits whatever the number of threads and the order of leads. To be called from one thread.
class InitTimeScorer {
 public:
  /// `state_channels` are those of the forecast fields. Errors: bad_configuration if a channel to be scored
  /// is not among them, no lead or no member; corrupt_input if spectra are asked for on uneven longitudes;
  /// with ScoreOptions::on_device those of DeviceScores. `on_device`: the channels of members that lie on the
  /// device, if they do; of fields on the host only host_channels() are needed then.
  InitTimeScorer(const ScoreOptions& options, std::shared_ptr<const LatLonGrid> grid,
                 std::shared_ptr<const ChannelSet> state_channels, int members,
                 const ChannelSet* on_device = nullptr);

  /// The channels whose scores are made of fields on the host whatever the options say: maps, SEEPS, scores
  /// at quantiles.
  static ChannelSet host_channels(const ScoreOptions& options);

  void begin(Time initial_time);

  /// Scores a lead. fields: of M members, [C, lat, lon] in state_channels (on the device: in those). truth:
  /// at initial time + lead, on the same grid, with at least the scored channels (found by name). Errors:
  /// missing_input for a channel that the truth lacks; internal for a wrong time, grid or number of members,
  /// or a lead given twice. climatology: at the valid time, on the same grid; null exactly if the options ask
  /// for none. Members on a device are read in their stream, which is not waited for.
  void add(std::size_t lead_index, const EnsembleFields& fields, const State& truth,
           const ClimatologyFields* climatology = nullptr);

  /// Where scores are made on a device: sends the truth and climatology of the lead that is added next, so
  /// that they are there when its forecast is; add() sends what was not. Elsewhere it does nothing.
  void send_ahead(std::size_t lead_index, const State& truth, const ClimatologyFields* climatology = nullptr);

  /// Leads that were not added are marked as missing.
  InitTimeSums finish();

 private:
  std::vector<const float*> fields_of(const std::vector<const float*>& members, const Channel& channel) const;
  const float* truth_field(const State& truth, const Channel& channel) const;
  void add_statistics(std::size_t lead, const std::vector<const float*>& members, const State& truth,
                      const State* climatology);
  void check_truth(std::size_t lead, const State& truth, const ClimatologyFields* climatology) const;
  void queue_on_device(std::size_t lead, const EnsembleFields& fields, const State& truth,
                       const ClimatologyFields* climatology);
  void add_seeps(std::size_t lead, const std::vector<const float*>& members, const State& truth,
                 const std::vector<SeepsFields>& climate);
  std::span<double> maps_of(std::size_t lead, const Channel& channel);
  void add_thresholds(std::size_t lead, const std::vector<const float*>& members, const State& truth,
                      const std::vector<double>& thresholds);
  void add_spectra(std::size_t lead, const std::vector<const float*>& members, const State& truth);
  void add_degree_spectra(std::size_t lead, const std::vector<const float*>& members, const State& truth);
  void add_spectrum(SpectrumKind kind, std::size_t lead, std::size_t quantity, const float* field,
                    double factor);

  ScoreOptions options_;
  std::shared_ptr<const LatLonGrid> grid_;
  std::shared_ptr<const ChannelSet> state_channels_;
  std::vector<kernels::AreaMask> areas_;
  std::shared_ptr<const DegreeSpectra> degree_spectra_;  ///< null where none are asked for
  std::unique_ptr<DeviceScores> device_;                 ///< null: all is scored on the processor
  std::optional<std::size_t> sent_;                      ///< the lead whose truth is on its way to the device
  InitTimeSums empty_;                                   ///< axes filled, values NaN
  InitTimeSums sums_;
};

}  // namespace mosaic::eval
