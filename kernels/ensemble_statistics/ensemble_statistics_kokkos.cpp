#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/area_sums.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "kernels/ensemble_statistics/point_statistics.hpp"
#include "kernels/ensemble_statistics/row_statistics.hpp"
#include "kernels/kokkos_session.hpp"

// A latitude row is read at once: its members (24 x 240 floats) stay in the first-level cache, and a row is
// what the area weights need. Every thread gets rows next to each other and makes its room once.

namespace mosaic::kernels {
namespace {

constexpr bool is_weight(Statistic which) {
  return which == Statistic::error_weight || which == Statistic::ensemble_weight;
}

/// Sums of every statistic over areas: statistics, weight of the cells, then for each member sums of squared
/// errors and of squared steps to the next member, and where values may be left out the weights of both.
class StatisticSums {
 public:
  explicit StatisticSums(const EnsembleStatisticsArgs& args)
      : args_(args),
        skip_(args.missing == MissingValues::skip),
        members_(args.energy ? args.members.size() : 0),
        per_member_(skip_ ? 4 : 2),
        sums_(args.areas, args.latitudes, args.longitudes, whole + 1 + per_member_ * members_) {}

  void add_row(std::size_t row, const RowStatistics& statistics) {
    const bool gaps = statistics.has_gaps();
    for (std::size_t s = 0; s < statistic_count; ++s) {
      const auto which = static_cast<Statistic>(s);
      if (is_area_mean(which) && (gaps || !is_weight(which))) {
        sums_.add(row, s, statistics.values(which));
      } else if (is_weight(which) && skip_) {
        sums_.add_ones(row, s);
      }
    }
    sums_.add_ones(row, whole);
    const std::size_t offset = row * args_.longitudes;
    for (std::size_t m = 0; m < members_; ++m) {
      const float* member = args_.members[m] + offset;
      add_squares(row, column(m, 0), member, args_.truth + offset, gaps);
      if (m + 1 < members_) {
        add_squares(row, column(m, 1), member, args_.members[m + 1] + offset, gaps);
      }
    }
  }

  Statistics means(std::size_t area) const {
    const std::vector<double> sums = sums_.totals(area);
    Statistics result{};
    for (std::size_t s = 0; s < statistic_count; ++s) {
      const auto which = static_cast<Statistic>(s);
      const auto weight = static_cast<std::size_t>(weight_of(which));
      const double sum = is_weight(which) && !skip_ ? sums[whole] : sums[s];
      result[s] = sum / sums[is_weight(which) || !skip_ ? whole : weight];
    }
    at(result, Statistic::energy_skill) = mean_norm(sums, 0, members_);
    at(result, Statistic::energy_spread) = mean_norm(sums, 1, members_ > 0 ? members_ - 1 : 0);
    return result;
  }

 private:
  static constexpr std::size_t whole = statistic_count;  // weight of the cells

  std::size_t column(std::size_t member, std::size_t kind) const {
    return whole + 1 + per_member_ * member + kind;
  }

  /// (a - b)^2 in a row; in one with gaps only where both are there.
  void add_squares(std::size_t row, std::size_t column, const float* a, const float* b, bool gaps) {
    if (!gaps) {
      sums_.add_squared_differences(row, column, a, b);
      if (skip_) {
        sums_.add_ones(row, column + 2);
      }
      return;
    }
    std::vector<double> values(args_.longitudes, 0.0);
    std::vector<double> there(args_.longitudes, 0.0);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double difference = static_cast<double>(a[i]) - b[i];
      if (!std::isnan(difference)) {
        values[i] = difference * difference;
        there[i] = 1.0;
      }
    }
    sums_.add(row, column, values.data());
    sums_.add(row, column + 2, there.data());
  }

  double mean_norm(const std::vector<double>& sums, std::size_t kind, std::size_t count) const {
    double total = 0.0;
    for (std::size_t m = 0; m < count; ++m) {
      total += std::sqrt(sums[column(m, kind)] / sums[skip_ ? column(m, kind + 2) : whole]);
    }
    return count == 0 ? 0.0 : total / static_cast<double>(count);
  }

  const EnsembleStatisticsArgs& args_;
  bool skip_;
  std::size_t members_;     // of which squares are summed: none without energy
  std::size_t per_member_;  // sums
  AreaSums sums_;
};

void write_maps(const EnsembleStatisticsArgs& args, std::size_t row, const RowStatistics& statistics) {
  for (std::size_t s = 0; s < map_statistic_count && !args.maps.empty(); ++s) {
    const auto which = static_cast<Statistic>(s);
    const double* values = statistics.values(which);
    const double* weight = statistics.values(weight_of(which));
    double* map = &args.maps[(s * args.latitudes + row) * args.longitudes];
    for (std::size_t i = 0; i < args.longitudes; ++i) {
      map[i] = weight[i] > 0.0 ? values[i] : std::nan("");
    }
  }
}

/// Calls body(first, last) for as many ranges of tiles as there are threads.
template <class Body>
void for_each_tile(std::size_t tiles, const Body& body) {
  const auto threads = static_cast<std::size_t>(Kokkos::DefaultHostExecutionSpace().concurrency());
  const std::size_t parts = std::min(tiles, std::max<std::size_t>(threads, 1));
  const auto one_part = [&](int index) {
    const auto part = static_cast<std::size_t>(index);
    body(part * tiles / parts, (part + 1) * tiles / parts);
  };
  using Parts = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  Kokkos::parallel_for("ensemble_statistics", Parts(0, static_cast<int>(parts)), one_part);
  Kokkos::fence();
}

}  // namespace

void ensemble_statistics_kokkos(const EnsembleStatisticsArgs& args) {
  ensure_kokkos(args.threads);
  const RowPlan plan(args);
  StatisticSums sums(args);
  const std::size_t rank_numbers = args.ranks.size();
  const std::size_t tiles = AreaSums::tiles(args.latitudes);
  std::vector<double> ranks(tiles * rank_numbers, 0.0);  // [tile, 3, M + 1]
  for_each_tile(tiles, [&](std::size_t first, std::size_t last) {
    RowStatistics statistics(plan);
    for (std::size_t tile = first; tile < last; ++tile) {
      AreaSums::for_rows(tile, args.latitudes, [&](std::size_t row) {
        statistics.compute(row, std::span(ranks).subspan(tile * rank_numbers, rank_numbers));
        sums.add_row(row, statistics);
        write_maps(args, row, statistics);
      });
    }
  });
  for (std::size_t r = 0; r < args.areas.size(); ++r) {
    args.means[r] = sums.means(r);
  }
  std::fill(args.ranks.begin(), args.ranks.end(), 0.0);
  for (std::size_t k = 0; k < ranks.size(); ++k) {
    args.ranks[k % rank_numbers] += ranks[k];
  }
}

}  // namespace mosaic::kernels
