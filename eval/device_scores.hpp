#pragma once

#include <functional>
#include <memory>
#include <span>

#include "eval/degree_spectra.hpp"
#include "eval/ensemble_fields.hpp"
#include "eval/init_time_sums.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic::eval {

/// Where the fields of the members come from.
enum class MembersOn {
  host,    ///< they are copied to the device for the scores
  device,  ///< they are there already
};

/// What device statistics are made of.
struct DeviceScoresArgs {
  const ScoreOptions& options;
  const LatLonGrid& grid;
  std::span<const kernels::AreaMask> areas;  ///< of options.regions
  const ChannelSet& channels;                ///< of the members' fields
  MembersOn members_on = MembersOn::host;
  int members = 0;
  const DegreeSpectra* degree_spectra = nullptr;  ///< null where no spectra by degree are asked for
};

/// The members that device statistics can take at most.
int most_members_on_device();

/// Ensemble statistics, rank counts, zonal spectra and spectra by degree of InitTimeScorer on this thread's
/// device: truth and climatology go there, sums come back. Definitions are those of the kernels' contracts;
/// sums are formed in another order than the processor's. Bits of a channel depend neither on the others nor
/// on where the members' fields come from.
class DeviceScores {
 public:
  /// Errors: bad_configuration without a device or memory, or for more members than the device takes;
  /// corrupt_input if spectra are asked for on uneven longitudes.
  explicit DeviceScores(const DeviceScoresArgs& args);
  ~DeviceScores();

  /// Field [lat, lon] of a channel; null where there is none.
  using FieldOf = std::function<const float*(const Channel& channel)>;

  /// Sends the truth and climatology of the lead that is queued next, beside whatever the device does.
  /// `truth` has every scored channel. Returns when they have been read.
  void send(const FieldOf& truth, const FieldOf& climatology);

  /// Queues the statistics of a lead, whose truth was sent, and returns without waiting for them; collect()
  /// comes before the next.
  void queue(std::size_t lead, const EnsembleFields& members);

  /// Waits for what was queued, if anything was, and writes it to its places in `sums`.
  void collect(InitTimeSums& sums);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace mosaic::eval
