#include "world/world_fields.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.hpp"
#include "base/parallel_for.hpp"
#include "grid/harmonic_tables.hpp"
#include "world/geography.hpp"
#include "world/regular_grid.hpp"
#include "world/spectral_space.hpp"

namespace mosaic::world {
namespace {

/// Global mean heights of the levels [m].
constexpr std::array<double, levels> mean_height = {11784, 5574, 1949};

/// Fields with values: geopotential and temperature of the levels, temperature of the layers.
constexpr std::size_t scalars = 2 * levels + layers;
constexpr std::size_t band = 4;  // pairs of latitudes at a time

double epsilon(std::size_t m, std::size_t n) {
  const auto order = static_cast<double>(m), degree = static_cast<double>(n);
  return std::sqrt((degree * degree - order * order) / (4 * degree * degree - 1));
}

/// Phi[m,n] of psi, both at one more degree than the state: linear balance lap Phi = div(f grad psi).
std::vector<double> balanced_geopotential(std::size_t truncation, const std::vector<double>& psi,
                                          std::size_t members) {
  const std::size_t size = 2 * levels * members;
  std::vector<double> phi(psi.size());
  for (std::size_t m = 0; m <= truncation; ++m) {
    for (std::size_t n = std::max<std::size_t>(m, 1); n <= truncation; ++n) {
      const auto degree = static_cast<double>(n);
      const double below = n > m ? 2 * rotation * (degree - 1) / degree * epsilon(m, n) : 0;
      const double above =
          n < truncation ? 2 * rotation * (degree + 2) / (degree + 1) * epsilon(m, n + 1) : 0;
      double* out = phi.data() + harmonic_row(truncation, m, n) * size;
      const double* at = psi.data() + harmonic_row(truncation, m, n) * size;
      for (std::size_t i = 0; i < size; ++i) {
        out[i] = (n > m ? below * *(at + i - size) : 0) + (n < truncation ? above * *(at + i + size) : 0);
      }
    }
  }
  for (std::size_t level = 0; level < levels; ++level) {
    std::fill_n(phi.data() + level * members, members, gravity * mean_height[level]);
  }
  return phi;
}

/// Weights of the levels' geopotentials in -1/R dPhi/dln p: the parabola through the three levels at each of
/// them, then the mean temperatures of the two layers.
std::array<std::array<double, levels>, levels + layers> temperature_weights() {
  std::array<double, levels> x;
  for (std::size_t i = 0; i < levels; ++i) {
    x[i] = std::log(static_cast<double>(pressure_levels[i]));
  }
  std::array<std::array<double, levels>, levels + layers> weights{};
  for (std::size_t at = 0; at < levels; ++at) {
    for (std::size_t i = 0; i < levels; ++i) {
      const std::size_t j = (i + 1) % 3, k = (i + 2) % 3;
      const double slope = ((x[at] - x[j]) + (x[at] - x[k])) / ((x[i] - x[j]) * (x[i] - x[k]));
      weights[at][i] = -slope / gas_constant;
    }
  }
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const double factor = 1 / (gas_constant * (x[layer + 1] - x[layer]));
    weights[levels + layer][layer] = factor;
    weights[levels + layer][layer + 1] = -factor;
  }
  return weights;
}

/// [rows, 2, scalars, members]
std::vector<double> scalar_spectra(const std::vector<double>& phi, std::size_t members) {
  static const auto weights = temperature_weights();
  const std::size_t parts = phi.size() / (levels * members);
  std::vector<double> spectra(parts * scalars * members);
  for (std::size_t i = 0; i < parts; ++i) {
    const double* in = phi.data() + i * levels * members;
    double* out = spectra.data() + i * scalars * members;
    std::copy_n(in, levels * members, out);
    for (std::size_t t = 0; t < weights.size(); ++t) {
      const auto& w = weights[t];
      for (std::size_t e = 0; e < members; ++e) {
        out[(levels + t) * members + e] = w[0] * in[e] + w[1] * in[members + e] + w[2] * in[2 * members + e];
      }
    }
  }
  return spectra;
}

/// What the fields are made of, at one more degree than the state.
struct FieldSpectra {
  std::vector<double> psi;      ///< [rows, 2, levels, members]
  std::vector<double> scalars;  ///< [rows, 2, scalars, members]
};

FieldSpectra field_spectra(const World& world, const WorldState& state) {
  const auto small = static_cast<std::size_t>(world.parameters().truncation), large = small + 1;
  const Spectra psi = world.streamfunction(state.q);
  const std::size_t size = 2 * levels * state.members();
  FieldSpectra spectra;
  spectra.psi.resize(harmonic_rows(large) * size);
  for (std::size_t m = 0; m <= small; ++m) {
    std::copy_n(psi.data() + harmonic_row(small, m, m) * size, (small - m + 1) * size,
                spectra.psi.data() + harmonic_row(large, m, m) * size);
  }
  spectra.scalars =
      scalar_spectra(balanced_geopotential(large, spectra.psi, state.members()), state.members());
  return spectra;
}

/// Brings what a synthesis gives for a band, [pairs, L, 2 (south, north), columns], to the members' fields.
template <class Real>
struct BandWriter {
  kernels::SpectralShape shape;
  kernels::LatitudePairs pairs;
  std::size_t members;
  const std::vector<Real*>& fields;
  kernels::SpectralWorkspace workspace = {};
  std::vector<double> grid = {};

