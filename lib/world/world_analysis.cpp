#include "world/world_analysis.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "kernels/dense_product.hpp"
#include "kernels/real_fourier.hpp"
#include "world/dynamics.hpp"
#include "world/regular_grid.hpp"

namespace mosaic::world {
namespace {

using Square = std::vector<std::vector<double>>;

/// Lower triangle of Cholesky's factor, in place. Errors: corrupt_input for a matrix that is not positive.
void factorize(Square& a) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i][j];
      for (std::size_t k = 0; k < j; ++k) {
        sum -= a[i][k] * a[j][k];
      }
      require(i != j || sum > 0, ExitCode::corrupt_input,
              "the grid does not tell the harmonics of the simulated world apart");
      a[i][j] = i == j ? std::sqrt(sum) : sum / a[j][j];
    }
  }
}

/// Solves with that factor, in place.
void solve(const Square& factor, std::vector<double>& x) {
  const std::size_t size = factor.size();
  for (std::size_t i = 0; i < size; ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      x[i] -= factor[i][k] * x[k];
    }
    x[i] /= factor[i][i];
  }
  for (std::size_t i = size; i-- > 0;) {
    for (std::size_t k = i + 1; k < size; ++k) {
      x[i] -= factor[k][i] * x[k];
    }
    x[i] /= factor[i][i];
  }
}

/// For an order m, from u_m(j) and -i v_m(j) at the latitudes to the streamfunction's degrees max(m, 1) ...
/// N: [degrees, 2 (u, v), latitudes].
std::vector<double> least_squares(const kernels::SpectralShape& shape, const SpectralTables& tables,
                                  const std::vector<double>& weights, std::size_t m) {
  const std::size_t first = std::max<std::size_t>(m, 1), degrees = shape.truncation - first + 1;
  const std::size_t J = shape.latitudes;
  const auto wind = [&](std::size_t n, std::size_t component, std::size_t j) {
    const std::size_t at = j * shape.rows() + shape.parity_row(m, n);
    return (component == 0 ? -tables.derivative[at] : tables.over_cosine[at]) / radius;
  };
  Square normal(degrees, std::vector<double>(degrees));
  for (std::size_t a = 0; a < degrees; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      for (std::size_t j = 0; j < J; ++j) {
        normal[a][b] += weights[j] * (wind(first + a, 0, j) * wind(first + b, 0, j) +
                                      wind(first + a, 1, j) * wind(first + b, 1, j));
      }
    }
  }
  factorize(normal);
  std::vector<double> matrix(degrees * 2 * J);
  std::vector<double> column(degrees);
  for (std::size_t component = 0; component < 2; ++component) {
    for (std::size_t j = 0; j < J; ++j) {
      for (std::size_t a = 0; a < degrees; ++a) {
        column[a] = weights[j] * wind(first + a, component, j);
      }
      solve(normal, column);
      for (std::size_t a = 0; a < degrees; ++a) {
        matrix[(2 * a + component) * J + j] = column[a];
      }
    }
  }
  return matrix;
}

std::size_t place_of(const ChannelSet& channels, const char* variable, int level) {
  const Channel wanted{variable, level};
  const auto found = std::find(channels.begin(), channels.end(), wanted);
  require(found != channels.end(), "analysis of the simulated world: there is no {}", wanted.name());
  return static_cast<std::size_t>(found - channels.begin());
}

}  // namespace

struct WorldAnalysis::Parts {
  const World& world;
  std::shared_ptr<const LatLonGrid> grid;
  kernels::SpectralShape shape;
  std::array<std::array<std::size_t, levels>, 2> channels;  ///< of u and v
  std::vector<std::vector<double>> matrices;                ///< [order], see least_squares()
};

WorldAnalysis::WorldAnalysis(const World& world, std::shared_ptr<const LatLonGrid> grid,
                             const ChannelSet& channels) {
  require_regular(*grid, "analysis of the simulated world");
  const auto truncation = static_cast<std::size_t>(world.parameters().truncation);
  const kernels::SpectralShape shape{truncation, grid->latitude.size(), grid->longitude.size()};
  require(shape.longitudes > 2 * truncation && shape.latitudes > truncation, ExitCode::corrupt_input,
          "the grid {} is too coarse for the simulated world at T{}: at least {} x {} are needed",
          to_string(*grid), truncation, 2 * truncation + 1, truncation + 1);
  Parts parts{world, grid, shape, {}, {}};
  for (std::size_t level = 0; level < levels; ++level) {
    parts.channels[0][level] = place_of(channels, "u_component_of_wind", pressure_levels[level]);
    parts.channels[1][level] = place_of(channels, "v_component_of_wind", pressure_levels[level]);
  }
  const SpectralTables tables =
      make_spectral_tables(truncation, colatitudes_of(grid->latitude, grid->latitude.size()));
  const std::vector<double> weights = area_weights(*grid);
  for (std::size_t m = 0; m <= truncation; ++m) {
    parts.matrices.push_back(least_squares(shape, tables, weights, m));
  }
  parts_ = std::make_unique<const Parts>(std::move(parts));
}

