#include <algorithm>
#include <memory>
#include <vector>

#include "base/parallel_for.hpp"
#include "kernels/dense_product.hpp"
#include "kernels/harmonic_transform/harmonic_transform.hpp"
#include "kernels/real_fourier.hpp"

namespace mosaic::kernels {
namespace {

/// Fields side by side in a tile: 16 make two vectors of 512 bits, and the Fourier coefficients of a tile of
/// winds on 240 x 121 7 MB. Does not change bits.
constexpr std::size_t widest_tile = 16;
constexpr std::size_t lane_step = 4;  // narrower tiles have a multiple of this

/// Zonal coefficients of a tile, folded about the equator: for each m, symmetric part F(j) + F(J-1-j) and
/// antisymmetric part F(j) - F(J-1-j) of the southern rows j, the equator being its own image.
class FoldedCoefficients {
 public:
  FoldedCoefficients(const HarmonicShape& shape, std::size_t components, std::size_t lanes)
      : shape_(shape),
        components_(components),
        lanes_(lanes),
        half_((shape.latitudes + 1) / 2),
        values_(std::make_unique_for_overwrite<double[]>((shape.lmax + 1) * 2 * half_ * columns())) {}

  std::size_t half() const { return half_; }
  /// Columns of a part: [component, 2 (real, imaginary), lane].
  std::size_t columns() const { return components_ * 2 * lanes_; }
  std::size_t lanes() const { return lanes_; }

  enum class Part { symmetric, antisymmetric };
  /// [half, columns]
  const double* part(std::size_t m, Part part) const { return values_.get() + offset(m, part); }

  template <class Real>
  void take(std::size_t component, std::span<const Real* const> fields) {
    const RealFourier& fourier = RealFourier::of(shape_.longitudes);
    RealFourier::Workspace workspace;
    std::vector<double> south(fourier.wavenumbers() * 2 * lanes_), north(south.size());
    std::vector<const Real*> rows(fields.size());
    const auto transform = [&](std::size_t j, std::vector<double>& spectrum) {
      for (std::size_t f = 0; f < fields.size(); ++f) {
        rows[f] = fields[f] + j * shape_.longitudes;
      }
      fourier.transform<Real>(rows, lanes_, spectrum.data(), workspace);
    };
    for (std::size_t j = 0; j < half_; ++j) {
      const std::size_t image = shape_.latitudes - 1 - j;
      transform(j, south);
      if (image != j) {
        transform(image, north);
      }
      fold(component, j, south, image == j ? nullptr : &north);
    }
  }

 private:
  std::size_t offset(std::size_t m, Part part) const {
    return (2 * m + (part == Part::symmetric ? 0 : 1)) * half_ * columns();
  }

  void fold(std::size_t component, std::size_t j, const std::vector<double>& south,
            const std::vector<double>* north) {
    const std::size_t place = j * columns() + component * 2 * lanes_;
    for (std::size_t m = 0; m <= shape_.lmax; ++m) {
      double* symmetric = values_.get() + offset(m, Part::symmetric) + place;
      double* antisymmetric = values_.get() + offset(m, Part::antisymmetric) + place;
      const double* one = south.data() + 2 * m * lanes_;
      const double* other = north ? north->data() + 2 * m * lanes_ : one;
      for (std::size_t w = 0; w < 2 * lanes_; ++w) {
        symmetric[w] = north ? one[w] + other[w] : one[w];
        antisymmetric[w] = one[w] - other[w];
      }
    }
  }

  HarmonicShape shape_;
  std::size_t components_;
  std::size_t lanes_;
  std::size_t half_;
  std::unique_ptr<double[]> values_;  ///< [lmax + 1, 2 parts, half, columns], all written by take()
};

using Part = FoldedCoefficients::Part;

/// Rows l = m ... lmax of a table times the coefficients of m: [lmax - m + 1, columns]. `even` is the part
/// that meets the rows with even l - m.
void analyse_order(const HarmonicShape& shape, std::span<const double> table, const FoldedCoefficients& zonal,
                   std::size_t m, Part even, std::vector<double>& out) {
  const std::size_t columns = zonal.columns(), degrees = shape.lmax - m + 1;
  out.assign(degrees * columns, 0.0);
  for (const std::size_t first : {0U, 1U}) {
    const bool symmetric = (even == Part::symmetric) == (first == 0);
    const double* part = zonal.part(m, symmetric ? Part::symmetric : Part::antisymmetric);
    const double* rows = table.data() + (shape.row(m, m) + first) * shape.latitudes;
    dense_product({rows, 2 * shape.latitudes}, {part, columns}, out.data() + first * columns, 2 * columns,
                  (degrees + 1 - first) / 2, zonal.half(), columns);
  }
}

/// Power by degree of the fields of a tile, [lmax + 1, lanes].
class TilePower {
 public:
  TilePower(const HarmonicShape& shape, std::size_t lanes)
      : lanes_(lanes), values_((shape.lmax + 1) * lanes, 0.0) {}

  double* degree(std::size_t l) { return values_.data() + l * lanes_; }