  /// The columns of args are [channels from `channel` on, members].
  void put(std::size_t channel, double factor, kernels::SynthesisArgs args) {
    grid.resize(pairs.count * 2 * shape.longitudes * args.columns);
    args.grid = grid;
    kernels::spectral_synthesis(args, workspace);
    const std::size_t points = shape.latitudes * shape.longitudes;
    const double* values = grid.data();
    for (std::size_t p = pairs.first; p < pairs.first + pairs.count; ++p) {
      for (std::size_t l = 0; l < shape.longitudes; ++l) {
        for (const std::size_t j : {p, shape.latitudes - 1 - p}) {
          for (std::size_t c = 0; c < args.columns; ++c) {
            fields[c % members][(channel + c / members) * points + j * shape.longitudes + l] =
                static_cast<Real>(factor * values[c]);
          }
          values += args.columns;
        }
      }
    }
  }
};

template <class Function>
std::vector<float> at_points(const LatLonGrid& grid, const Function& function) {
  std::vector<float> values;
  for (const double latitude : grid.latitude) {
    for (const double longitude : grid.longitude) {
      values.push_back(static_cast<float>(function(longitude, latitude)));
    }
  }
  return values;
}

}  // namespace

const ChannelSet& world_channels() {
  static const ChannelSet channels = [] {
    ChannelSet set;
    for (const char* variable :
         {"u_component_of_wind", "v_component_of_wind", "geopotential", "temperature"}) {
      for (const int level : pressure_levels) {
        set.push_back({variable, level});
      }
    }
    set.push_back({"upper_layer_temperature", std::nullopt});
    set.push_back({"lower_layer_temperature", std::nullopt});
    return set;
  }();
  return channels;
}

struct WorldFields::Parts {
  std::size_t truncation;  ///< of the geopotential, one more than the state's
  std::shared_ptr<const LatLonGrid> grid;
  kernels::SpectralShape shape;
  SpectralTables tables;
};

WorldFields::WorldFields(const Parameters& parameters, std::shared_ptr<const LatLonGrid> grid) {
  require_regular(*grid, "fields of the simulated world");
  const auto truncation = static_cast<std::size_t>(parameters.truncation) + 1;
  const kernels::SpectralShape shape{truncation, grid->latitude.size(), grid->longitude.size()};
  require(2 * truncation < shape.longitudes, ExitCode::bad_configuration,
          "a grid of {} longitudes is too coarse for the simulated world at T{}: at least {} are needed",
          shape.longitudes, parameters.truncation, 2 * truncation + 1);
  const std::vector<Extended> south = colatitudes_of(grid->latitude, shape.half());
  parts_ = std::make_unique<const Parts>(
      Parts{truncation, std::move(grid), shape, make_spectral_tables(truncation, south)});
}

WorldFields::~WorldFields() = default;

template <class Real>
void WorldFields::synthesize_any(const World& world, const WorldState& state,
                                 const std::vector<Real*>& fields, int threads) const {
  require(fields.size() == state.members(), "room for {} members, there are {}", fields.size(),
          state.members());
  require(parts_->truncation == static_cast<std::size_t>(world.parameters().truncation) + 1,
          "fields for T{} of a world of T{}", parts_->truncation - 1, world.parameters().truncation);
  const auto& shape = parts_->shape;
  const std::size_t members = state.members();
  const FieldSpectra spectra = field_spectra(world, state);
  const std::size_t bands = (shape.half() + band - 1) / band;
  parallel_for(bands, threads, [&](std::size_t b) {
    const kernels::LatitudePairs pairs{b * band, std::min(band, shape.half() - b * band)};
    const SpectralTables& tables = parts_->tables;
    using enum kernels::Mirror;
    using enum kernels::ZonalFactor;
    BandWriter<Real> writer{shape, pairs, members, fields};
    writer.put(0, -1 / radius,
               {shape, tables.derivative, odd, one, spectra.psi, levels * members, pairs, {}});
    writer.put(levels, 1 / radius,
               {shape, tables.over_cosine, even, imaginary_unit, spectra.psi, levels * members, pairs, {}});
    writer.put(2 * levels, 1,
               {shape, tables.value, even, one, spectra.scalars, scalars * members, pairs, {}});
  });
}

void WorldFields::synthesize(const World& world, const WorldState& state, const std::vector<float*>& fields,
                             int threads) const {
  synthesize_any(world, state, fields, threads);
}

void WorldFields::synthesize(const World& world, const WorldState& state, const std::vector<double*>& fields,
                             int threads) const {
  synthesize_any(world, state, fields, threads);
}

std::vector<State> WorldFields::states(const World& world, const WorldState& state, int threads) const {
  static const auto channels = std::make_shared<const ChannelSet>(world_channels());
  std::vector<State> states;
  std::vector<float*> fields;
  for (const Time time : state.times) {
    states.push_back({time, parts_->grid, channels, {}});
    states.back().values.resize(channels->size() * parts_->grid->points());
  }
  for (State& one : states) {
    fields.push_back(one.values.data());
  }
  synthesize(world, state, fields, threads);
  return states;
}

std::vector<float> surface_geopotential(const LatLonGrid& grid) {
  return at_points(
      grid, [](double longitude, double latitude) { return gravity * surface_height(longitude, latitude); });
}

std::vector<float> land_sea_mask(const LatLonGrid& grid) { return at_points(grid, land_fraction); }

}  // namespace mosaic::world
