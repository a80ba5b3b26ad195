#include "kernels/spectral_transform/zonal_waves.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>

#include "kernels/dense_product.hpp"
#include "kernels/instruction_sets.hpp"

namespace mosaic::kernels {
namespace {

/// cos and sin of 2 pi part / whole, exact at the quarters.
double cosine(std::size_t part, std::size_t whole) {
  part %= whole;
  if (4 * part == whole || 4 * part == 3 * whole) {
    return 0;
  }
  return std::cos(2.0 * std::numbers::pi * static_cast<double>(part) / static_cast<double>(whole));
}

double sine(std::size_t part, std::size_t whole) {
  part %= whole;
  if (part == 0 || 2 * part == whole) {
    return 0;
  }
  return std::sin(2.0 * std::numbers::pi * static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace

ZonalWaves::ZonalWaves(std::size_t orders, std::size_t longitudes)
    : orders_(orders),
      longitudes_(longitudes),
      folded_(longitudes % 4 == 0),
      places_(folded_ ? longitudes / 4 + 1 : longitudes) {
  const double scale = 1.0 / static_cast<double>(longitudes);
  for (const Kind kind : {even_cosine, odd_cosine, even_sine, odd_sine}) {
    const bool is_cosine = kind == even_cosine || kind == odd_cosine;
    const std::size_t parity = kind == even_cosine || kind == even_sine ? 0 : 1;
    const auto wave = [&](std::size_t m, std::size_t l) {
      return is_cosine ? cosine(m * l, longitudes) : sine(m * l, longitudes);
    };
    for (std::size_t l = 0; l < places_; ++l) {
      for (std::size_t m = parity; m < orders; m += 2) {
        const double c = (m == 0 ? 1.0 : 2.0) * wave(m, l);
        synthesis_[0][kind].push_back(is_cosine ? c : -c);
        synthesis_[1][kind].push_back(-c);
      }
    }
    for (std::size_t m = parity; m < orders; m += 2) {
      for (std::size_t l = 0; l < places_; ++l) {
        analysis_[kind].push_back((is_cosine ? scale : -scale) * wave(m, l));
      }
    }
  }
}

const ZonalWaves& ZonalWaves::of(std::size_t orders, std::size_t longitudes) {
  static std::mutex mutex;
  static std::map<std::pair<std::size_t, std::size_t>, ZonalWaves> known;
  const std::lock_guard lock(mutex);
  return known.try_emplace({orders, longitudes}, orders, longitudes).first->second;
}

std::size_t ZonalWaves::orders_of(Kind kind) const {
  return kind == even_cosine || kind == even_sine ? (orders_ + 1) / 2 : orders_ / 2;
}

void ZonalWaves::synthesize(const double* coefficients, Factor factor, std::size_t columns, double* circle,
                            double* workspace) const {
  const std::size_t plane = places_ * columns;
  std::fill(workspace, workspace + 4 * plane, 0.0);
  for (const Kind kind : {even_cosine, odd_cosine, even_sine, odd_sine}) {
    const bool is_cosine = kind == even_cosine || kind == odd_cosine;
    const std::size_t first = kind == even_cosine || kind == even_sine ? 0 : 1;
    // Re(a e) = re cos - im sin; Re(i a e) = -im cos - re sin.
    const std::size_t part = is_cosine == (factor == Factor::one) ? 0 : 1;
    const double* b = coefficients + (2 * first + part) * columns;
    const auto& table = synthesis_[factor == Factor::one ? 0 : 1][kind];
    dense_product({table.data(), orders_of(kind)}, {b, 4 * columns}, workspace + kind * plane, columns,
                  places_, orders_of(kind), columns);
  }
  unfold(workspace, columns, circle);
}

/// sums: [kinds, places, columns]
MOSAIC_EACH_INSTRUCTION_SET
void ZonalWaves::unfold(const double* sums, std::size_t columns, double* circle) const {
  const std::size_t plane = places_ * columns, half = longitudes_ / 2;
  for (std::size_t l = 0; l < places_; ++l) {
    const double* ec = sums + even_cosine * plane + l * columns;
    const double* oc = sums + odd_cosine * plane + l * columns;
    const double* es = sums + even_sine * plane + l * columns;
    const double* os = sums + odd_sine * plane + l * columns;
    double* here = circle + l * columns;
    if (!folded_) {
#pragma GCC ivdep
      for (std::size_t c = 0; c < columns; ++c) {
        here[c] = (ec[c] + es[c]) + (oc[c] + os[c]);
      }
      continue;
    }
    double* opposite = circle + (l + half) * columns;
#pragma GCC ivdep
    for (std::size_t c = 0; c < columns; ++c) {
      const double even = ec[c] + es[c], odd = oc[c] + os[c];
      here[c] = even + odd;
      opposite[c] = even - odd;
    }
    if (l == 0 || l + 1 == places_) {
      continue;  // these are their own images
    }
    double* image = circle + (half - l) * columns;
    double* far_image = circle + (longitudes_ - l) * columns;
#pragma GCC ivdep
    for (std::size_t c = 0; c < columns; ++c) {
      const double even = ec[c] - es[c], odd = os[c] - oc[c];
      image[c] = even + odd;
      far_image[c] = even - odd;
    }
  }
}

/// The transpose of unfold().
MOSAIC_EACH_INSTRUCTION_SET
void ZonalWaves::fold(const double* circle, std::size_t columns, double* sums) const {
  const std::size_t plane = places_ * columns, half = longitudes_ / 2;
  for (std::size_t l = 0; l < places_; ++l) {
    double* ec = sums + even_cosine * plane + l * columns;
    double* oc = sums + odd_cosine * plane + l * columns;
    double* es = sums + even_sine * plane + l * columns;
    double* os = sums + odd_sine * plane + l * columns;
    const double* here = circle + l * columns;
    if (!folded_) {
      for (double* sum : {ec, oc, es, os}) {
        std::copy(here, here + columns, sum);
      }
      continue;
    }
    const double* opposite = circle + (l + half) * columns;
    if (l == 0 || l + 1 == places_) {
#pragma GCC ivdep
      for (std::size_t c = 0; c < columns; ++c) {
        ec[c] = es[c] = here[c] + opposite[c];
        oc[c] = os[c] = here[c] - opposite[c];
      }
      continue;
    }
    const double* image = circle + (half - l) * columns;
    const double* far_image = circle + (longitudes_ - l) * columns;
#pragma GCC ivdep
    for (std::size_t c = 0; c < columns; ++c) {
      const double even = here[c] + opposite[c], odd = here[c] - opposite[c];
      const double even_image = image[c] + far_image[c], odd_image = image[c] - far_image[c];
      ec[c] = even + even_image;
      es[c] = even - even_image;
      oc[c] = odd - odd_image;
      os[c] = odd + odd_image;
    }
  }
}

void ZonalWaves::analyse(const double* circle, std::size_t columns, double* coefficients,
                         double* workspace) const {
  const std::size_t plane = places_ * columns;
  fold(circle, columns, workspace);
  std::fill(coefficients, coefficients + orders_ * 2 * columns, 0.0);
  for (const Kind kind : {even_cosine, odd_cosine, even_sine, odd_sine}) {
    const std::size_t part = kind == even_cosine || kind == odd_cosine ? 0 : 1;
    const std::size_t first = kind == even_cosine || kind == even_sine ? 0 : 1;
    double* out = coefficients + (2 * first + part) * columns;
    dense_product({analysis_[kind].data(), places_}, {workspace + kind * plane, columns}, out, 4 * columns,
                  orders_of(kind), places_, columns);
  }
}

}  // namespace mosaic::kernels
