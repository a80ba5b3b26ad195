#include <cmath>
#include <vector>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "kernels/ensemble_statistics/point_statistics.hpp"

namespace mosaic::kernels {
namespace {

std::vector<float> members_at(const EnsembleStatisticsArgs& args, std::size_t point) {
  std::vector<float> values;
  for (const float* member : args.members) {
    values.push_back(member[point]);
  }
  return values;
}

/// sqrt(A[(a - b)^2]).
double area_norm(const EnsembleStatisticsArgs& args, const AreaMask& area, const float* a, const float* b) {
  double sum = 0.0;
  double weights = 0.0;
  for (std::size_t j = 0; j < args.latitudes; ++j) {
    for (std::size_t i = 0; i < args.longitudes; ++i) {
      const double weight = area.weight_at(j, i);
      const double difference = static_cast<double>(a[j * args.longitudes + i]) - b[j * args.longitudes + i];
      if (weight > 0.0 && (args.missing == MissingValues::propagate || !std::isnan(difference))) {
        sum += weight * difference * difference;
        weights += weight;
      }
    }
  }
  return std::sqrt(sum / weights);
}

void add_energy(const EnsembleStatisticsArgs& args, const AreaMask& area, Statistics& means) {
  const std::size_t count = args.members.size();
  for (std::size_t m = 0; m < count; ++m) {
    at(means, Statistic::energy_skill) +=
        area_norm(args, area, args.members[m], args.truth) / static_cast<double>(count);
    if (m + 1 < count) {
      at(means, Statistic::energy_spread) +=
          area_norm(args, area, args.members[m], args.members[m + 1]) / static_cast<double>(count - 1);
    }
  }
}

Statistics area_means(const EnsembleStatisticsArgs& args, const AreaMask& area) {
  Statistics sums{};
  double weights = 0.0;
  for (std::size_t j = 0; j < args.latitudes; ++j) {
    for (std::size_t i = 0; i < args.longitudes; ++i) {
      const double weight = area.weight_at(j, i);
      const std::size_t point = j * args.longitudes + i;
      const float* climatology = args.climatology == nullptr ? nullptr : args.climatology + point;
      if (weight <= 0.0) {
        continue;
      }
      const Statistics values =
          point_statistics(members_at(args, point), args.truth[point], climatology, args.missing);
      for (std::size_t s = 0; s < statistic_count; ++s) {
        sums[s] += at(values, weight_of(static_cast<Statistic>(s))) > 0.0 ? weight * values[s] : 0.0;
      }
      weights += weight;
    }
  }
  Statistics means{};
  for (std::size_t s = 0; s < statistic_count; ++s) {
    const auto which = static_cast<Statistic>(s);
    means[s] = sums[s] / (weight_of(which) == which ? weights : at(sums, weight_of(which)));
  }
  return means;
}

void write_maps(const EnsembleStatisticsArgs& args) {
  const std::size_t points = args.latitudes * args.longitudes;
  for (std::size_t point = 0; point < points; ++point) {
    const Statistics values =
        point_statistics(members_at(args, point), args.truth[point], nullptr, args.missing);
    for (std::size_t s = 0; s < map_statistic_count; ++s) {
      const bool there = at(values, weight_of(static_cast<Statistic>(s))) > 0.0;
      args.maps[s * points + point] = there ? values[s] : std::nan("");
    }
  }
}

}  // namespace

void ensemble_statistics_reference(const EnsembleStatisticsArgs& args) {
  for (std::size_t r = 0; r < args.areas.size(); ++r) {
    args.means[r] = area_means(args, args.areas[r]);
    at(args.means[r], Statistic::energy_skill) = 0.0;
    at(args.means[r], Statistic::energy_spread) = 0.0;
    if (args.energy) {
      add_energy(args, args.areas[r], args.means[r]);
    }
  }
  if (!args.maps.empty()) {
    write_maps(args);
  }
  for (double& count : args.ranks) {
    count = 0.0;
  }
  for (std::size_t point = 0; !args.ranks.empty() && point < args.latitudes * args.longitudes; ++point) {
    count_ranks(members_at(args, point), args.truth[point], args.missing, args.ranks);
  }
}

}  // namespace mosaic::kernels
