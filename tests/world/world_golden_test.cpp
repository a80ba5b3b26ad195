// Transforms, geography, forcing and output fields against golden/qg3. Tolerances: those of its README,
// relative to the largest absolute value of the array.

#include <gtest/gtest.h>

#include <cmath>

#include "support/golden.hpp"
#include "world/geography.hpp"
#include "world/golden_world.hpp"
#include "world/split_mix.hpp"
#include "world/world_fields.hpp"

namespace mosaic::world {
namespace {

using test::packed;
using test::paired;
using test::relative_difference;
using What = SpectralSpace::What;

/// The truncation of a golden spectrum.
std::size_t truncation_of(const TensorView& spectrum) {
  return static_cast<std::size_t>(spectrum.shape[0]) - 1;
}

std::vector<double> every(const std::vector<double>& values, std::size_t longitudes, std::size_t step) {
  std::vector<double> some;
  for (std::size_t j = 0; j < values.size() / longitudes; j += step) {
    for (std::size_t l = 0; l < longitudes; l += step) {
      some.push_back(values[j * longitudes + l]);
    }
  }
  return some;
}

/// A spectrum on any grid, [lat, lon].
std::vector<double> synthesized(const LatLonGrid& grid, std::size_t truncation,
                                const std::vector<double>& spectrum, What what) {
  const kernels::SpectralShape shape{truncation, grid.latitude.size(), grid.longitude.size()};
  const SpectralTables tables = make_spectral_tables(truncation, colatitudes_of(grid.latitude, shape.half()));
  kernels::SpectralWorkspace workspace;
  std::vector<double> pairs(shape.half() * 2 * shape.longitudes);
  kernels::spectral_synthesis(
      {shape,
       what == What::value            ? tables.value
       : what == What::zonal_gradient ? tables.over_cosine
                                      : tables.derivative,
       what == What::meridional_gradient ? kernels::Mirror::odd : kernels::Mirror::even,
       what == What::zonal_gradient ? kernels::ZonalFactor::imaginary_unit : kernels::ZonalFactor::one,
       spectrum,
       1,
       {0, shape.half()},
       pairs},
      workspace);
  std::vector<double> values(grid.points());
  for (std::size_t p = 0; p < shape.half(); ++p) {
    for (std::size_t l = 0; l < shape.longitudes; ++l) {
      values[p * shape.longitudes + l] = pairs[(p * shape.longitudes + l) * 2];
      values[(shape.latitudes - 1 - p) * shape.longitudes + l] = pairs[(p * shape.longitudes + l) * 2 + 1];
    }
  }
  return values;
}

TEST(WorldTransforms, GaussianGridAndLegendreFunctions) {
  GOLDEN_OR_SKIP(path, "qg3/transforms_t21.npz");
  const auto golden = open_tensor_file(path.string());
  const auto sine = golden->at("gauss_sin_lat").to_double();
  const GaussianLatitudes gauss = gaussian_latitudes(sine.size());
  EXPECT_LT(relative_difference(gauss.sine, sine), 1e-12);
  EXPECT_LT(relative_difference(gauss.weight, golden->at("gauss_weight").to_double()), 1e-12);

  const auto places = golden->at("legendre_sin_lat").to_double();
  const std::size_t truncation = truncation_of(golden->at("legendre"));
  std::vector<Extended> colatitudes;
  for (const double place : places) {
    colatitudes.push_back(std::acos(static_cast<Extended>(place)));
  }
  const SpectralTables tables = make_spectral_tables(truncation, colatitudes);
  const kernels::SpectralShape shape{truncation, places.size(), 2 * truncation + 2};
  const auto in_golden_order = [&](const std::vector<double>& table, bool divide_by_order) {
    std::vector<double> values((truncation + 1) * (truncation + 1) * places.size());
    for (std::size_t m = 0; m <= truncation; ++m) {
      for (std::size_t n = m; n <= truncation; ++n) {
        for (std::size_t j = 0; j < places.size(); ++j) {
          const double value = table[j * shape.rows() + shape.parity_row(m, n)];
          values[(m * (truncation + 1) + n) * places.size() + j] =
              divide_by_order && m > 0 ? value / static_cast<double>(m) : value;
        }
      }
    }
    return values;
  };
  EXPECT_LT(relative_difference(in_golden_order(tables.value, false), golden->at("legendre").to_double()),
            1e-12);
  EXPECT_LT(relative_difference(in_golden_order(tables.over_cosine, true),
                                golden->at("legendre_over_cos").to_double()),
            1e-12);
  EXPECT_LT(
      relative_difference(in_golden_order(tables.derivative, false), golden->at("legendre_dlat").to_double()),
      1e-12);
}

TEST(WorldTransforms, SynthesisAnalysisGradients) {
  GOLDEN_OR_SKIP(path, "qg3/transforms_t21.npz");
  const auto golden = open_tensor_file(path.string());
  const std::vector<double> spectrum = packed(golden->at("spectral"));
  const auto latitudes = static_cast<std::size_t>(golden->at("grid").shape[0]);
  const std::size_t truncation = truncation_of(golden->at("spectral"));
  const SpectralSpace space(truncation, latitudes);
  const auto values = space.synthesize(What::value, spectrum, 1);
  const auto on_grid = [&](const char* name) { return paired(golden->at(name).to_double(), latitudes); };
  EXPECT_LT(relative_difference(values, on_grid("grid")), 1e-12);
  EXPECT_LT(relative_difference(space.synthesize(What::zonal_gradient, spectrum, 1), on_grid("gradient_x")),
            1e-12);
  EXPECT_LT(
      relative_difference(space.synthesize(What::meridional_gradient, spectrum, 1), on_grid("gradient_y")),
      1e-12);
  EXPECT_LT(relative_difference(space.analyse(values, 1), spectrum), 1e-12);

  EXPECT_LT(
      relative_difference(synthesized(LatLonGrid::without_poles(64, 32), truncation, spectrum, What::value),
                          golden->at("equiangular_64x32").to_double()),
      1e-12);
  const LatLonGrid poles = LatLonGrid::with_poles(120, 61);
  EXPECT_LT(relative_difference(every(synthesized(poles, truncation, spectrum, What::value), 120, 4),
                                golden->at("poles_120x61_every4").to_double()),
            1e-12);
  const auto first_and_last_rows = [&](What what) {
    const auto all = synthesized(poles, truncation, spectrum, what);
    std::vector<double> rows(all.begin(), all.begin() + 240);
    rows.insert(rows.end(), all.end() - 240, all.end());
    return rows;
  };
  EXPECT_LT(relative_difference(first_and_last_rows(What::zonal_gradient),
                                golden->at("poles_gradient_x").to_double()),
            1e-12);
  EXPECT_LT(relative_difference(first_and_last_rows(What::meridional_gradient),
                                golden->at("poles_gradient_y").to_double()),
            1e-12);
}

TEST(WorldSetup, OurParametersAreTheStatedOnes) {
  GOLDEN_OR_SKIP(scalars, "qg3/scalars_t21.json");
  auto golden = test::golden_parameters(scalars.string());
  EXPECT_EQ(named_values(parameters_of(golden.truncation)), named_values(golden));
}

TEST(WorldSetup, GeographyAndForcing) {
  GOLDEN_OR_SKIP(path, "qg3/setup_t21.npz");
  const auto golden = open_tensor_file(path.string());
  const auto latitudes = static_cast<std::size_t>(golden->at("land_fraction").shape[0]);
  GOLDEN_OR_SKIP(scalars, "qg3/scalars_t21.json");
  const Dynamics dynamics(test::golden_parameters(scalars.string()));
  const SpectralSpace& space = dynamics.space();
  const auto on_grid = [&](const char* name) { return paired(golden->at(name).to_double(), latitudes); };
  EXPECT_LT(relative_difference(space.on_grid(land_fraction), on_grid("land_fraction")), 1e-12);
  EXPECT_LT(relative_difference(space.on_grid(surface_height), on_grid("orography")), 1e-12);
  const Forcing& forcing = dynamics.forcing();
  EXPECT_LT(relative_difference(forcing.orography_spectrum, packed(golden->at("orography_spectral"))), 1e-12);
  EXPECT_LT(relative_difference(forcing.drag_spectrum, packed(golden->at("drag_spectral"))), 1e-12);
  EXPECT_LT(relative_difference(forcing.drag, on_grid("drag_grid")), 1e-12);
  EXPECT_LT(relative_difference(forcing.planetary, packed(golden->at("planetary_spectral"))), 1e-12);
  const TensorView& equilibrium = golden->at("equilibrium");
  const std::size_t part_bytes = equilibrium.bytes.size() / 2;
  for (std::size_t part = 0; part < 2; ++part) {
    const TensorView one{equilibrium.type,
                         {equilibrium.shape.begin() + 1, equilibrium.shape.end()},
                         equilibrium.bytes.subspan(part * part_bytes, part_bytes)};
    EXPECT_LT(relative_difference(forcing.equilibrium[part], packed(one)), 1e-12) << "part " << part;
  }
}

TEST(WorldSetup, MatricesDampingAndStart) {
  GOLDEN_OR_SKIP(path, "qg3/setup_t21.npz");
  const auto golden = open_tensor_file(path.string());
  GOLDEN_OR_SKIP(scalars, "qg3/scalars_t21.json");
  const World world(test::golden_parameters(scalars.string()));
  const SpectralSpace& space = world.dynamics().space();
  const std::size_t degrees = space.shape().truncation + 1;
  std::vector<double> matrices, damping;
  for (std::size_t n = 0; n < degrees; ++n) {
    for (std::size_t i = 0; i < levels; ++i) {
      for (std::size_t j = 0; j < levels; ++j) {
        Spectra q(space.shape().rows() * 2 * levels);
        q[space.shape().row(0, n) * 2 * levels + j] = 1;
        matrices.push_back(world.streamfunction(q)[space.shape().row(0, n) * 2 * levels + i]);
      }
    }
    Spectra q(space.shape().rows() * 2 * levels, 1.0), tendency(q.size());
    world.dynamics().add_diffusion(q.data(), 1, tendency.data());
    damping.push_back(-tendency[space.shape().row(0, n) * 2 * levels]);
  }
  EXPECT_LT(relative_difference(matrices, golden->at("psi_from_q").to_double()), 1e-12);
  EXPECT_LT(relative_difference(damping, golden->at("diffusion_rate").to_double()), 1e-12);

  SplitMix generator(1);
  for (const double number : golden->at("splitmix64_uniform_seed1").to_double()) {
    EXPECT_EQ(generator.next(), number);
  }
  const WorldState start = world.start(std::vector{epoch}, std::vector<std::uint64_t>{1});
  EXPECT_LT(relative_difference(start.q, packed(golden->at("start_seed1_q"))), 1e-12);
}

/// Channels of `variable` as [lat, lon, level].
std::vector<double> levels_last(const std::vector<double>& fields, std::size_t points, std::size_t first,
                                std::size_t count) {
  std::vector<double> values;
  for (std::size_t i = 0; i < points; ++i) {
    for (std::size_t c = first; c < first + count; ++c) {
      values.push_back(fields[c * points + i]);
    }
  }
  return values;
}

std::vector<double> fields_of(const World& world, const WorldState& state, const LatLonGrid& grid) {
  const WorldFields fields(world.parameters(), std::make_shared<const LatLonGrid>(grid));
  std::vector<double> values(world_channels().size() * grid.points());
  fields.synthesize(world, state, std::vector<double*>{values.data()}, 1);
  return values;
}

TEST(WorldFields, GoldenState) {
  GOLDEN_OR_SKIP(path, "qg3/fields_t21.npz");
  GOLDEN_OR_SKIP(dynamics_path, "qg3/dynamics_t21.npz");
  const auto golden = open_tensor_file(path.string());
  const auto dynamics = open_tensor_file(dynamics_path.string());
  GOLDEN_OR_SKIP(scalars, "qg3/scalars_t21.json");
  const World world(test::golden_parameters(scalars.string()));
  const WorldState state{{epoch}, packed(dynamics->at("q0"))};
  const LatLonGrid small = LatLonGrid::without_poles(64, 32);
  const auto fields = fields_of(world, state, small);
  const auto expect = [&](const char* name, std::size_t first, std::size_t count, double tolerance) {
    EXPECT_LT(
        relative_difference(levels_last(fields, small.points(), first, count), golden->at(name).to_double()),
        tolerance)
        << name;
  };
  expect("u_64x32", 0, 3, 1e-11);
  expect("v_64x32", 3, 3, 1e-11);
  expect("z_64x32", 6, 3, 1e-11);
  expect("t_64x32", 9, 3, 1e-10);
  expect("t_layer_64x32", 12, 2, 1e-10);

  const LatLonGrid poles = LatLonGrid::with_poles(120, 61);
  const auto large = fields_of(world, state, poles);
  const auto channel = [&](std::size_t c) { return levels_last(large, poles.points(), c, 1); };
  EXPECT_LT(relative_difference(channel(0), golden->at("u200_120x61").to_double()), 1e-11);
  EXPECT_LT(relative_difference(channel(3), golden->at("v200_120x61").to_double()), 1e-11);
  EXPECT_LT(relative_difference(channel(7), golden->at("z500_120x61").to_double()), 1e-11);
  const auto layers_at_points = levels_last(large, poles.points(), 12, 2);
  std::vector<double> at_poles(layers_at_points.begin(), layers_at_points.begin() + 240);
  at_poles.insert(at_poles.end(), layers_at_points.end() - 240, layers_at_points.end());
  EXPECT_LT(relative_difference(at_poles, golden->at("t_layer_120x61_poles").to_double()), 1e-10);
}

}  // namespace
}  // namespace mosaic::world
