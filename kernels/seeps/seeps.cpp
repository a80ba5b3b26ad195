#include "kernels/seeps/seeps.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

std::array<std::array<double, seeps_categories>, seeps_categories> seeps_matrix(double p1) {
  const double wet = 1.0 - p1;
  return {{{0.0, 0.5 / wet, 2.0 / wet},
           {0.5 / p1, 0.0, 1.5 / wet},
           {0.5 / p1 + 1.5 / (2.0 + p1), 1.5 / (2.0 + p1), 0.0}}};
}

void seeps(const SeepsArgs& args, SeepsBackend backend) {
  require(
      !args.forecasts.empty() && args.truth != nullptr && args.wet_threshold != nullptr &&
          args.dry_fraction != nullptr && args.points() > 0,
      "SEEPS needs forecasts, a truth, wet thresholds, dry fractions and a grid; got {} forecasts, {} x {} "
      "points",
      args.forecasts.size(), args.latitudes, args.longitudes);
  require(args.areas.size() * args.forecasts.size() == args.scores.size(),
          "{} areas and {} forecasts, but room for {} scores", args.areas.size(), args.forecasts.size(),
          args.scores.size());
  require_fit(args.areas, args.latitudes, args.longitudes);
  switch (backend) {
    case SeepsBackend::reference:
      return seeps_reference(args);
    case SeepsBackend::cpu:
      return seeps_cpu(args);
  }
}

}  // namespace mosaic::kernels
