#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace mosaic::kernels {

/// Fourier transform of many rows of L real numbers side by side:
/// F_k = (1/L) sum_l f_l exp(-2 pi i k l / L), k = 0 ... K - 1, K = floor(L/2) + 1.
/// Mixed radices (6, 5, 4, 3, 2, then what primes are left), each pass a small matrix product over the rows;
/// an even L is transformed as L/2 complex numbers. A row has the same bits whatever its neighbours; rows do
/// not mix, NaN stays in its row. Source: Stockham's self-sorting scheme; Cooley and Tukey 1965.
class RealFourier {
 public:
  explicit RealFourier(std::size_t longitudes);

  /// The plan of a length, made at first use and kept. Safe from several threads.
  static const RealFourier& of(std::size_t longitudes);

  std::size_t wavenumbers() const { return longitudes_ / 2 + 1; }

  /// Room that a transform needs and may be used again.
  using Workspace = std::vector<double>;

  /// Rows (at most `lanes`; the remaining lanes get zeros) to spectrum [K, 2 (real, imaginary), lanes].
  template <class Real>
  void transform(std::span<const Real* const> rows, std::size_t lanes, double* spectrum,
                 Workspace& workspace) const;

 private:
  /// One pass: `groups` small matrices [radix, radix] of cos, sin and -sin; see real_fourier.cpp.
  struct Pass {
    std::size_t radix, groups;
    std::vector<double> cosine, sine, negative_sine;
  };

  void complex_transform(double*& values, double*& spare, std::size_t lanes) const;
  void unfold(const double* values, std::size_t lanes, double* spectrum) const;

  std::size_t longitudes_;
  std::size_t length_;  ///< of the complex transform
  std::vector<Pass> passes_;
  std::vector<double> unfold_cosine_, unfold_sine_;  ///< [K] of 2 pi k / L
};

}  // namespace mosaic::kernels
