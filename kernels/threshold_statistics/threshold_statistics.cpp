#include "kernels/threshold_statistics/threshold_statistics.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

void threshold_statistics(const ThresholdStatisticsArgs& args, ThresholdStatisticsBackend backend) {
  require(!args.members.empty() && args.truth != nullptr && args.points() > 0,
          "threshold statistics need members, a truth and a grid; got {} members, {} x {} points",
          args.members.size(), args.latitudes, args.longitudes);
  require(!args.thresholds.empty() && args.thresholds.size() % args.points() == 0,
          "{} values of thresholds for a grid of {} x {}", args.thresholds.size(), args.latitudes,
          args.longitudes);
  const std::size_t thresholds = args.threshold_count();
  require(args.areas.size() * thresholds == args.means.size(),
          "{} areas, {} thresholds, but room for {} means", args.areas.size(), thresholds, args.means.size());
  require_fit(args.areas, args.latitudes, args.longitudes);
  const std::size_t counts = 2 * thresholds * (args.members.size() + 1);
  require(
      args.reliability.empty() ||
          (args.reliability.size() == counts && args.row_weight.size() == args.latitudes),
      "room for {} reliability counts and {} row weights; {} thresholds, {} members and {} latitudes need "
      "{} and {}",
      args.reliability.size(), args.row_weight.size(), thresholds, args.members.size(), args.latitudes,
      counts, args.latitudes);
  switch (backend) {
    case ThresholdStatisticsBackend::reference:
      return threshold_statistics_reference(args);
    case ThresholdStatisticsBackend::kokkos:
      return threshold_statistics_kokkos(args);
  }
}

}  // namespace mosaic::kernels
