#include "grid/harmonic_tables.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "base/parallel_for.hpp"
#include "grid/legendre.hpp"

namespace mosaic {
namespace {

constexpr double place_tolerance = 1e-3;    // [degrees] float32 coordinates and rounded decimals are closer
constexpr std::size_t highest_lmax = 1900;  // sin(theta)^m underflows where P_lm does not above about 2000

constexpr Extended pi = std::numbers::pi_v<Extended>;

/// Colatitudes of a kind, south to north: as ascending latitudes.
std::vector<Extended> ideal_colatitudes(LatitudeKind kind, std::size_t rows) {
  std::vector<Extended> theta(rows);
  if (kind == LatitudeKind::gaussian) {
    theta = gauss_rule(rows).theta;
    std::reverse(theta.begin(), theta.end());
    return theta;
  }
  const bool poles = kind == LatitudeKind::equiangular_with_poles;
  for (std::size_t j = 0; j < rows; ++j) {
    const Extended place = static_cast<Extended>(rows - 1 - j) + (poles ? 0.0L : 0.5L);
    theta[j] = pi * place / static_cast<Extended>(poles ? rows - 1 : rows);
  }
  return theta;
}

bool latitudes_are(LatitudeKind kind, const LatLonGrid& grid) {
  const std::vector<Extended> theta = ideal_colatitudes(kind, grid.latitude.size());
  for (std::size_t j = 0; j < theta.size(); ++j) {
    const Extended ideal = 90.0L - theta[j] * 180.0L / pi;
    if (!(std::abs(grid.latitude[j] - ideal) <= place_tolerance)) {
      return false;
    }
  }
  return true;
}

/// Clenshaw-Curtis (poles) or Fejer (cell centres): the integral of each cosine of the interpolant.
Extended equiangular_weight(LatitudeKind kind, std::size_t rows, std::size_t j) {
  const bool poles = kind == LatitudeKind::equiangular_with_poles;
  const std::size_t intervals = poles ? rows - 1 : rows;
  const Extended theta = ideal_colatitudes(kind, rows)[j];
  Extended sum = 1.0L;
  for (std::size_t k = 1; 2 * k <= intervals; ++k) {
    const auto wave = static_cast<Extended>(2 * k);
    const Extended share = poles && 2 * k == intervals ? 1.0 : 2.0;
    sum -= share * std::cos(wave * theta) / (wave * wave - 1.0);
  }
  const bool pole = poles && (j == 0 || j + 1 == rows);
  return sum * (pole ? 0.5L : 1.0L) / static_cast<Extended>(intervals);
}

std::vector<Extended> extended_weights(LatitudeKind kind, std::size_t rows) {
  if (kind == LatitudeKind::gaussian) {
    return gauss_rule(rows).weight;
  }
  std::vector<Extended> weights(rows);
  for (std::size_t j = 0; j < (rows + 1) / 2; ++j) {
    weights[j] = weights[rows - 1 - j] = equiangular_weight(kind, rows, j);
  }
  return weights;
}

/// Trigonometric interpolation on the circle of 2 n points pi / n apart: 1 at t = 0, 0 at the other points,
/// (1 + 2 sum_{k<n} cos k t + cos n t) / 2 n. The shortest wave is split half and half onto +n and -n.
Extended circle_kernel(Extended t, std::size_t n) {
  const auto count = static_cast<Extended>(n);
  if (std::abs(std::sin(0.5L * t)) < 1e-12L) {
    return 1.0L;
  }
  return std::sin(count * t) / std::tan(0.5L * t) / (2.0L * count);
}

/// [q, J]: what a value at latitude j is at theta_q once it is continued over the poles with `sign`. A value
/// at a pole stands for both sides; with sign -1 its two halves cancel.
std::vector<double> continuation(LatitudeKind kind, std::size_t rows, double sign,
                                 const std::vector<Extended>& theta) {
  const bool poles = kind == LatitudeKind::equiangular_with_poles;
  const std::size_t n = poles ? rows - 1 : rows;
  const std::vector<Extended> places = ideal_colatitudes(kind, rows);
  std::vector<double> matrix(theta.size() * rows);
  for (std::size_t q = 0; q < theta.size(); ++q) {
    for (std::size_t j = 0; j < rows; ++j) {
      const bool pole = poles && (j == 0 || j + 1 == rows);
      const Extended here = circle_kernel(theta[q] - places[j], n);
      const Extended both = here + sign * circle_kernel(theta[q] + places[j], n);
      matrix[q * rows + j] = static_cast<double>(pole ? (sign > 0.0 ? here : 0.0L) : both);
    }
  }
  return matrix;
}

/// One way from F_m to coefficients: nodes, weights of the sphere's mean, and values there by continuation
/// with sign +1 and -1 [q, J]; no matrices where the nodes are the latitudes themselves.
struct Analysis {
  ColatitudeRule rule;
  std::vector<double> same, opposite;
};

Analysis make_analysis(const LatLonGrid& grid, HarmonicMethod method) {
  const LatitudeKind kind = latitude_kind(grid);
  const std::size_t rows = grid.latitude.size();
  if (method == HarmonicMethod::direct || kind == LatitudeKind::gaussian) {
    return {{ideal_colatitudes(kind, rows), extended_weights(kind, rows)}, {}, {}};
  }
  // Products have degrees up to J + lmax < 2 J; as many Gauss nodes integrate up to 2 J + 1 exactly.
  const ColatitudeRule rule = gauss_rule(rows + 1);
  return {rule, continuation(kind, rows, 1.0, rule.theta), continuation(kind, rows, -1.0, rule.theta)};
}

/// Rows [degrees, J] of the analysis with `functions` [degrees, q], of which each second one is symmetric
/// about the equator, beginning with degree 0 if `first_even`. The northern half is the southern one's image.
void analyse(const Analysis& analysis, const std::vector<double>& continued,
             const std::vector<Extended>& functions, bool first_even, std::size_t latitudes, double* out) {
  const std::size_t nodes = analysis.rule.theta.size();
  const std::size_t half = (latitudes + 1) / 2;
  for (std::size_t d = 0; d * nodes < functions.size(); ++d) {
    double* row = out + d * latitudes;
    for (std::size_t q = 0; q < nodes; ++q) {
      const auto factor = static_cast<double>(analysis.rule.weight[q] * functions[d * nodes + q]);
      if (continued.empty()) {
        row[q] = factor;
        continue;
      }
      for (std::size_t j = 0; j < half; ++j) {
        row[j] += factor * continued[q * latitudes + j];
      }
    }
    const double sign = (d % 2 == 0) == first_even ? 1.0 : -1.0;
    for (std::size_t j = 0; j < latitudes / 2; ++j) {
      row[latitudes - 1 - j] = sign * row[j];
    }
    if (latitudes % 2 == 1 && sign < 0.0) {
      row[half - 1] = 0.0;  // the equator, but for rounding
    }
  }
}

}  // namespace

std::string to_string(LatitudeKind kind) {
  switch (kind) {
    case LatitudeKind::equiangular_with_poles:
      return "equidistant latitudes with both poles";
    case LatitudeKind::equiangular_without_poles:
      return "equidistant latitudes half a step off the poles";
    case LatitudeKind::gaussian:
      return "Gaussian latitudes";
  }
  fail(ExitCode::internal, "no such kind of latitudes");
}

std::string to_string(HarmonicMethod method) { return method == HarmonicMethod::exact ? "exact" : "direct"; }

LatitudeKind latitude_kind(const LatLonGrid& grid) {
  const std::size_t rows = grid.latitude.size();
  require(rows >= 4, ExitCode::corrupt_input, "spherical harmonics need at least 4 latitudes, not {}", rows);
  std::string known;
  for (const LatitudeKind kind : {LatitudeKind::equiangular_with_poles,
                                  LatitudeKind::equiangular_without_poles, LatitudeKind::gaussian}) {
    if (latitudes_are(kind, grid)) {
      return kind;
    }
    known += (known.empty() ? "" : ", ") + to_string(kind);
  }
  fail(ExitCode::corrupt_input,
       "no spherical-harmonic analysis for {} latitudes {}, {} ... {} degrees; supported are, from south to "
       "north and within {} degrees: {}",
       rows, grid.latitude[0], grid.latitude[1], grid.latitude[rows - 1], place_tolerance, known);
}

std::vector<double> quadrature_weights(const LatLonGrid& grid) {
  const std::vector<Extended> weights = extended_weights(latitude_kind(grid), grid.latitude.size());
  return {weights.begin(), weights.end()};
}

std::size_t largest_degree(const LatLonGrid& grid, HarmonicMethod method) {
  const LatitudeKind kind = latitude_kind(grid);
  const std::size_t rows = grid.latitude.size(), longitudes = grid.longitude.size();
  if (method == HarmonicMethod::direct) {
    return std::min(rows - 1, longitudes / 2);
  }
  return std::min(kind == LatitudeKind::gaussian ? rows - 1 : rows - 2, (longitudes - 1) / 2);
}

HarmonicTables make_harmonic_tables(const LatLonGrid& grid, HarmonicMethod method, int threads) {
  require_uniform_longitudes(grid, "spherical harmonics");
  HarmonicTables tables{
      grid.latitude.size(), grid.longitude.size(), largest_degree(grid, method), {}, {}, {}};
  const std::size_t lmax = tables.lmax;
  require(lmax <= highest_lmax, ExitCode::bad_configuration,
          "spherical harmonics: degree {} is beyond {}, to which the recurrences hold", lmax, highest_lmax);
  const Analysis analysis = make_analysis(grid, method);
  for (auto* table : {&tables.scalar, &tables.slope, &tables.turning}) {
    table->assign(harmonic_rows(lmax) * tables.latitudes, 0.0);
  }
  parallel_for(lmax + 1, threads, [&](std::size_t m) {
    const std::size_t first = harmonic_row(lmax, m, m) * tables.latitudes;
    // Over the pole a scalar's F_m changes sign with odd m, a wind component's with even m.
    const std::vector<double>& scalar = m % 2 == 0 ? analysis.same : analysis.opposite;
    const std::vector<double>& wind = m % 2 == 0 ? analysis.opposite : analysis.same;
    const LegendreSlopes slopes = legendre_slopes(m, lmax, analysis.rule.theta);
    analyse(analysis, scalar, legendre_functions(m, lmax, analysis.rule.theta), true, tables.latitudes,
            tables.scalar.data() + first);
    analyse(analysis, wind, slopes.slope, false, tables.latitudes, tables.slope.data() + first);
    analyse(analysis, wind, slopes.turning, true, tables.latitudes, tables.turning.data() + first);
  });
  return tables;
}

}  // namespace mosaic
