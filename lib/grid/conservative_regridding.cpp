#include "grid/conservative_regridding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "base/error.hpp"
#include "base/parallel_for.hpp"

namespace mosaic {
namespace {

constexpr double coverage_tolerance = 1e-3;
constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// [lower, upper) of a cell.
using Cell = std::pair<double, double>;

void require_ascending(const std::vector<double>& values, double lower, double upper, const char* what) {
  require(!values.empty(), "regridding with no {}", what);
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(values[i] >= lower && values[i] <= upper && (i == 0 || values[i] > values[i - 1]),
            "regridding needs {} that ascend within {} ... {}; number {} is {}", what, lower, upper, i,
            values[i]);
  }
}

/// Cells between midpoints, from `first` to `last`.
std::vector<Cell> cells_between(const std::vector<double>& centres, double first, double last) {
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < centres.size(); ++i) {
    cells.emplace_back(i == 0 ? first : cells.back().second,
                       i + 1 == centres.size() ? last : 0.5 * (centres[i] + centres[i + 1]));
  }
  return cells;
}

/// Cells of latitudes by the sines of their edges.
std::vector<Cell> latitude_cells(const std::vector<double>& latitude) {
  require_ascending(latitude, -90.0, 90.0, "latitudes");
  const std::size_t n = latitude.size();
  const auto end = [&](double outer, double inner, double pole) {
    const double spacing = std::abs(outer - inner);
    const bool reaches = n == 1 || std::abs(pole - outer) <= spacing * (1.0 + 1e-6);
    return reaches ? pole : outer + 0.5 * (outer - inner);
  };
  std::vector<Cell> cells = cells_between(latitude, end(latitude[0], latitude[n > 1 ? 1 : 0], -90.0),
                                          end(latitude[n - 1], latitude[n > 1 ? n - 2 : 0], 90.0));
  const auto sine = [](double degrees) {
    return std::abs(degrees) == 90.0 ? degrees / 90.0 : std::sin(degrees * std::numbers::pi / 180.0);
  };
  for (Cell& cell : cells) {
    cell = {sine(cell.first), sine(cell.second)};
  }
  return cells;
}

std::vector<Cell> longitude_cells(const std::vector<double>& longitude) {
  require_ascending(longitude, 0.0, std::nextafter(360.0, 0.0), "longitudes");
  const std::size_t n = longitude.size();
  const double gap = longitude[0] + 360.0 - longitude[n - 1];
  const double first_spacing = n > 1 ? longitude[1] - longitude[0] : 360.0;
  const double last_spacing = n > 1 ? longitude[n - 1] - longitude[n - 2] : 360.0;
  const bool periodic = gap <= 1.5 * std::max(first_spacing, last_spacing);
  return cells_between(longitude, longitude[0] - 0.5 * (periodic ? gap : first_spacing),
                       longitude[n - 1] + 0.5 * (periodic ? gap : last_spacing));
}

double overlap(const Cell& a, const Cell& b) {
  return std::max(0.0, std::min(a.second, b.second) - std::max(a.first, b.first));
}

/// Weights by the overlap of cells that repeat after each of `shifts`.
std::vector<OverlapWeights> overlaps(const std::vector<Cell>& source, const std::vector<Cell>& target,
                                     std::initializer_list<double> shifts) {
  std::vector<OverlapWeights> result(target.size());
  for (std::size_t t = 0; t < target.size(); ++t) {
    double sum = 0.0;
    for (std::size_t s = 0; s < source.size(); ++s) {
      double shared = 0.0;
      for (const double shift : shifts) {
        shared += overlap(target[t], {source[s].first + shift, source[s].second + shift});
      }
      // Edges that agree but for rounding share nothing.
      if (shared > 1e-12 * (target[t].second - target[t].first)) {
        result[t].emplace_back(s, shared);
        sum += shared;
      }
    }
    if (sum < (1.0 - coverage_tolerance) * (target[t].second - target[t].first)) {
      result[t].clear();
    }
    for (auto& [index, weight] : result[t]) {
      weight /= sum;
    }
  }
  return result;
}

}  // namespace

std::vector<OverlapWeights> latitude_overlaps(const std::vector<double>& source,
                                              const std::vector<double>& target) {
  return overlaps(latitude_cells(source), latitude_cells(target), {0.0});
}

std::vector<OverlapWeights> longitude_overlaps(const std::vector<double>& source,
                                               const std::vector<double>& target) {
  return overlaps(longitude_cells(source), longitude_cells(target), {-360.0, 0.0, 360.0});
}

ConservativeRegridding::ConservativeRegridding(LatLonGrid source, LatLonGrid target)
    : source_(std::move(source)),
      target_(std::move(target)),
      latitudes_(latitude_overlaps(source_.latitude, target_.latitude)),
      longitudes_(longitude_overlaps(source_.longitude, target_.longitude)) {}

std::vector<float> ConservativeRegridding::apply(std::span<const float> fields, int threads) const {
  require(fields.size() % source_.points() == 0, "{} values are no whole fields of {} x {}", fields.size(),
          source_.latitude.size(), source_.longitude.size());
  const std::size_t count = fields.size() / source_.points();
  std::vector<float> result(count * target_.points());
  parallel_for(count, threads, [&](std::size_t f) {
    apply_to_one(fields.subspan(f * source_.points(), source_.points()),
                 std::span(result).subspan(f * target_.points(), target_.points()));
  });
  return result;
}

void ConservativeRegridding::apply_to_one(std::span<const float> field, std::span<float> result) const {
  std::vector<double> values(field.begin(), field.end());
  const bool complete =
      std::none_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
  std::vector<double> there(complete ? 0 : values.size(), 1.0);
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (std::isnan(values[i])) {
      there[i] = values[i] = 0.0;
    }
  }
  const std::vector<double> sums = along_latitudes(along_longitudes(values));
  const std::vector<double> weights =
      complete ? std::vector<double>(sums.size(), 1.0) : along_latitudes(along_longitudes(there));
  for (std::size_t i = 0; i < result.size(); ++i) {
    result[i] = static_cast<float>(weights[i] > 0.0 ? sums[i] / weights[i] : undefined);
  }
}

/// [source lat, source lon] -> [source lat, target lon].
std::vector<double> ConservativeRegridding::along_longitudes(const std::vector<double>& field) const {
  const std::size_t columns = source_.longitude.size();
  std::vector<double> result;
  result.reserve(source_.latitude.size() * longitudes_.size());
  for (std::size_t first = 0; first < field.size(); first += columns) {
    for (const OverlapWeights& cell : longitudes_) {
      double sum = cell.empty() ? undefined : 0.0;
      for (const auto& [index, weight] : cell) {
        sum += weight * field[first + index];
      }
      result.push_back(sum);
    }
  }
  return result;
}

/// [source lat, target lon] -> [target lat, target lon].
std::vector<double> ConservativeRegridding::along_latitudes(const std::vector<double>& rows) const {
  const std::size_t columns = longitudes_.size();
  std::vector<double> result(target_.points());
  for (std::size_t j = 0; j < latitudes_.size(); ++j) {
    double* row = result.data() + j * columns;
    std::fill_n(row, columns, latitudes_[j].empty() ? undefined : 0.0);
    for (const auto& [index, weight] : latitudes_[j]) {
      for (std::size_t i = 0; i < columns; ++i) {
        row[i] += weight * rows[index * columns + i];
      }
    }
  }
  return result;
}

}  // namespace mosaic
