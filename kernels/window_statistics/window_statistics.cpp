#include "kernels/window_statistics/window_statistics.hpp"

#include <cmath>
#include <cstdint>

#include "base/error.hpp"

namespace mosaic::kernels {
namespace {

void require_room(const WindowStatisticsArgs& args, std::span<const float> output, std::size_t fields,
                  const char* what) {
  require(output.empty() || output.size() == fields * args.days * args.points,
          "room for {} values of the {}; {} x {} days x {} points are made", output.size(), what, fields,
          args.days, args.points);
}

}  // namespace

std::vector<double> triangular_weights(std::size_t window) {
  require(window % 2 == 1, "a window of {} days has no middle", window);
  if (window == 1) {
    return {1.0};
  }
  // The mean of 0 ... half ... 0 is half^2 / window.
  const auto half = static_cast<double>(window / 2);
  std::vector<double> weights(window);
  for (std::size_t k = 0; k < window; ++k) {
    weights[k] =
        (half - std::fabs(static_cast<double>(k) - half)) * static_cast<double>(window) / half / half;
  }
  return weights;
}

void window_statistics(const WindowStatisticsArgs& args, WindowStatisticsBackend backend) {
  require(args.years > 0 && args.days > 0 && args.points > 0 &&
              args.values.size() == args.years * args.days * args.points,
          "{} values are not {} years x {} days x {} points", args.values.size(), args.years, args.days,
          args.points);
  require(args.window % 2 == 1 && args.window <= args.days,
          "a window of {} days is even or longer than the {} days of a year", args.window, args.days);
  require(args.days <= UINT16_MAX && args.years * args.days <= UINT32_MAX, "{} years of {} days are too many",
          args.years, args.days);
  for (const double q : args.probabilities) {
    require(q >= 0.0 && q <= 1.0, "probability {} is outside 0 ... 1", q);
  }
  require_room(args, args.mean, 1, "mean");
  require_room(args, args.deviation, 1, "deviation");
  require_room(args, args.quantiles, args.probabilities.size(), "quantiles");
  require_room(args, args.dry_fraction, 1, "dry fraction");
  require_room(args, args.wet_quantile, 1, "wet quantile");
  require(args.dry_below.has_value() || (args.dry_fraction.empty() && args.wet_quantile.empty()),
          "dry fraction and wet quantile need dry_below");
  switch (backend) {
    case WindowStatisticsBackend::reference:
      return window_statistics_reference(args);
    case WindowStatisticsBackend::cpu:
      return window_statistics_cpu(args);
  }
}

}  // namespace mosaic::kernels
