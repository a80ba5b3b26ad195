#include <array>
#include <cmath>
#include <vector>

#include "base/parallel_for.hpp"
#include "kernels/area_sums.hpp"
#include "kernels/seeps/seeps.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::size_t no_category = seeps_categories;

bool is_scored(const SeepsArgs& args, std::size_t point) {
  const float p1 = args.dry_fraction[point];
  constexpr float lowest = 0.1F;
  constexpr float highest = 0.85F;
  const bool in_range = args.variant == SeepsVariant::corrected
                            ? p1 >= lowest && p1 <= highest && !std::isnan(args.wet_threshold[point])
                            : p1 > lowest && p1 < highest;
  return in_range && !std::isnan(args.truth[point]);
}

std::size_t category(float p, float d, float h, SeepsVariant variant) {
  const bool dry = variant == SeepsVariant::corrected ? p <= d : p < d;
  const bool light = p > d && p < h;
  const bool heavy = p >= h;
  return dry ? 0 : light ? 1 : heavy ? 2 : no_category;
}

/// The rows, one after another and side by side.
class Rows {
 public:
  explicit Rows(const SeepsArgs& args)
      : args_(args), sums_(args.areas, args.latitudes, args.longitudes, 2 * args.forecasts.size()) {}

  /// Costs and weights of every forecast in a row.
  void add(std::size_t row) {
    const std::size_t columns = args_.longitudes;
    const std::vector<Costs> costs = costs_of(row);
    std::vector<double> cost(columns), weight(columns);
    const auto d = static_cast<float>(args_.dry_threshold);
    for (std::size_t f = 0; f < args_.forecasts.size(); ++f) {
      const float* forecast = args_.forecasts[f] + row * columns;
      for (std::size_t i = 0; i < columns; ++i) {
        const bool scored = costs[i].scored && !std::isnan(forecast[i]);
        const float h = args_.wet_threshold[row * columns + i];
        cost[i] = scored ? costs[i].by_forecast[category(forecast[i], d, h, args_.variant)] : 0.0;
        weight[i] = scored ? 1.0 : 0.0;
      }
      sums_.add(row, 2 * f, cost.data());
      sums_.add(row, 2 * f + 1, weight.data());
    }
  }

  void write() const {
    for (std::size_t r = 0; r < args_.areas.size(); ++r) {
      const std::vector<double> sums = sums_.totals(r);
      for (std::size_t f = 0; f < args_.forecasts.size(); ++f) {
        args_.scores[r * args_.forecasts.size() + f] = sums[2 * f] / sums[2 * f + 1];
      }
    }
  }

 private:
  struct Costs {
    std::array<double, seeps_categories + 1> by_forecast{};  ///< the last for no category
    bool scored = false;
  };

  std::vector<Costs> costs_of(std::size_t row) const {
    std::vector<Costs> costs(args_.longitudes);
    const auto d = static_cast<float>(args_.dry_threshold);
    for (std::size_t i = 0; i < costs.size(); ++i) {
      const std::size_t point = row * args_.longitudes + i;
      costs[i].scored = is_scored(args_, point);
      const std::size_t truth = category(args_.truth[point], d, args_.wet_threshold[point], args_.variant);
      if (!costs[i].scored || truth == no_category) {
        continue;
      }
      const auto matrix = seeps_matrix(args_.dry_fraction[point]);
      for (std::size_t c = 0; c < seeps_categories; ++c) {
        costs[i].by_forecast[c] = matrix[c][truth];
      }
    }
    return costs;
  }

  const SeepsArgs& args_;
  AreaSums sums_;
};

}  // namespace

void seeps_cpu(const SeepsArgs& args) {
  Rows rows(args);
  parallel_for(AreaSums::tiles(args.latitudes), args.threads, [&](std::size_t tile) {
    AreaSums::for_rows(tile, args.latitudes, [&](std::size_t row) { rows.add(row); });
  });
  rows.write();
}

}  // namespace mosaic::kernels
