#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/ensemble_statistics/ensemble_statistics.hpp"
#include "kernels/ensemble_statistics/point_statistics.hpp"
#include "kernels/ensemble_statistics/row_statistics.hpp"
#include "kernels/instruction_sets.hpp"
#include "kernels/kokkos_session.hpp"

// A latitude row is the tile: its members (24 x 240 floats) are read once and stay in the first-level cache,
// and a row is what the area weights need. Areas with the same weights of cells share sums over segments of
// columns that no area divides: sixteen areas cost little more than one.

namespace mosaic::kernels {
namespace {

/// Areas with the same cell weights, and the columns cut where any of them begins or ends.
struct Layer {
  const std::vector<float>* cell_weight = nullptr;
  std::vector<std::size_t> areas;
  std::vector<std::size_t> bounds;              // [segments + 1]
  std::vector<std::vector<std::size_t>> parts;  // [areas of the layer] segments inside
};

std::vector<Layer> layers_of(const EnsembleStatisticsArgs& args) {
  std::vector<Layer> layers;
  for (std::size_t r = 0; r < args.areas.size(); ++r) {
    const auto* weight = args.areas[r].cell_weight.get();
    auto layer = std::find_if(layers.begin(), layers.end(),
                              [&](const Layer& candidate) { return candidate.cell_weight == weight; });
    if (layer == layers.end()) {
      layer = layers.insert(layers.end(), Layer{weight, {}, {}, {}});
    }
    layer->areas.push_back(r);
  }
  for (Layer& layer : layers) {
    layer.bounds.push_back(0);
    for (std::size_t i = 1; i <= args.longitudes; ++i) {
      if (i == args.longitudes || std::any_of(layer.areas.begin(), layer.areas.end(), [&](std::size_t r) {
            return args.areas[r].columns[i] != args.areas[r].columns[i - 1];
          })) {
        layer.bounds.push_back(i);
      }
    }
    for (const std::size_t r : layer.areas) {
      layer.parts.emplace_back();
      for (std::size_t s = 0; s + 1 < layer.bounds.size(); ++s) {
        if (args.areas[r].columns[layer.bounds[s]] != 0) {
          layer.parts.back().push_back(s);
        }
      }
    }
  }
  return layers;
}

/// Sums over the columns of every segment in eight lanes, whatever the instruction set; columns of weight 0
/// are not read into them.
MOSAIC_EACH_INSTRUCTION_SET
void sum_segments(const double* values, const float* weight, const std::size_t* bounds, std::size_t segments,
                  double* sums) {
  constexpr std::size_t lanes = 8;
  for (std::size_t s = 0; s < segments; ++s) {
    double lane[lanes] = {};
    std::size_t i = bounds[s];
    for (; i + lanes <= bounds[s + 1]; i += lanes) {
      for (std::size_t k = 0; k < lanes; ++k) {
        const double value = weight == nullptr ? values[i + k] : weight[i + k] * values[i + k];
        lane[k] += weight != nullptr && weight[i + k] <= 0.0F ? 0.0 : value;
      }
    }
    double sum = ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
    for (; i < bounds[s + 1]; ++i) {
      if (weight == nullptr || weight[i] > 0.0F) {
        sum += weight == nullptr ? values[i] : weight[i] * values[i];
      }
    }
    sums[s] = sum;
  }
}

/// Sums over rows and columns of everything, by area; a row's are kept until all rows are there.
class AreaSums {
 public:
  explicit AreaSums(const EnsembleStatisticsArgs& args)
      : args_(args),
        members_(args.energy ? args.members.size() : 0),
        columns_(statistic_count + 1 + 4 * members_),
        layers_(layers_of(args)),
        rows_(args.latitudes * args.areas.size() * columns_, 0.0) {}

  void add_row(std::size_t row, const RowStatistics& statistics) {
    for (const Layer& layer : layers_) {
      const bool inside = std::any_of(layer.areas.begin(), layer.areas.end(),
                                      [&](std::size_t r) { return args_.areas[r].row_weight[row] > 0.0; });
      if (inside) {
        add_layer(row, layer, statistics);
      }
    }
  }

