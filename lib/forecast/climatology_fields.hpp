#pragma once

#include <memory>
#include <vector>

#include "eval/init_time_scorer.hpp"
#include "stores/climatology_store.hpp"

namespace mosaic {

/// Reads what scores need of a climatology.
class ClimatologyFieldsReader {
 public:
  /// `score`: with the channels whose mean is taken where the climatology has it, and the quantiles. The
  /// store must outlive this.
  ClimatologyFieldsReader(ClimatologyStore& store, const eval::ScoreOptions& score,
                          std::shared_ptr<const LatLonGrid> grid);

  /// At the day of year and the hour of `valid`. One call at a time. Errors: those of the store.
  eval::ClimatologyFields read(Time valid);

 private:
  void append_gaussian(CalendarTime when, const Channel& channel, std::vector<double>& thresholds);

  ClimatologyStore& store_;
  eval::ThresholdOptions thresholds_;
  std::shared_ptr<const LatLonGrid> grid_;
  std::shared_ptr<const ChannelSet> channels_;  ///< with a mean
  std::vector<eval::SeepsClimate> seeps_;
};

}  // namespace mosaic
