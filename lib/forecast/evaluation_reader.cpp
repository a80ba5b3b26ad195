#include "forecast/evaluation_reader.hpp"

#include <exception>
#include <filesystem>
#include <utility>

#include "base/error.hpp"
#include "base/standard_exceptions.hpp"
#include "base/stopwatch.hpp"
#include "forecast/score_channels.hpp"

namespace mosaic {

EvaluationReader::EvaluationReader(const EvaluationSetup& setup)
    : setup_(setup),
      channels_(std::make_shared<const ChannelSet>(scored_channels(setup.score))),
      forecast_channels_(channels_of_forecast(setup)),
      truth_channels_(channels_of_truth(setup)) {
  if (setup.climatology != nullptr) {
    climatology_.emplace(*setup.climatology, setup.score, setup.grid);
  }
}

void EvaluationReader::request(Time initial_time, std::size_t lead) {
  require(!pending(), "the fields of another lead time are still being read");
  fields_ = std::async(std::launch::async, [this, initial_time, lead] { return read(initial_time, lead); });
}

LeadFields EvaluationReader::take() {
  require(pending(), "no fields were requested");
  try {
    return fields_.get();
  } catch (const std::filesystem::filesystem_error& problem) {
    throw as_error(problem);
  }
}

void EvaluationReader::drop() {
  if (pending()) {
    fields_.wait();
    fields_ = {};
  }
}

LeadFields EvaluationReader::read(Time initial_time, std::size_t lead) {
  const Stopwatch watch(seconds_);
  const Duration after = setup_.leads[lead];
  const Time valid = initial_time + after;
  LeadFields fields;
  fields.forecast =
      forecast_channels_.complete(setup_.forecast->read(initial_time, after, forecast_channels_.to_read()),
                                  static_cast<std::size_t>(setup_.forecast->members()));
  State truth = setup_.truth->read(valid, std::make_shared<const ChannelSet>(truth_channels_.to_read()));
  fields.truth = {valid, setup_.grid, channels_, truth_channels_.complete(std::move(truth.values), 1)};
  if (climatology_) {
    fields.climatology = climatology_->read(valid);
  }
  return fields;
}

std::size_t bytes_of_fields(const EvaluationSetup& setup) {
  const auto members = static_cast<std::size_t>(setup.forecast->members());
  const DerivedChannels forecast = channels_of_forecast(setup);
  std::size_t lead = scored_channels(setup.score).size() * (members + 1) * sizeof(float);
  if (setup.climatology != nullptr) {
    const eval::ThresholdOptions& thresholds = setup.score.thresholds;
    lead += setup.score.channels.size() * sizeof(float) +
            thresholds.channels.size() * thresholds.quantiles.size() * sizeof(double);
  }
  const std::size_t sources = forecast.derives() ? forecast.to_read().size() * members * sizeof(float) : 0;
  return (2 * lead + sources) * setup.grid->points();
}

}  // namespace mosaic