  /// Lanes to fields [fields, lmax + 1]; a field that is not finite somewhere becomes NaN.
  void write(std::size_t fields, double* power) const {
    const std::size_t degrees = values_.size() / lanes_;
    for (std::size_t f = 0; f < fields; ++f) {
      for (std::size_t l = 0; l < degrees; ++l) {
        power[f * degrees + l] = values_[l * lanes_ + f];
      }
    }
    mark_undefined({power, fields * degrees}, degrees);
  }

 private:
  std::size_t lanes_;
  std::vector<double> values_;
};

std::size_t lanes_for(std::size_t fields) { return (fields + lane_step - 1) / lane_step * lane_step; }

/// Calls body(first field, number of fields) for tiles as even as threads and the widest tile allow.
template <class Body>
void for_tiles(std::size_t fields, int threads, const Body& body) {
  const std::size_t workers = static_cast<std::size_t>(std::max(threads, 1));
  const std::size_t share = lanes_for((fields + workers - 1) / workers);
  const std::size_t tile = std::clamp(share, lane_step, widest_tile);
  parallel_for((fields + tile - 1) / tile, threads,
               [&](std::size_t t) { body(t * tile, std::min(tile, fields - t * tile)); });
}

/// power[w] += factor (re^2 + im^2)
void add_norm(double factor, const double* re, const double* im, std::size_t lanes, double* power) {
  for (std::size_t w = 0; w < lanes; ++w) {
    power[w] += factor * (re[w] * re[w] + im[w] * im[w]);
  }
}

template <class Real>
void scalar_tile(const ScalarHarmonicsArgs<Real>& args, std::size_t first, std::size_t fields) {
  const HarmonicShape& shape = args.shape;
  const std::size_t lanes = lanes_for(fields);
  FoldedCoefficients zonal(shape, 1, lanes);
  zonal.take(0, args.fields.subspan(first, fields));
  TilePower power(shape, lanes);
  std::vector<double> a;
  for (std::size_t m = 0; m <= shape.lmax; ++m) {
    analyse_order(shape, args.scalar, zonal, m, Part::symmetric, a);
    for (std::size_t l = m; l <= shape.lmax; ++l) {
      const double* re = a.data() + (l - m) * zonal.columns();
      add_norm(m == 0 ? 1.0 : 2.0, re, re + lanes, lanes, power.degree(l));
      for (std::size_t f = 0; !args.coefficients.empty() && f < fields; ++f) {
        double* out = args.coefficients.data() + 2 * ((first + f) * shape.rows() + shape.row(m, l));
        out[0] = re[f];
        out[1] = re[lanes + f];
      }
    }
  }
  power.write(fields, args.power.data() + first * (shape.lmax + 1));
}

/// x, y: slope and turning times (u re, u im, v re, v im), each [4, lanes].
void add_wind_norms(double factor, const double* x, const double* y, std::size_t lanes, double* rotational,
                    double* divergent) {
  for (std::size_t w = 0; w < lanes; ++w) {
    const double b_re = x[w] + y[3 * lanes + w], b_im = x[lanes + w] - y[2 * lanes + w];
    const double g_re = y[lanes + w] - x[2 * lanes + w], g_im = x[3 * lanes + w] + y[w];
    rotational[w] += factor * (b_re * b_re + b_im * b_im);
    divergent[w] += factor * (g_re * g_re + g_im * g_im);
  }
}

template <class Real>
void vector_tile(const VectorHarmonicsArgs<Real>& args, std::size_t first, std::size_t fields) {
  const HarmonicShape& shape = args.shape;
  const std::size_t lanes = lanes_for(fields);
  FoldedCoefficients zonal(shape, 2, lanes);
  zonal.take(0, args.u.subspan(first, fields));
  zonal.take(1, args.v.subspan(first, fields));
  TilePower rotational(shape, lanes), divergent(shape, lanes);
  std::vector<double> x, y;
  for (std::size_t m = 0; m <= shape.lmax; ++m) {
    analyse_order(shape, args.slope, zonal, m, Part::antisymmetric, x);
    analyse_order(shape, args.turning, zonal, m, Part::symmetric, y);
    for (std::size_t l = m; l <= shape.lmax; ++l) {
      const std::size_t place = (l - m) * zonal.columns();
      add_wind_norms(m == 0 ? 0.5 : 1.0, x.data() + place, y.data() + place, lanes, rotational.degree(l),
                     divergent.degree(l));
    }
  }
  rotational.write(fields, args.rotational.data() + first * (shape.lmax + 1));
  divergent.write(fields, args.divergent.data() + first * (shape.lmax + 1));
}

}  // namespace

template <class Real>
void scalar_harmonics_cpu(const ScalarHarmonicsArgs<Real>& args) {
  for_tiles(args.fields.size(), args.threads,
            [&](std::size_t first, std::size_t fields) { scalar_tile(args, first, fields); });
}

template <class Real>
void vector_harmonics_cpu(const VectorHarmonicsArgs<Real>& args) {
  for_tiles(args.u.size(), args.threads,
            [&](std::size_t first, std::size_t fields) { vector_tile(args, first, fields); });
}

template void scalar_harmonics_cpu(const ScalarHarmonicsArgs<float>&);
template void scalar_harmonics_cpu(const ScalarHarmonicsArgs<double>&);
template void vector_harmonics_cpu(const VectorHarmonicsArgs<float>&);
template void vector_harmonics_cpu(const VectorHarmonicsArgs<double>&);

}  // namespace mosaic::kernels
