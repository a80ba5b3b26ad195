#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/area_sums.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "kernels/ensemble_statistics/point_statistics.hpp"
#include "kernels/ensemble_statistics/row_statistics.hpp"
#include "kernels/kokkos_session.hpp"

// A latitude row is the tile: its members (24 x 240 floats) are read once and stay in the first-level cache,
// and a row is what the area weights need.

namespace mosaic::kernels {
namespace {

/// Sums of every statistic over areas: statistics, weight of the cells, then for each member sums of squared
/// errors, of squared steps, and the weights of both.
class StatisticSums {
 public:
  explicit StatisticSums(const EnsembleStatisticsArgs& args)
      : missing_(args.missing),
        members_(args.energy ? args.members.size() : 0),
        ones_(args.longitudes, 1.0),
        sums_(args.areas, args.latitudes, args.longitudes, statistic_count + 1 + 4 * members_) {}

  void add_row(std::size_t row, const RowStatistics& statistics) {
    for (std::size_t s = 0; s < statistic_count; ++s) {
      if (is_area_mean(static_cast<Statistic>(s))) {
        sums_.set(row, s, statistics.values(static_cast<Statistic>(s)));
      }
    }
    sums_.set(row, statistic_count, ones_.data());
    for (std::size_t m = 0; m < members_; ++m) {
      add_squares(row, m, 0, statistics.squared_errors(m));
      if (m + 1 < members_) {
        add_squares(row, m, 1, statistics.squared_steps(m));
      }
    }
  }

  Statistics means(std::size_t area) const {
    const std::vector<double> sums = sums_.totals(area);
    Statistics result{};
    for (std::size_t s = 0; s < statistic_count; ++s) {
      const auto which = static_cast<Statistic>(s);
      const auto weight = static_cast<std::size_t>(weight_of(which));
      result[s] = sums[s] / (weight == s ? sums[statistic_count] : sums[weight]);
    }
    at(result, Statistic::energy_skill) = mean_norm(sums, 0, members_);
    at(result, Statistic::energy_spread) = mean_norm(sums, 1, members_ > 0 ? members_ - 1 : 0);
    return result;
  }

 private:
  void add_squares(std::size_t row, std::size_t member, std::size_t kind, const double* squares) {
    const std::size_t column = statistic_count + 1 + 4 * member + kind;
    const bool skip = missing_ == MissingValues::skip &&
                      std::any_of(squares, squares + ones_.size(), [](double v) { return std::isnan(v); });
    if (!skip) {
      sums_.set(row, column, squares);
      sums_.set(row, column + 2, ones_.data());
      return;
    }
    std::vector<double> values(ones_.size());
    std::vector<double> there(ones_.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      there[i] = std::isnan(squares[i]) ? 0.0 : 1.0;
      values[i] = std::isnan(squares[i]) ? 0.0 : squares[i];
    }
    sums_.set(row, column, values.data());
    sums_.set(row, column + 2, there.data());
  }

  double mean_norm(const std::vector<double>& sums, std::size_t kind, std::size_t count) const {
    double total = 0.0;
    for (std::size_t m = 0; m < count; ++m) {
      const double* of_member = sums.data() + statistic_count + 1 + 4 * m;
      total += std::sqrt(of_member[kind] / of_member[kind + 2]);
    }
    return count == 0 ? 0.0 : total / static_cast<double>(count);
  }

  MissingValues missing_;
  std::size_t members_;  // of which squares are summed: none without energy
  std::vector<double> ones_;
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

}  // namespace

void ensemble_statistics_kokkos(const EnsembleStatisticsArgs& args) {
  ensure_kokkos(args.threads);
  const RowPlan plan(args);
  StatisticSums sums(args);
  std::vector<double> row_ranks(args.latitudes * args.ranks.size(), 0.0);
  const auto one_row = [&](int index) {
    const auto row = static_cast<std::size_t>(index);
    RowStatistics statistics(plan);
    statistics.compute(row, std::span(row_ranks).subspan(row * args.ranks.size(), args.ranks.size()));
    sums.add_row(row, statistics);
    write_maps(args, row, statistics);
  };
  using Rows = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  Kokkos::parallel_for("ensemble_statistics", Rows(0, static_cast<int>(args.latitudes)), one_row);
  Kokkos::fence();

  for (std::size_t r = 0; r < args.areas.size(); ++r) {
    args.means[r] = sums.means(r);
  }
  std::fill(args.ranks.begin(), args.ranks.end(), 0.0);
  for (std::size_t k = 0; k < row_ranks.size(); ++k) {
    args.ranks[k % args.ranks.size()] += row_ranks[k];
  }
}

}  // namespace mosaic::kernels
