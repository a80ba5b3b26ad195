#pragma once

#include <cstddef>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "stores/netcdf_document.hpp"

namespace mosaic::eval {

struct InitTimeSums;
struct ScoreOptions;

/// Which scores are made for every point.
struct MapOptions {
  ChannelSet channels;          ///< of the scored ones; empty = no maps
  std::vector<Duration> leads;  ///< of the scored ones
};

/// Statistics of one initial time at every point, with their axes.
struct MapSums {
  ChannelSet channels;                      // P
  std::vector<Duration> leads;              // N, of the scored ones
  std::vector<double> latitude, longitude;  // [degrees]
  std::vector<double> values;               // [N, P, 6, lat, lon] kernels::map_statistic_count, float32 each

  std::size_t points() const { return latitude.size() * longitude.size(); }
  /// Where the six fields of a channel begin.
  std::size_t offset(std::size_t lead, std::size_t channel) const {
    return (lead * channels.size() + channel) * kernels::map_statistic_count * points();
  }
};

/// Mean over initial times of their maps, one after another: those of 720 do not fit into memory.
class MapMean {
 public:
  /// In ascending order of initial times. Errors: corrupt_input if the axes differ from those before.
  void add(const InitTimeSums& sums, const ScoreOptions& options);

  bool empty() const { return mean_.channels.empty(); }

  /// <variable>(metric, lead_time, level, latitude, longitude): bias, crps, ensemble_mean_mse,
  /// ensemble_variance, mae, mse. NaN where no initial time has a value.
  NetcdfDocument document(const ScoreOptions& options) const;

 private:
  MapSums mean_;                ///< sums until document()
  std::vector<double> counts_;  ///< as mean_.values: initial times
  std::size_t initial_times_ = 0;
  int members_ = 0;
};

}  // namespace mosaic::eval
