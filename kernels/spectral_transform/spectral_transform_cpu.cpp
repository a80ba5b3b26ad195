#include <algorithm>

#include "kernels/dense_product.hpp"
#include "kernels/spectral_transform/spectral_transform.hpp"
#include "kernels/spectral_transform/zonal_waves.hpp"

namespace mosaic::kernels {
namespace {

/// How the workspace of one call is divided.
struct Rooms {
  double* parts;   ///< [orders, 2 (even, odd n - m), pairs, 2 (real, imaginary), K]
  double* orders;  ///< [orders, 2 (real, imaginary), 2 (south, north), K]
  double* waves;
};

Rooms rooms_in(SpectralWorkspace& workspace, const SpectralShape& shape, std::size_t pairs,
               std::size_t columns, const ZonalWaves& waves) {
  const std::size_t orders = shape.truncation + 1;
  const std::size_t parts = orders * 2 * pairs * 2 * columns;
  const std::size_t of_pair = orders * 4 * columns;
  const std::size_t all = parts + of_pair + waves.workspace(2 * columns);
  if (workspace.size() < all) {
    workspace.resize(all);
  }
  double* begin = workspace.data();
  return {begin, begin + parts, begin + parts + of_pair};
}

/// Degrees n = m + odd, m + odd + 2 ... N.
std::size_t degrees_of(const SpectralShape& shape, std::size_t m, std::size_t odd) {
  return (shape.truncation - m + 2 - odd) / 2;
}

}  // namespace

void spectral_synthesis_cpu(const SynthesisArgs& args, SpectralWorkspace& workspace) {
  const SpectralShape& shape = args.shape;
  const std::size_t K = args.columns, L = shape.longitudes, orders = shape.truncation + 1;
  const std::size_t pairs = args.pairs.count;
  const ZonalWaves& waves = ZonalWaves::of(orders, L);
  const Rooms rooms = rooms_in(workspace, shape, pairs, K, waves);
  const std::size_t part_size = pairs * 2 * K;
  std::fill(rooms.parts, rooms.parts + orders * 2 * part_size, 0.0);
  for (std::size_t m = 0; m < orders; ++m) {
    for (std::size_t odd = 0; odd < 2; ++odd) {
      const std::size_t degrees = degrees_of(shape, m, odd);
      if (degrees == 0) {
        continue;
      }
      const double* table =
          args.table.data() + args.pairs.first * shape.rows() + shape.parity_row(m, m + odd);
      const double* x = args.spectrum.data() + shape.row(m, m + odd) * 2 * K;
      dense_product({table, shape.rows()}, {x, 4 * K}, rooms.parts + (2 * m + odd) * part_size, 2 * K, pairs,
                    degrees, 2 * K);
    }
  }
  const auto factor =
      args.factor == ZonalFactor::one ? ZonalWaves::Factor::one : ZonalWaves::Factor::imaginary_unit;
  const double north_sign = args.mirror == Mirror::even ? 1.0 : -1.0;
  for (std::size_t p = 0; p < pairs; ++p) {
    for (std::size_t m = 0; m < orders; ++m) {
      const double* even = rooms.parts + 2 * m * part_size + p * 2 * K;
      const double* odd = even + part_size;
      double* out = rooms.orders + m * 4 * K;
      for (std::size_t part = 0; part < 2; ++part) {
        for (std::size_t k = 0; k < K; ++k) {
          out[part * 2 * K + k] = even[part * K + k] + odd[part * K + k];
          out[part * 2 * K + K + k] = north_sign * (even[part * K + k] - odd[part * K + k]);
        }
      }
    }
    waves.synthesize(rooms.orders, factor, 2 * K, args.grid.data() + p * L * 2 * K, rooms.waves);
  }
}

void spectral_analysis_cpu(const AnalysisArgs& args, SpectralWorkspace& workspace) {
  const SpectralShape& shape = args.shape;
  const std::size_t K = args.columns, L = shape.longitudes, orders = shape.truncation + 1;
  const std::size_t pairs = args.pairs.count;
  const ZonalWaves& waves = ZonalWaves::of(orders, L);
  const Rooms rooms = rooms_in(workspace, shape, pairs, K, waves);
  const std::size_t part_size = pairs * 2 * K;
  for (std::size_t p = 0; p < pairs; ++p) {
    waves.analyse(args.grid.data() + p * L * 2 * K, 2 * K, rooms.orders, rooms.waves);
    for (std::size_t m = 0; m < orders; ++m) {
      const double* in = rooms.orders + m * 4 * K;
      double* even = rooms.parts + 2 * m * part_size + p * 2 * K;
      double* odd = even + part_size;
      for (std::size_t part = 0; part < 2; ++part) {
        for (std::size_t k = 0; k < K; ++k) {
          const double south = in[part * 2 * K + k], north = in[part * 2 * K + K + k];
          even[part * K + k] = south + north;
          odd[part * K + k] = south - north;
        }
      }
    }
  }
  for (std::size_t m = 0; m < orders; ++m) {
    for (std::size_t odd = 0; odd < 2; ++odd) {
      const std::size_t degrees = degrees_of(shape, m, odd);
      if (degrees == 0) {
        continue;
      }
      const double* table = args.table.data() + shape.row(m, m + odd) * shape.half() + args.pairs.first;
      double* x = args.spectrum.data() + shape.row(m, m + odd) * 2 * K;
      dense_product({table, 2 * shape.half()}, {rooms.parts + (2 * m + odd) * part_size, 2 * K}, x, 4 * K,
                    degrees, pairs, 2 * K);
    }
  }
}

}  // namespace mosaic::kernels
