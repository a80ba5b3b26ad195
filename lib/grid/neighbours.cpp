#include "grid/neighbours.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <queue>

#include "base/error.hpp"
#include "base/parallel_for.hpp"

namespace mosaic {

namespace {

/// Distances that agree to this are equal; ties then go by index. [rad]
constexpr double tie_unit = 1e-12;
/// Chords of double unit vectors are exact to about 1e-15; candidates this far behind the k-th are kept. [1]
constexpr double chord_margin = 1e-11;
/// Float32 radians of the poles lie 4.4e-8 beyond them; bands are widened by more than that. [rad]
constexpr double latitude_margin = 1e-6;
constexpr std::size_t targets_per_task = 512;

using Vector = std::array<double, 3>;

Vector unit_vector(const SpherePoints& points, std::size_t i) {
  const double lon = points.lon_rad[i];
  const double lat = points.lat_rad[i];
  return {std::cos(lat) * std::cos(lon), std::cos(lat) * std::sin(lon), std::sin(lat)};
}

double squared_chord(const Vector& a, const Vector& b) {
  const double x = a[0] - b[0];
  const double y = a[1] - b[1];
  const double z = a[2] - b[2];
  return x * x + y * y + z * z;
}

struct Neighbour {
  double distance;  ///< in units of tie_unit, rounded
  std::int32_t index;
  auto operator<=>(const Neighbour&) const = default;
};

/// Source points sorted by latitude, so that those within a distance form one run.
class LatitudeOrder {
 public:
  explicit LatitudeOrder(const SpherePoints& sources)
      : sources_(sources), index_(sources.size()), latitude_(sources.size()), vector_(sources.size()) {
    std::iota(index_.begin(), index_.end(), 0);
    std::stable_sort(index_.begin(), index_.end(), [&](std::int32_t a, std::int32_t b) {
      return sources.lat_rad[static_cast<std::size_t>(a)] < sources.lat_rad[static_cast<std::size_t>(b)];
    });
    for (std::size_t i = 0; i < index_.size(); ++i) {
      const auto source = static_cast<std::size_t>(index_[i]);
      latitude_[i] = sources.lat_rad[source];
      vector_[i] = unit_vector(sources, source);
    }
  }

  /// Writes the k nearest sources of a target to `row`.
  void nearest(const SpherePoints& targets, std::size_t target, std::span<std::int32_t> row) const {
    const Vector place = unit_vector(targets, target);
    const double latitude = targets.lat_rad[target];
    const double chord = std::sqrt(kth_squared_chord(place, latitude, row.size())) + chord_margin;
    const double reach = 2.0 * std::asin(std::min(1.0, 0.5 * chord)) + latitude_margin;
    std::vector<Neighbour> found;
    for (std::size_t i = first_at(latitude - reach); i < latitude_.size() && latitude_[i] <= latitude + reach;
         ++i) {
      if (squared_chord(place, vector_[i]) <= chord * chord) {
        const double distance =
            haversine_distance(targets, target, sources_, static_cast<std::size_t>(index_[i]));
        found.push_back({std::nearbyint(distance / tie_unit), index_[i]});
      }
    }
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(row.size()), found.end());
    std::transform(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(row.size()), row.begin(),
                   [](const Neighbour& neighbour) { return neighbour.index; });
  }

 private:
  std::size_t first_at(double latitude) const {
    return static_cast<std::size_t>(std::lower_bound(latitude_.begin(), latitude_.end(), latitude) -
                                    latitude_.begin());
  }

  /// Squared chord of the k-th nearest source: walks north and south from the target's latitude, nearer
  /// latitude first, until the latitudes alone are farther than the k-th.
  double kth_squared_chord(const Vector& place, double latitude, std::size_t k) const {
    std::priority_queue<double> best;  // the k smallest so far, largest on top
    std::size_t north = first_at(latitude);
    std::size_t south = north;  // one past the next point to the south
    while (north < latitude_.size() || south > 0) {
      const bool go_north = south == 0 || (north < latitude_.size() &&
                                           latitude_[north] - latitude <= latitude - latitude_[south - 1]);
      const std::size_t next = go_north ? north++ : --south;
      const double chord_of_latitudes =
          2.0 * std::sin(0.5 * std::max(0.0, std::abs(latitude_[next] - latitude) - latitude_margin));
      if (best.size() == k && chord_of_latitudes * chord_of_latitudes > best.top()) {
        break;
      }
      const double candidate = squared_chord(place, vector_[next]);
      if (best.size() < k) {
        best.push(candidate);
      } else if (candidate < best.top()) {
        best.pop();
        best.push(candidate);
      }
    }
    return best.top();
  }

  const SpherePoints& sources_;
  std::vector<std::int32_t> index_;  // by latitude
  std::vector<double> latitude_;     // [rad]
  std::vector<Vector> vector_;
};

}  // namespace

double haversine_distance(const SpherePoints& a, std::size_t i, const SpherePoints& b, std::size_t j) {
  const double lat1 = a.lat_rad[i];
  const double lat2 = b.lat_rad[j];
  const double sin_lat = std::sin(0.5 * (lat2 - lat1));
  const double sin_lon = std::sin(0.5 * (static_cast<double>(b.lon_rad[j]) - a.lon_rad[i]));
  const double h = sin_lat * sin_lat + std::cos(lat1) * std::cos(lat2) * sin_lon * sin_lon;
  return 2.0 * std::asin(std::sqrt(std::clamp(h, 0.0, 1.0)));
}

NeighbourTable nearest_neighbours(const SpherePoints& sources, const SpherePoints& targets, int k,
                                  int threads) {
  require(k >= 1 && static_cast<std::size_t>(k) <= sources.size(), ExitCode::bad_configuration,
          "{} neighbours were asked for among {} source points", k, sources.size());
  NeighbourTable table{k, targets.size(),
                       std::vector<std::int32_t>(targets.size() * static_cast<std::size_t>(k))};
  const auto row = static_cast<std::size_t>(k);
  const LatitudeOrder order(sources);
  const std::size_t tasks = (targets.size() + targets_per_task - 1) / targets_per_task;
  parallel_for(tasks, threads, [&](std::size_t task) {
    const std::size_t end = std::min(targets.size(), (task + 1) * targets_per_task);
    for (std::size_t target = task * targets_per_task; target < end; ++target) {
      order.nearest(targets, target, std::span(table.index).subspan(target * row, row));
    }
  });
  return table;
}

}  // namespace mosaic
