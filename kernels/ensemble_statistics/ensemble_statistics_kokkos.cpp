#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "kernels/kokkos_session.hpp"

// A latitude row is the tile: its members (24 x 240 floats) stay in the first-level cache while they are
// sorted, and a row is what the area weights need.

namespace mosaic::kernels {
namespace {

using Comparator = std::pair<std::size_t, std::size_t>;

/// Batcher's odd-even merge sort for any number of inputs: each pair is put into ascending order in turn.
/// The same exchanges serve all points of a row, so that they run in vector registers.
std::vector<Comparator> sorting_network(std::size_t inputs) {
  std::vector<Comparator> network;
  for (std::size_t p = 1; p < inputs; p *= 2) {
    for (std::size_t k = p; k >= 1; k /= 2) {
      for (std::size_t j = k % p; j + k < inputs; j += 2 * k) {
        for (std::size_t i = j; i < std::min(j + k, inputs - k); ++i) {
          if (i / (2 * p) == (i + k) / (2 * p)) {
            network.emplace_back(i, i + k);
          }
        }
      }
    }
  }
  return network;
}

/// The statistics of one row of points and the room they need; one per row, so that rows are independent.
class RowStatistics {
 public:
  RowStatistics(const EnsembleStatisticsArgs& args, const std::vector<Comparator>& network)
      : args_(args),
        network_(network),
        width_(args.longitudes),
        m_(static_cast<double>(args.members.size())),
        sorted_(args.members.size() * args.longitudes),
        mean_(args.longitudes),
        values_(statistic_count * args.longitudes) {}

  void compute(std::size_t row) {
    const float* truth = args_.truth + row * width_;
    std::fill(mean_.begin(), mean_.end(), 0.0);
    std::fill(values_.begin(), values_.end(), 0.0);
    for (std::size_t m = 0; m < args_.members.size(); ++m) {
      add_errors(args_.members[m] + row * width_, truth, sorted_.data() + m * width_);
    }
    divide_by_members(truth);
    if (args_.members.size() > 1) {
      add_variance(row);
      add_spread();
    }
  }

  /// Sum of every statistic over the chosen columns, west to east.
  Statistics sum(const std::vector<std::uint8_t>& columns) const {
    Statistics sums{};
    for (std::size_t s = 0; s < statistic_count; ++s) {
      const double* values = values_.data() + s * width_;
      for (std::size_t i = 0; i < width_; ++i) {
        sums[s] += columns[i] != 0 ? values[i] : 0.0;
      }
    }
    return sums;
  }

 private:
  double* values(Statistic which) { return values_.data() + static_cast<std::size_t>(which) * width_; }

  /// Adds one member to the sums and copies it for sorting.
  void add_errors(const float* member, const float* truth, float* copy) {
    double* squared = values(Statistic::squared_error);
    double* error = values(Statistic::error);
    double* absolute = values(Statistic::absolute_error);
    for (std::size_t i = 0; i < width_; ++i) {
      const double difference = static_cast<double>(member[i]) - truth[i];
      mean_[i] += member[i];
      squared[i] += difference * difference;
      error[i] += difference;
      absolute[i] += std::abs(difference);
      copy[i] = member[i];
    }
  }

  void divide_by_members(const float* truth) {
    for (const Statistic which : {Statistic::squared_error, Statistic::error, Statistic::absolute_error}) {
      double* sums = values(which);
      for (std::size_t i = 0; i < width_; ++i) {
        sums[i] /= m_;
      }
    }
    double* mean_error = values(Statistic::ensemble_mean_squared_error);
    for (std::size_t i = 0; i < width_; ++i) {
      mean_[i] /= m_;
      mean_error[i] = (truth[i] - mean_[i]) * (truth[i] - mean_[i]);
    }
  }

  void add_variance(std::size_t row) {
    double* variance = values(Statistic::variance);
    for (const float* field : args_.members) {
      const float* member = field + row * width_;
      for (std::size_t i = 0; i < width_; ++i) {
        variance[i] += (member[i] - mean_[i]) * (member[i] - mean_[i]) / (m_ - 1.0);
      }
    }
  }

  void add_spread() {
    for (const auto& [low, high] : network_) {
      float* a = sorted_.data() + low * width_;
      float* b = sorted_.data() + high * width_;
      for (std::size_t i = 0; i < width_; ++i) {
        const float smaller = b[i] < a[i] ? b[i] : a[i];
        const float larger = b[i] < a[i] ? a[i] : b[i];
        a[i] = smaller;
        b[i] = larger;
      }
    }
    double* spread = values(Statistic::spread);
    for (std::size_t r = 0; r < args_.members.size(); ++r) {
      const double factor = 2.0 * (2.0 * static_cast<double>(r + 1) - m_ - 1.0) / (m_ * (m_ - 1.0));
      const float* ranked = sorted_.data() + r * width_;
      for (std::size_t i = 0; i < width_; ++i) {
        // An odd M gives its middle member the factor 0, which must not turn an infinity into NaN; a NaN
        // member reaches the result through its neighbours' differences or through this product.
        spread[i] += factor == 0.0 && !std::isnan(ranked[i]) ? 0.0 : factor * ranked[i];
      }
    }
  }

  const EnsembleStatisticsArgs& args_;
  const std::vector<Comparator>& network_;
  std::size_t width_;
  double m_;
  std::vector<float> sorted_;   // [M, lon]
  std::vector<double> mean_;    // [lon]
  std::vector<double> values_;  // [statistic, lon]
};

}  // namespace

void ensemble_statistics_kokkos(const EnsembleStatisticsArgs& args) {
  ensure_kokkos(args.threads);
  const std::vector<Comparator> network = sorting_network(args.members.size());
  const std::size_t regions = args.areas.size();
  std::vector<Statistics> row_sums(args.latitudes * regions, Statistics{});  // [lat, area]
  const auto one_row = [&](int index) {
    const auto row = static_cast<std::size_t>(index);
    RowStatistics statistics(args, network);
    statistics.compute(row);
    for (std::size_t r = 0; r < regions; ++r) {
      if (args.areas[r].row_weight[row] > 0.0) {
        row_sums[row * regions + r] = statistics.sum(args.areas[r].columns);
      }
    }
  };
  using Rows = Kokkos::RangePolicy<Kokkos::DefaultHostExecutionSpace>;
  Kokkos::parallel_for("ensemble_statistics", Rows(0, static_cast<int>(args.latitudes)), one_row);
  Kokkos::fence();

  for (std::size_t r = 0; r < regions; ++r) {
    const AreaMask& area = args.areas[r];
    const auto columns = static_cast<double>(std::count(area.columns.begin(), area.columns.end(), 1));
    const double weight = columns * std::accumulate(area.row_weight.begin(), area.row_weight.end(), 0.0);
    Statistics sums{};
    for (std::size_t j = 0; j < args.latitudes; ++j) {
      for (std::size_t s = 0; s < statistic_count; ++s) {
        sums[s] += area.row_weight[j] > 0.0 ? area.row_weight[j] * row_sums[j * regions + r][s] : 0.0;
      }
    }
    for (double& sum : sums) {
      sum /= weight;
    }
    args.means[r] = sums;
  }
}

}  // namespace mosaic::kernels
