#include "support/ball_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "base/error.hpp"

namespace mosaic::test {

namespace {

constexpr std::size_t leaf_points = 40;

struct Place {
  double lat, lon;  // [rad]
};

double haversine(const Place& a, const Place& b) {
  const double sin_lat = std::sin(0.5 * (a.lat - b.lat));
  const double sin_lon = std::sin(0.5 * (a.lon - b.lon));
  return sin_lat * sin_lat + std::cos(a.lat) * std::cos(b.lat) * sin_lon * sin_lon;
}

double angle_of(double h) { return 2.0 * std::asin(std::sqrt(h)); }

double haversine_of(double angle) {
  const double s = std::sin(0.5 * angle);
  return s * s;
}

/// The k nearest so far, farthest on top. Which of several equally far points leaves first follows from the
/// layout of the heap, so the layout is part of the rule: a new point starts on top, sinks along the farther
/// child (the left one of equals) and stops above children that are not farther.
class NearestHeap {
 public:
  explicit NearestHeap(std::size_t k) : entries_(k, {std::numeric_limits<double>::infinity(), 0}) {}

  double farthest() const { return entries_.front().first; }

  void offer(double h, std::int32_t index) {
    if (h >= farthest()) {
      return;
    }
    std::size_t hole = 0;
    for (std::size_t left = 1; left < entries_.size(); left = 2 * hole + 1) {
      const std::size_t right = left + 1;
      const bool take_right = right < entries_.size() && entries_[right].first > entries_[left].first;
      const std::size_t child = take_right ? right : left;
      if (entries_[child].first <= h) {
        break;
      }
      entries_[hole] = entries_[child];
      hole = child;
    }
    entries_[hole] = {h, index};
  }

  /// Nearest first.
  void write(std::span<std::int32_t> row) {
    std::sort(entries_.begin(), entries_.end());
    std::transform(entries_.begin(), entries_.end(), row.begin(), [](const auto& e) { return e.second; });
  }

 private:
  std::vector<std::pair<double, std::int32_t>> entries_;  // haversine, point
};

/// A complete binary tree, children of node i at 2 i + 1 and 2 i + 2. Halves are split at the median of the
/// coordinate with the larger extent.
class BallTree {
 public:
  explicit BallTree(const SpherePoints& points) : order_(points.size()) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      places_.push_back({points.lat_rad[i], points.lon_rad[i]});
    }
    std::iota(order_.begin(), order_.end(), 0);
    std::size_t levels = 1;
    for (std::size_t leaves = (points.size() - 1) / leaf_points; leaves > 1; leaves /= 2) {
      ++levels;
    }
    nodes_.resize((std::size_t{1} << levels) - 1);
    build(0, 0, points.size());
  }

  /// Offers the points of `node` that may be among the nearest; `bound` = distance of its ball.
  void search(std::size_t node, double bound, const Place& target, NearestHeap& heap) const {
    if (bound > heap.farthest()) {
      return;
    }
    const std::size_t left = 2 * node + 1;
    if (left >= nodes_.size()) {
      for (std::size_t i = nodes_[node].begin; i < nodes_[node].end; ++i) {
        heap.offer(haversine(target, place(i)), order_[i]);
      }
      return;
    }
    const double left_bound = bound_of(left, target);
    const double right_bound = bound_of(left + 1, target);
    if (left_bound <= right_bound) {
      search(left, left_bound, target, heap);
      search(left + 1, right_bound, target, heap);
    } else {
      search(left + 1, right_bound, target, heap);
      search(left, left_bound, target, heap);
    }
  }

  /// Haversine of the distance from the target to the ball of a node; 0 inside.
  double bound_of(std::size_t node, const Place& target) const {
    return haversine_of(
        std::max(0.0, angle_of(haversine(target, nodes_[node].centre)) - nodes_[node].radius));
  }

 private:
  struct Node {
    std::size_t begin, end;
    Place centre;   // mean of the coordinates
    double radius;  // [rad]
  };

  const Place& place(std::size_t i) const { return places_[static_cast<std::size_t>(order_[i])]; }

  void build(std::size_t node, std::size_t begin, std::size_t end) {
    nodes_[node] = ball(begin, end);
    if (2 * node + 1 >= nodes_.size()) {
      return;
    }
    const double Place::*coordinate = wider(begin, end);
    const std::size_t middle = begin + (end - begin) / 2;
    const auto at = [&](std::size_t i) { return order_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(begin), at(middle), at(end), [&](std::int32_t a, std::int32_t b) {
      const double first = places_[static_cast<std::size_t>(a)].*coordinate;
      const double second = places_[static_cast<std::size_t>(b)].*coordinate;
      return first == second ? a < b : first < second;
    });
    build(2 * node + 1, begin, middle);
    build(2 * node + 2, middle, end);
  }

  Node ball(std::size_t begin, std::size_t end) const {
    Node node{begin, end, {0.0, 0.0}, 0.0};
    for (std::size_t i = begin; i < end; ++i) {
      node.centre.lat += place(i).lat;
      node.centre.lon += place(i).lon;
    }
    node.centre.lat /= static_cast<double>(end - begin);
    node.centre.lon /= static_cast<double>(end - begin);
    double farthest = 0.0;
    for (std::size_t i = begin; i < end; ++i) {
      farthest = std::max(farthest, haversine(node.centre, place(i)));
    }
    node.radius = angle_of(farthest);
    return node;
  }

  const double Place::*wider(std::size_t begin, std::size_t end) const {
    const auto extent = [&](const double Place::*coordinate) {
      double low = place(begin).*coordinate;
      double high = low;
      for (std::size_t i = begin; i < end; ++i) {
        low = std::min(low, place(i).*coordinate);
        high = std::max(high, place(i).*coordinate);
      }
      return high - low;
    };
    return extent(&Place::lon) > extent(&Place::lat) ? &Place::lon : &Place::lat;
  }

  std::vector<Place> places_;
  std::vector<std::int32_t> order_;
  std::vector<Node> nodes_;
};

}  // namespace

NeighbourTable ball_tree_neighbours(const SpherePoints& sources, const SpherePoints& targets, int k) {
  require(k >= 1 && static_cast<std::size_t>(k) <= sources.size(), ExitCode::bad_configuration,
          "{} neighbours were asked for among {} source points", k, sources.size());
  const BallTree tree(sources);
  const auto row = static_cast<std::size_t>(k);
  NeighbourTable table{k, targets.size(), std::vector<std::int32_t>(targets.size() * row)};
  for (std::size_t target = 0; target < targets.size(); ++target) {
    const Place place{targets.lat_rad[target], targets.lon_rad[target]};
    NearestHeap heap(row);
    tree.search(0, tree.bound_of(0, place), place, heap);
    heap.write(std::span(table.index).subspan(target * row, row));
  }
  return table;
}

}  // namespace mosaic::test
