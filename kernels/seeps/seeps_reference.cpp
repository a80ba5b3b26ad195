#include <cmath>
#include <optional>

#include "kernels/seeps/seeps.hpp"

namespace mosaic::kernels {
namespace {

/// 0 dry, 1 light, 2 heavy; nothing if it is in no category.
std::optional<std::size_t> category(double p, double d, double h, SeepsVariant variant) {
  if (variant == SeepsVariant::corrected ? p <= d : p < d) {
    return 0;
  }
  if (p > d && p < h) {
    return 1;
  }
  return p >= h ? std::optional<std::size_t>(2) : std::nullopt;
}

/// The cost at a point; nothing where it is left out.
std::optional<double> cost(const SeepsArgs& args, const float* forecast, std::size_t point) {
  const double p1 = args.dry_fraction[point];
  const double h = args.wet_threshold[point];
  const bool in_range = args.variant == SeepsVariant::corrected ? p1 >= 0.1F && p1 <= 0.85F && !std::isnan(h)
                                                                : p1 > 0.1F && p1 < 0.85F;
  if (!in_range || std::isnan(forecast[point]) || std::isnan(args.truth[point])) {
    return std::nullopt;
  }
  const double d = static_cast<float>(args.dry_threshold);
  const auto of_forecast = category(forecast[point], d, h, args.variant);
  const auto of_truth = category(args.truth[point], d, h, args.variant);
  return of_forecast && of_truth ? seeps_matrix(p1)[*of_forecast][*of_truth] : 0.0;
}

}  // namespace

void seeps_reference(const SeepsArgs& args) {
  for (std::size_t r = 0; r < args.areas.size(); ++r) {
    for (std::size_t f = 0; f < args.forecasts.size(); ++f) {
      double sum = 0.0;
      double weights = 0.0;
      for (std::size_t j = 0; j < args.latitudes; ++j) {
        for (std::size_t i = 0; i < args.longitudes; ++i) {
          const double weight = args.areas[r].weight_at(j, i);
          const auto value = cost(args, args.forecasts[f], j * args.longitudes + i);
          if (weight > 0.0 && value) {
            sum += weight * *value;
            weights += weight;
          }
        }
      }
      args.scores[r * args.forecasts.size() + f] = sum / weights;
    }
  }
}

}  // namespace mosaic::kernels
