#include "kernels/ensemble_statistics/ensemble_statistics.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

void ensemble_statistics(const EnsembleStatisticsArgs& args, EnsembleStatisticsBackend backend) {
  require(!args.members.empty() && args.truth != nullptr && args.latitudes > 0 && args.longitudes > 0,
          "ensemble statistics need members, a truth and a grid; got {} members, {} x {} points",
          args.members.size(), args.latitudes, args.longitudes);
  require(args.areas.size() == args.means.size(), "{} areas but room for {} means", args.areas.size(),
          args.means.size());
  require_fit(args.areas, args.latitudes, args.longitudes);
  require(args.ranks.empty() || args.ranks.size() == rank_count_kinds * (args.members.size() + 1),
          "room for {} rank counts, {} members need {}", args.ranks.size(), args.members.size(),
          rank_count_kinds * (args.members.size() + 1));
  const std::size_t map_numbers = map_statistic_count * args.latitudes * args.longitudes;
  require(args.maps.empty() || args.maps.size() == map_numbers, "room for {} numbers of maps instead of {}",
          args.maps.size(), map_numbers);
  switch (backend) {
    case EnsembleStatisticsBackend::reference:
      return ensemble_statistics_reference(args);
    case EnsembleStatisticsBackend::kokkos:
      return ensemble_statistics_kokkos(args);
  }
}

}  // namespace mosaic::kernels