  Statistics means(std::size_t area) const {
    std::vector<double> sums(columns_, 0.0);
    for (std::size_t j = 0; j < args_.latitudes; ++j) {
      const double weight = args_.areas[area].row_weight[j];
      const double* from = row_sums(j, area);
      for (std::size_t k = 0; k < columns_ && weight > 0.0; ++k) {
        sums[k] += weight * from[k];
      }
    }
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
  // Of a row and area: statistics, weight of the cells, then for each member sums of squared errors, of
  // squared steps, and the weights of both.
  const double* row_sums(std::size_t row, std::size_t area) const {
    return rows_.data() + (row * args_.areas.size() + area) * columns_;
  }

  void add_layer(std::size_t row, const Layer& layer, const RowStatistics& statistics) {
    for (std::size_t s = 0; s < statistic_count; ++s) {
      if (is_area_mean(static_cast<Statistic>(s))) {
        add_values(row, layer, s, statistics.values(static_cast<Statistic>(s)));
      }
    }
    const std::vector<double> ones(args_.longitudes, 1.0);
    add_values(row, layer, statistic_count, ones.data());
    for (std::size_t m = 0; m < members_; ++m) {
      add_squares(row, layer, m, 0, statistics.squared_errors(m), ones);
      if (m + 1 < members_) {
        add_squares(row, layer, m, 1, statistics.squared_steps(m), ones);
      }
    }
  }

  void add_squares(std::size_t row, const Layer& layer, std::size_t member, std::size_t kind,
                   const double* squares, const std::vector<double>& ones) {
    const std::size_t column = statistic_count + 1 + 4 * member + kind;
    const bool skip =
        args_.missing == MissingValues::skip &&
        std::any_of(squares, squares + args_.longitudes, [](double v) { return std::isnan(v); });
    if (!skip) {
      add_values(row, layer, column, squares);
      add_values(row, layer, column + 2, ones.data());
      return;
    }
    std::vector<double> values(args_.longitudes);
    std::vector<double> there(args_.longitudes);
    for (std::size_t i = 0; i < values.size(); ++i) {
      there[i] = std::isnan(squares[i]) ? 0.0 : 1.0;
      values[i] = std::isnan(squares[i]) ? 0.0 : squares[i];
    }
    add_values(row, layer, column, values.data());
    add_values(row, layer, column + 2, there.data());
  }

  void add_values(std::size_t row, const Layer& layer, std::size_t column, const double* values) {
    std::vector<double> sums(layer.bounds.size() - 1);
    const float* weight =
        layer.cell_weight == nullptr ? nullptr : layer.cell_weight->data() + row * args_.longitudes;
    sum_segments(values, weight, layer.bounds.data(), sums.size(), sums.data());
    for (std::size_t a = 0; a < layer.areas.size(); ++a) {
      double sum = 0.0;
      for (const std::size_t part : layer.parts[a]) {
        sum += sums[part];
      }
      rows_[(row * args_.areas.size() + layer.areas[a]) * columns_ + column] = sum;
    }
  }

  double mean_norm(const std::vector<double>& sums, std::size_t kind, std::size_t count) const {
    double total = 0.0;
    for (std::size_t m = 0; m < count; ++m) {
      const double* of_member = sums.data() + statistic_count + 1 + 4 * m;
      total += std::sqrt(of_member[kind] / of_member[kind + 2]);
    }
    return count == 0 ? 0.0 : total / static_cast<double>(count);
  }

  const EnsembleStatisticsArgs& args_;
  std::size_t members_;  // of which squares are summed: none without energy
  std::size_t columns_;
  std::vector<Layer> layers_;
  std::vector<double> rows_;  // [lat, area, columns_]
};

}  // namespace

void ensemble_statistics_kokkos(const EnsembleStatisticsArgs& args) {
  ensure_kokkos(args.threads);
  const RowPlan plan(args);
  AreaSums sums(args);
  std::vector<double> row_ranks(args.latitudes * args.ranks.size(), 0.0);
  const auto one_row = [&](int index) {
    const auto row = static_cast<std::size_t>(index);
    RowStatistics statistics(plan);
    statistics.compute(row, std::span(row_ranks).subspan(row * args.ranks.size(), args.ranks.size()));
    sums.add_row(row, statistics);
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
