#include "kernels/real_fourier.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <utility>

#include "kernels/dense_product.hpp"

namespace mosaic::kernels {
namespace {

/// Radices whose product is `length`. Up to 6 a pass costs less than the two it replaces.
std::vector<std::size_t> radices_of(std::size_t length) {
  std::vector<std::size_t> radices;
  for (const std::size_t radix : {6U, 5U, 4U, 3U, 2U}) {
    for (; length % radix == 0; length /= radix) {
      radices.push_back(radix);
    }
  }
  for (std::size_t prime = 7; length > 1; prime += 2) {
    for (; length % prime == 0; length /= prime) {
      radices.push_back(prime);
    }
  }
  return radices;
}

double angle(std::size_t part, std::size_t whole) {
  return 2.0 * std::numbers::pi * static_cast<double>(part % whole) / static_cast<double>(whole);
}

}  // namespace

/// Pass with current length n, radix r, n / r groups p: y[p r + j] = sum_k x[p + k n / r] T_p[j][k],
/// T_p[j][k] = exp(-2 pi i (j k / r + p j / n)); then n becomes n / r and r times as many values stand
/// side by side at each place.
RealFourier::RealFourier(std::size_t longitudes)
    : longitudes_(longitudes), length_(longitudes % 2 == 0 ? longitudes / 2 : longitudes) {
  std::size_t current = length_;
  for (const std::size_t radix : radices_of(length_)) {
    Pass pass{radix, current / radix, {}, {}, {}};
    for (std::size_t p = 0; p < pass.groups; ++p) {
      for (std::size_t j = 0; j < radix; ++j) {
        for (std::size_t k = 0; k < radix; ++k) {
          const double turn = angle(j * (k * pass.groups + p), current);
          pass.cosine.push_back(std::cos(turn));
          pass.sine.push_back(std::sin(turn));
          pass.negative_sine.push_back(-std::sin(turn));
        }
      }
    }
    current = pass.groups;
    passes_.push_back(std::move(pass));
  }
  for (std::size_t k = 0; k < wavenumbers(); ++k) {
    unfold_cosine_.push_back(std::cos(angle(k, longitudes_)));
    unfold_sine_.push_back(std::sin(angle(k, longitudes_)));
  }
}

const RealFourier& RealFourier::of(std::size_t longitudes) {
  static std::mutex mutex;
  static std::map<std::size_t, RealFourier> known;
  const std::lock_guard lock(mutex);
  return known.try_emplace(longitudes, longitudes).first->second;
}

/// [2 (real, imaginary), length, lanes], in place of `values` or `spare`: the result is where `values`
/// points.
void RealFourier::complex_transform(double*& values, double*& spare, std::size_t lanes) const {
  const std::size_t plane = length_ * lanes;
  std::size_t columns = lanes;
  for (const Pass& pass : passes_) {
    const std::size_t r = pass.radix;
    std::fill(spare, spare + 2 * plane, 0.0);
    for (std::size_t p = 0; p < pass.groups; ++p) {
      const MatrixRows real{values + p * columns, pass.groups * columns};
      const MatrixRows imaginary{values + plane + p * columns, pass.groups * columns};
      const MatrixRows cosine{pass.cosine.data() + p * r * r, r};
      const MatrixRows sine{pass.sine.data() + p * r * r, r};
      const MatrixRows negative_sine{pass.negative_sine.data() + p * r * r, r};
      double* out = spare + p * r * columns;
      dense_product(cosine, real, out, columns, r, r, columns);
      dense_product(sine, imaginary, out, columns, r, r, columns);
      dense_product(cosine, imaginary, out + plane, columns, r, r, columns);
      dense_product(negative_sine, real, out + plane, columns, r, r, columns);
    }
    std::swap(values, spare);
    columns *= r;
  }
}

/// F from Z, the transform of f_2j + i f_(2j+1): 2 F_k = (Z_k + Z*_(n-k)) - i exp(-2 pi i k / L) (Z_k -
/// Z*_(n-k)); where L is odd Z is F already.
void RealFourier::unfold(const double* values, std::size_t lanes, double* spectrum) const {
  const std::size_t plane = length_ * lanes;
  const double scale = (longitudes_ % 2 == 0 ? 0.5 : 1.0) / static_cast<double>(longitudes_);
  for (std::size_t k = 0; k < wavenumbers(); ++k) {
    const double* near = values + k % length_ * lanes;
    const double* far = values + (length_ - k) % length_ * lanes;
    double* out = spectrum + 2 * k * lanes;
    if (longitudes_ % 2 == 1) {
      for (std::size_t w = 0; w < lanes; ++w) {
        out[w] = scale * near[w];
        out[lanes + w] = scale * near[plane + w];
      }
      continue;
    }
    const double c = unfold_cosine_[k], s = unfold_sine_[k];
    for (std::size_t w = 0; w < lanes; ++w) {
      const double sum_re = near[w] + far[w], sum_im = near[plane + w] - far[plane + w];
      const double difference_re = near[w] - far[w], difference_im = near[plane + w] + far[plane + w];
      out[w] = scale * (sum_re + (c * difference_im - s * difference_re));
      out[lanes + w] = scale * (sum_im - (c * difference_re + s * difference_im));
    }
  }
}

template <class Real>
void RealFourier::transform(std::span<const Real* const> rows, std::size_t lanes, double* spectrum,
                            Workspace& workspace) const {
  const std::size_t plane = length_ * lanes;
  workspace.resize(4 * plane);
  double* values = workspace.data();
  double* spare = values + 2 * plane;
  if (longitudes_ % 2 == 1 || rows.size() < lanes) {
    std::fill(values, spare, 0.0);
  }
  for (std::size_t w = 0; w < rows.size(); ++w) {
    for (std::size_t j = 0; j < length_; ++j) {
      if (longitudes_ % 2 == 0) {
        values[j * lanes + w] = static_cast<double>(rows[w][2 * j]);
        values[plane + j * lanes + w] = static_cast<double>(rows[w][2 * j + 1]);
      } else {
        values[j * lanes + w] = static_cast<double>(rows[w][j]);
      }
    }
  }
  complex_transform(values, spare, lanes);
  unfold(values, lanes, spectrum);
}

template void RealFourier::transform(std::span<const float* const>, std::size_t, double*, Workspace&) const;
template void RealFourier::transform(std::span<const double* const>, std::size_t, double*, Workspace&) const;

}  // namespace mosaic::kernels