WorldAnalysis::~WorldAnalysis() = default;

WorldState WorldAnalysis::analyse(std::span<const float* const> fields, std::span<const Time> times) const {
  require(fields.size() == times.size() && !times.empty(), "{} states and {} times", fields.size(),
          times.size());
  const auto& shape = parts_->shape;
  const std::size_t members = fields.size(), J = shape.latitudes, size = levels * members;
  // [orders, 2 (real, imaginary), 2 (u, -i v), J, levels, members]
  std::vector<double> waves((shape.truncation + 1) * 4 * J * size);
  const auto& fourier = kernels::RealFourier::of(shape.longitudes);
  kernels::RealFourier::Workspace workspace;
  std::vector<double> spectrum(fourier.wavenumbers() * 2 * size);
  std::vector<const float*> rows(size);
  for (std::size_t component = 0; component < 2; ++component) {
    for (std::size_t j = 0; j < J; ++j) {
      for (std::size_t c = 0; c < size; ++c) {
        const std::size_t channel = parts_->channels[component][c / members];
        rows[c] = fields[c % members] + (channel * J + j) * shape.longitudes;
      }
      fourier.transform<float>(rows, size, spectrum.data(), workspace);
      for (std::size_t m = 0; m <= shape.truncation; ++m) {
        for (std::size_t part = 0; part < 2; ++part) {
          // -i (re + i im) = im - i re
          const std::size_t from = component == 0 ? part : 1 - part;
          const double sign = component == 1 && part == 1 ? -1 : 1;
          double* out = waves.data() + (((2 * m + part) * 2 + component) * J + j) * size;
          for (std::size_t c = 0; c < size; ++c) {
            out[c] = sign * spectrum[(2 * m + from) * size + c];
          }
        }
      }
    }
  }
  Spectra psi(shape.rows() * 2 * size);
  for (std::size_t m = 0; m <= shape.truncation; ++m) {
    const std::size_t first = std::max<std::size_t>(m, 1);
    for (std::size_t part = 0; part < (m == 0 ? 1U : 2U); ++part) {
      kernels::dense_product({parts_->matrices[m].data(), 2 * J},
                             {waves.data() + (2 * m + part) * 2 * J * size, size},
                             psi.data() + (shape.row(m, first) * 2 + part) * size, 2 * size,
                             shape.truncation - first + 1, 2 * J, size);
    }
  }
  return {{times.begin(), times.end()}, parts_->world.potential_vorticity(psi)};
}

void add_perturbations(const World& world, std::span<const float> normals, double size, WorldState& state) {
  const std::size_t members = state.members();
  require(normals.size() == members * perturbation_draws, "{} draws for perturbations of {} members",
          normals.size(), members);
  const auto& shape = world.dynamics().space().shape();
  constexpr std::size_t lowest = 3, highest = 12;
  const double deviation = size * std::sqrt(static_cast<double>(levels) / perturbation_draws);
  Spectra psi(state.q.size());
  for (std::size_t e = 0; e < members; ++e) {
    const float* draw = normals.data() + e * perturbation_draws;
    for (std::size_t level = 0; level < levels; ++level) {
      for (std::size_t n = lowest; n <= highest; ++n) {
        for (std::size_t m = 0; m <= n; ++m) {
          for (std::size_t part = 0; part < (m == 0 ? 1U : 2U); ++part) {
            const double factor = m == 0 ? deviation : deviation / std::sqrt(2.0);
            psi[((shape.row(m, n) * 2 + part) * levels + level) * members + e] = factor * *draw++;
          }
        }
      }
    }
  }
  const Spectra q = world.potential_vorticity(psi);
  for (std::size_t i = 0; i < q.size(); ++i) {
    state.q[i] += q[i];
  }
}

}  // namespace mosaic::world
