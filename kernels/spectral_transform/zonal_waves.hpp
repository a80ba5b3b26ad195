#pragma once

#include <cstddef>
#include <vector>

namespace mosaic::kernels {

/// Sums of few zonal waves on a circle of L longitudes, for C columns side by side, as matrix products. Where
/// L is a multiple of four the circle is folded twice: even and odd orders differ by a sign half a turn on,
/// cosines and sines in the mirror image, so four products over a quarter of the circle give it all.
class ZonalWaves {
 public:
  ZonalWaves(std::size_t orders, std::size_t longitudes);

  /// The tables of a size, made at first use and kept. Safe from several threads.
  static const ZonalWaves& of(std::size_t orders, std::size_t longitudes);

  std::size_t workspace(std::size_t columns) const { return 4 * places_ * columns; }

  enum class Factor { one, imaginary_unit };
  /// circle[l] = sum_m c_m Re(z a[m] exp(2 pi i m l / L)), c_0 = 1, c_m = 2. coefficients:
  /// [orders, 2 (real, imaginary), C], circle: [L, C]
  void synthesize(const double* coefficients, Factor factor, std::size_t columns, double* circle,
                  double* workspace) const;

  /// a[m] = (1/L) sum_l circle[l] exp(-2 pi i m l / L)
  void analyse(const double* circle, std::size_t columns, double* coefficients, double* workspace) const;

 private:
  /// cos or sin of 2 pi m l / L for the orders of one parity: which products over which part of the circle.
  enum Kind : std::size_t { even_cosine, odd_cosine, even_sine, odd_sine, kinds };

  std::size_t orders_of(Kind kind) const;
  void unfold(const double* sums, std::size_t columns, double* circle) const;
  void fold(const double* circle, std::size_t columns, double* sums) const;

  std::size_t orders_;
  std::size_t longitudes_;
  bool folded_;
  std::size_t places_;                       ///< L / 4 + 1 where folded, else L
  std::vector<double> synthesis_[2][kinds];  ///< [factor][kind]: [places, orders of its parity]
  std::vector<double> analysis_[kinds];      ///< [orders of its parity, places]
};

}  // namespace mosaic::kernels
