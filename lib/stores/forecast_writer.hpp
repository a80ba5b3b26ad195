#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"

namespace mosaic {

/// ensemble: one file per initial time, forecast_2020-01-01T00.nc with dimensions (time, realization, level,
/// latitude, longitude); ensemble mean and spread are further variables there (t2m_mean, t2m_spread).
/// member: one file per initial time and member, forecast_2020-01-01T00_member003.nc with dimensions (time,
/// level, latitude, longitude); mean and spread are further files (..._mean.nc, ..._spread.nc).
enum class ForecastLayout { ensemble, member };
/// cf: t2m, z, ...; wb2: 2m_temperature, geopotential, ...
enum class VariableNaming { cf, wb2 };

struct ForecastWriterOptions {
  std::string folder;  ///< must exist
  ForecastLayout layout = ForecastLayout::ensemble;
  VariableNaming naming = VariableNaming::cf;
  int deflate = 1;                     ///< 0 ... 9
  std::optional<int> quantize_digits;  ///< keep that many significant decimal digits, 1 ... 6
  ChannelSet channels;                 ///< what is written, a selection of the states' channels
  std::vector<Duration> leads;         ///< which lead times are written, ascending
  int first_member = 0;                ///< the number of the first one in `realization` and in file names
  bool members = true;
  bool mean = false;
  bool spread = false;  ///< standard deviation over members, divided by M - 1
  std::size_t queue_bytes = std::size_t{512} << 20;
  int threads = 1;                                ///< for compression
  std::map<std::string, std::string> attributes;  ///< global ones: title, source, ...; they replace defaults
};

/// Writes forecast fields as NetCDF-4, CF-1.11 and ACDD-1.3, on a thread of its own behind a bounded queue.
///
///   writer.begin(initial_time);
///   for each lead: writer.push(lead, members);
///   writer.finish();
///
/// One HDF5 chunk is one field (time, member, level); chunks are compressed on `threads` threads and stored
/// by direct chunk write. begin, push and finish are called from one thread. Errors of the writing thread
/// (cannot_create, io_error) are thrown by the next push or by finish, whichever comes first; the
/// temporaries are gone then and another initial time can be begun.
class ForecastWriter {
 public:
  /// `members` per initial time; `state_channels`: the channels of what push is given, in their order.
  /// Errors: bad_configuration naming every bad option at once.
  ForecastWriter(const ForecastWriterOptions& options, const LatLonGrid& grid, int members,
                 const ChannelSet& state_channels);
  /// Discards an initial time that was not finished.
  ~ForecastWriter();
  ForecastWriter(const ForecastWriter&) = delete;
  ForecastWriter& operator=(const ForecastWriter&) = delete;

  void begin(Time initial_time);

  /// One pointer per member, each to [C, lat, lon] of the state channels in physical units; the selection is
  /// copied before push returns. Waits while the queue is full; a lead that is not selected is ignored.
  /// Errors: internal for a lead that was already pushed or a wrong number of members.
  void push(Duration lead, const std::vector<const float*>& members);

  /// Waits until the files of this initial time have their final names. Logs a warning if push had to wait.
  /// Errors: those of the writing thread; internal naming selected leads that were never pushed.
  void finish();

  /// How long push has waited for the disk, over all initial times. [s]
  double seconds_waited() const;
  /// Sizes of the finished files, summed.
  std::uint64_t bytes_written() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace mosaic
