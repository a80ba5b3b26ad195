#include "eval/precipitation_scores.hpp"

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "eval/climatology_output.hpp"

namespace mosaic::eval {
namespace {

std::vector<float> mean_dry_fraction(ClimatologyStore& climatology, const std::string& variable) {
  const std::size_t points = climatology.grid().points();
  const ChannelSet channel = {{variable + "_seeps_dry_fraction", std::nullopt}};
  const std::vector<int> hours = climatology.hours().empty() ? std::vector<int>{0} : climatology.hours();
  std::vector<double> sum(points, 0.0), count(points, 0.0);
  for (const int hour : hours) {
    for (const int day : climatology.days_of_year()) {
      const std::vector<float> field = climatology.read(day, hour, channel, ClimatologyPart::mean);
      for (std::size_t i = 0; i < points; ++i) {
        sum[i] += std::isnan(field[i]) ? 0.0 : field[i];
        count[i] += std::isnan(field[i]) ? 0.0 : 1.0;
      }
    }
  }
  std::vector<float> mean(points);
  for (std::size_t i = 0; i < points; ++i) {
    mean[i] =
        count[i] > 0.0 ? static_cast<float>(sum[i] / count[i]) : std::numeric_limits<float>::quiet_NaN();
  }
  return mean;
}

std::vector<float> mean_of(std::span<const float* const> members, std::size_t points) {
  std::vector<float> mean(points);
  for (std::size_t i = 0; i < points; ++i) {
    double sum = 0.0;
    for (const float* member : members) {
      sum += member[i];
    }
    mean[i] = static_cast<float>(sum / static_cast<double>(members.size()));
  }
  return mean;
}

}  // namespace

SeepsClimate::SeepsClimate(ClimatologyStore& climatology, const std::string& variable)
    : climatology_(climatology), variable_(variable) {
  const auto threshold = eval::dry_threshold(variable);
  require(threshold.has_value(), ExitCode::missing_input,
          "SEEPS of {} is not defined; it is for total_precipitation_24hr and total_precipitation_6hr",
          variable);
  dry_threshold_ = *threshold;
  dry_fraction_ = std::make_shared<const std::vector<float>>(mean_dry_fraction(climatology, variable));
}

SeepsFields SeepsClimate::at(Time valid_time) const {
  const CalendarTime when = calendar(valid_time);
  return {dry_threshold_, dry_fraction_,
          climatology_.read(when.day_of_year, when.hour, {{variable_ + "_seeps_threshold", std::nullopt}},
                            ClimatologyPart::mean)};
}

SeepsScores score_seeps(std::span<const float* const> members, const float* truth, const SeepsFields& climate,
                        const LatLonGrid& grid, std::span<const kernels::AreaMask> areas,
                        kernels::SeepsVariant variant, int threads) {
  const std::size_t points = grid.points();
  require(!members.empty() && climate.dry_fraction->size() == points,
          "SEEPS of {} members on {} points with a climatology of {} points", members.size(), points,
          climate.dry_fraction->size());
  const std::vector<float> mean = mean_of(members, points);
  std::vector<const float*> forecasts(members.begin(), members.end());
  forecasts.push_back(mean.data());
  std::vector<double> scores(areas.size() * forecasts.size());
  kernels::seeps({.forecasts = forecasts,
                  .truth = truth,
                  .wet_threshold = climate.wet_threshold.data(),
                  .dry_fraction = climate.dry_fraction->data(),
                  .dry_threshold = climate.dry_threshold,
                  .latitudes = grid.latitude.size(),
                  .longitudes = grid.longitude.size(),
                  .areas = areas,
                  .scores = scores,
                  .variant = variant,
                  .threads = threads});
  SeepsScores result;
  for (std::size_t r = 0; r < areas.size(); ++r) {
    const auto row = scores.begin() + static_cast<std::ptrdiff_t>(r * forecasts.size());
    result.members.insert(result.members.end(), row, row + static_cast<std::ptrdiff_t>(members.size()));
    result.ensemble_mean.push_back(row[static_cast<std::ptrdiff_t>(members.size())]);
  }
  return result;
}

}  // namespace mosaic::eval
