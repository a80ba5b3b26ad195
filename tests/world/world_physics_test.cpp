// What must hold for any truncation, without golden data: closed forms, conservation, balance, independence
// of members, restart.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "world/diagnostics.hpp"
#include "world/dynamics.hpp"
#include "world/world_analysis.hpp"
#include "world/world_fields.hpp"

namespace mosaic::world {
namespace {

using What = SpectralSpace::What;

double largest(const std::vector<double>& values) {
  double size = 0;
  for (const double value : values) {
    size = std::isnan(value) ? INFINITY : std::max(size, std::abs(value));
  }
  return size;
}

double difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(a[i] - b[i]);
  }
  return largest(differences);
}

/// Members after a week of the start, when waves of all degrees are there.
WorldState developed(const World& world, std::size_t members, int days = 7) {
  std::vector<std::uint64_t> seeds;
  for (std::size_t e = 0; e < members; ++e) {
    seeds.push_back(11 + e);
  }
  WorldState state = world.start(std::vector<Time>(members, epoch), seeds);
  world.advance(state, days * 86400 / world.parameters().time_step.seconds, 1);
  return state;
}

WorldState member_of(const WorldState& state, std::size_t member) {
  WorldState one{{state.times[member]}, {}};
  for (std::size_t i = member; i < state.q.size(); i += state.members()) {
    one.q.push_back(state.q[i]);
  }
  return one;
}

std::vector<double> fields_of(const World& world, const WorldState& state, const LatLonGrid& grid) {
  const WorldFields fields(world.parameters(), std::make_shared<const LatLonGrid>(grid));
  std::vector<double> values(world_channels().size() * grid.points());
  fields.synthesize(world, state, std::vector<double*>{values.data()}, 1);
  return values;
}

TEST(World, AnalysisUndoesSynthesis) {
  for (const int truncation : {21, 42}) {
    const World world(parameters_of(truncation));
    const SpectralSpace& space = world.dynamics().space();
    const WorldState state = developed(world, 1, 1);
    const auto grid = space.synthesize(What::value, state.q, levels);
    EXPECT_LT(difference(space.analyse(grid, levels), state.q), 1e-12 * largest(state.q));
  }
}

TEST(World, SolidBodyRotation) {
  const World world(parameters_of(21));
  const auto& shape = world.dynamics().space().shape();
  constexpr double speed = 30;
  Spectra psi(shape.rows() * 2 * levels);
  for (std::size_t level = 0; level < levels;
       ++level) {  // -a U sin(latitude), P[0,1] = sqrt(3) sin(latitude)
    psi[shape.row(0, 1) * 2 * levels + level] = -radius * speed / std::sqrt(3.0);
  }
  const LatLonGrid grid = LatLonGrid::with_poles(60, 31);
  const auto fields = fields_of(world, {{epoch}, world.potential_vorticity(psi)}, grid);
  for (std::size_t i = 0; i < grid.points(); ++i) {
    const double latitude = grid.latitude[i / 60] * std::numbers::pi / 180;
    ASSERT_NEAR(fields[i], speed * std::cos(latitude), 1e-12 * speed);
    ASSERT_NEAR(fields[levels * grid.points() + i], 0, 1e-12 * speed);
  }
}

/// lap of cos^3(latitude) sin(latitude) cos(3 lambda) (n = 4, m = 3) is -20 / a^2 times it; three equal
/// levels have no thickness, so the potential vorticity is the vorticity.
TEST(World, LaplacianAndItsInverse) {
  const World world(parameters_of(21));
  const SpectralSpace& space = world.dynamics().space();
  std::vector<double> wave = space.on_grid([](double longitude, double latitude) {
    const double phi = latitude * std::numbers::pi / 180;
    return std::pow(std::cos(phi), 3) * std::sin(phi) * std::cos(3 * longitude * std::numbers::pi / 180);
  });
  const std::vector<double> one_level = space.analyse(wave, 1);
  Spectra psi;
  for (const double value : one_level) {
    psi.insert(psi.end(), levels, value);
  }
  const Spectra q = world.potential_vorticity(psi);
  Spectra expected = psi;
  for (double& value : expected) {
    value *= -20 / (radius * radius);
  }
  EXPECT_LT(difference(q, expected), 1e-12 * largest(expected));
  EXPECT_LT(difference(world.streamfunction(q), psi), 1e-12 * largest(psi));
}

/// Phase speed ((R (3 + R) w - 2 Omega) / ((1 + R)(2 + R))): +12.1947 degrees a day; the exact solution is
/// the start, turned.
TEST(World, RossbyHaurwitzWave) {
  constexpr int wave = 4;
  constexpr double w = 7.848e-6;
  Parameters parameters = unforced(parameters_of(21));
  parameters.orography_factor = 0;
  std::vector<double> errors;
  for (const std::int64_t step : {3600, 1800}) {
    parameters.time_step = Duration{step};
    const World world(parameters);
    const SpectralSpace& space = world.dynamics().space();
    const auto spectrum_at = [&](double turn) {  // [degrees]
      const auto field = space.on_grid([&](double longitude, double latitude) {
        const double phi = latitude * std::numbers::pi / 180;
        return radius * radius * w *
               (-std::sin(phi) + std::pow(std::cos(phi), wave) * std::sin(phi) *
                                     std::cos(wave * (longitude - turn) * std::numbers::pi / 180));
      });
      Spectra psi;
      for (const double value : space.analyse(field, 1)) {
        psi.insert(psi.end(), levels, value);
      }
      return psi;
    };
    const double speed = (wave * (3 + wave) * w - 2 * rotation) / ((1 + wave) * (2 + wave));
    EXPECT_NEAR(speed * 86400 * 180 / std::numbers::pi, 12.1947, 1e-4);
    WorldState state{{epoch}, world.potential_vorticity(spectrum_at(0))};
    world.advance(state, 5 * 86400 / step, 1);
    const Spectra expected = spectrum_at(speed * 5 * 86400 * 180 / std::numbers::pi);
    errors.push_back(difference(world.streamfunction(state.q), expected) / largest(expected));
  }
  EXPECT_LT(errors[0], 2e-8);
  EXPECT_NEAR(errors[0] / errors[1], 16, 1) << "fourth order in time";
}

/// -u . grad Q against -div(u Q), projected by parts: (1/cos) d(u Q)/dlambda through i m, the rest through
/// -dP/dlatitude. Both are exact for the truncation.
TEST(World, AdvectiveAndFluxFormsAgree) {
  const World world(parameters_of(21));
  const Dynamics& dynamics = world.dynamics();
  const SpectralSpace& space = dynamics.space();
  const auto& shape = space.shape();
  const WorldState state = developed(world, 1);
  const Spectra psi = world.streamfunction(state.q);
  Spectra advected = state.q;
  for (std::size_t i = 0; i < advected.size(); ++i) {
    advected[i] += dynamics.forcing().planetary[i];
  }
  const auto zonal = space.synthesize(What::zonal_gradient, psi, levels);
  const auto meridional = space.synthesize(What::meridional_gradient, psi, levels);
  const auto value = space.synthesize(What::value, advected, levels);
  // int Y* div(u Q) = - int grad Y* . u Q, with u = -psi_phi / a, v = psi_lambda / (a cos).
  const auto tables = make_spectral_tables(shape.truncation, space.latitudes().colatitude);
  const Spectra ours = tendency_parts(world, state).advection;
  double worst = 0;
  for (std::size_t m = 0; m <= shape.truncation; m += 3) {
    for (std::size_t n = std::max<std::size_t>(m, 1); n <= shape.truncation; n += 2) {
      for (std::size_t level = 0; level < levels; ++level) {
        double re = 0, im = 0;
        for (std::size_t p = 0; p < shape.half(); ++p) {
          for (std::size_t l = 0; l < shape.longitudes; ++l) {
            for (std::size_t side = 0; side < 2; ++side) {
              const std::size_t j = side == 0 ? p : shape.latitudes - 1 - p;
              const std::size_t at = ((p * shape.longitudes + l) * 2 + side) * levels + level;
              const double weight = space.latitudes().weight[j] / static_cast<double>(shape.longitudes);
              const double u = -meridional[at] / radius * value[at], v = zonal[at] / radius * value[at];
              const std::size_t row = j * shape.rows() + shape.parity_row(m, n);
              const double angle = 2 * std::numbers::pi * static_cast<double>(m * l) / 64;
              const double c = std::cos(angle), s = -std::sin(angle);  // exp(-i m lambda)
              const double over_cosine = tables.over_cosine[row], slope = tables.derivative[row];
              // grad of P exp(-i m lambda): (-i m P / cos, dP/dlatitude) exp(-i m lambda)
              re += weight / radius * (over_cosine * s * u + slope * c * v);
              im += weight / radius * (-over_cosine * c * u + slope * s * v);
            }
          }
        }
        const std::size_t at = shape.row(m, n) * 2 * levels + level;
        worst = std::max({worst, std::abs(ours[at] - re), std::abs(ours[at + levels] - im)});
      }
    }
  }
  EXPECT_LT(worst, 1e-12 * largest(ours));
}

TEST(World, AdvectionNeitherMakesEnergyNorEnstrophy) {
  for (const int truncation : {21, 42}) {
    const World world(parameters_of(truncation));
    const WorldState state = developed(world, 2, 3);
    const Spectra advection = tendency_parts(world, state).advection;
    const auto& forcing = world.dynamics().forcing();
    const auto& shape = world.dynamics().space().shape();
    const auto energetics = energetics_of(world, state);
    for (std::size_t e = 0; e < 2; ++e) {
      EXPECT_LT(std::abs(energetics[e].advection), 1e-15);  // W/kg
      for (std::size_t level = 0; level < levels; ++level) {
        double rate = 0;
        for (std::size_t i = 0; i < shape.rows() * 2; ++i) {
          const std::size_t at = (i * levels + level) * 2 + e;
          const double q = state.q[at] + forcing.planetary[i * levels + level];
          rate += (i / 2 <= shape.truncation ? 1 : 2) * q * advection[at];
        }
        EXPECT_LT(std::abs(rate * 86400), 1e-14 * energetics[e].enstrophy[level]) << "level " << level;
      }
    }
  }
}

/// The drag takes <k |grad psi|^2> of the lowest level out of the energy.
TEST(World, DragTakesEnergyByItsQuadratureForm) {
  const World world(parameters_of(21));
  const Dynamics& dynamics = world.dynamics();
  const SpectralSpace& space = dynamics.space();
  const WorldState state = developed(world, 1);
  const Spectra psi = world.streamfunction(state.q);
  const auto x = space.synthesize(What::zonal_gradient, psi, levels);
  const auto y = space.synthesize(What::meridional_gradient, psi, levels);
  double expected = 0;
  for (std::size_t i = 0; i < space.points(); ++i) {
    const std::size_t p = i / (2 * space.shape().longitudes), at = i * levels + levels - 1;
    const double weight = space.latitudes().weight[p] / static_cast<double>(space.shape().longitudes);
    expected -= weight * dynamics.forcing().drag[i] * (x[at] * x[at] + y[at] * y[at]) / (radius * radius);
  }
  const double ours = energetics_of(world, state).at(0).drag;
  EXPECT_LT(ours, 0);
  EXPECT_NEAR(ours, expected, 1e-13 * std::abs(expected));
}

TEST(World, MembersAreIndependent) {
  const World world(parameters_of(21));
  WorldState together = developed(world, 11, 1);  // two groups, the second one not full
  std::vector<WorldState> alone;
  for (std::size_t e = 0; e < together.members(); ++e) {
    together.times[e] = epoch + Duration::days(static_cast<std::int64_t>(17 * e));
    alone.push_back(member_of(together, e));
  }
  world.advance(together, 30, 2);
  for (std::size_t e = 0; e < together.members(); ++e) {
    world.advance(alone[e], 30, 1);
    const WorldState member = member_of(together, e);
    EXPECT_EQ(member.q, alone[e].q) << "member " << e;
    EXPECT_EQ(member.times, alone[e].times);
  }
}

TEST(World, RestartHasTheSameBits) {
  const World world(parameters_of(42));
  WorldState whole = developed(world, 1, 1);
  WorldState parts = whole;
  world.advance(whole, 20, 1);
  world.advance(parts, 7, 1);
  parts = WorldState{parts.times, parts.q};
  world.advance(parts, 13, 1);
  EXPECT_EQ(whole.q, parts.q);
  EXPECT_EQ(whole.times, parts.times);
}

TEST(World, SeedsAndSeasonsMakeOtherStates) {
  const World world(parameters_of(21));
  const std::vector<Time> times = {epoch, epoch, epoch + Duration::days(180)};
  const WorldState state = world.start(times, std::vector<std::uint64_t>{1, 2, 1});
  EXPECT_NE(member_of(state, 0).q, member_of(state, 1).q);
  EXPECT_NE(member_of(state, 0).q, member_of(state, 2).q);
  EXPECT_EQ(member_of(state, 0).q, world.start(std::vector{epoch}, std::vector<std::uint64_t>{1}).q);
}

/// lap Phi = div(f grad psi), pointwise: Phi is one degree longer than psi.
TEST(WorldFields, GeopotentialIsBalanced) {
  const World world(parameters_of(21));
  const WorldState state = developed(world, 1);
  const Spectra psi = world.streamfunction(state.q);
  const SpectralSpace large(22, 36);  // holds the products of degree 22 exactly
  const auto& shape = large.shape();
  const LatLonGrid grid = [&] {
    LatLonGrid made = LatLonGrid::without_poles(static_cast<int>(shape.longitudes), 4);
    made.latitude = large.latitudes().latitude;
    return made;
  }();
  const auto fields = fields_of(world, state, grid);
  std::vector<double> phi;  // [pairs, L, 2] of 500 hPa
  for (std::size_t p = 0; p < shape.half(); ++p) {
    for (std::size_t l = 0; l < shape.longitudes; ++l) {
      for (const std::size_t j : {p, shape.latitudes - 1 - p}) {
        phi.push_back(fields[(2 * levels + 1) * grid.points() + j * shape.longitudes + l]);
      }
    }
  }
  std::vector<double> laplacian = large.analyse(phi, 1);
  std::vector<double> middle(laplacian.size()), curl(laplacian.size());
  for (std::size_t m = 0; m <= 22; ++m) {
    for (std::size_t n = m; n <= 22; ++n) {
      for (std::size_t part = 0; part < 2; ++part) {
        const std::size_t to = shape.row(m, n) * 2 + part;
        const double eigenvalue = -static_cast<double>(n * (n + 1)) / (radius * radius);
        laplacian[to] *= eigenvalue;
        if (n <= 21) {
          const std::size_t from = world.dynamics().space().shape().row(m, n) * 2 + part;
          middle[to] = psi[from * levels + 1];
          curl[to] = eigenvalue * middle[to];
        }
      }
    }
  }
  const auto left = large.synthesize(What::value, laplacian, 1);
  const auto vorticity = large.synthesize(What::value, curl, 1);
  const auto slope = large.synthesize(What::meridional_gradient, middle, 1);
  std::vector<double> right;
  for (std::size_t i = 0; i < left.size(); ++i) {
    const std::size_t p = i / (2 * shape.longitudes), j = i % 2 == 0 ? p : shape.latitudes - 1 - p;
    const double phi_j = large.latitudes().latitude[j] * std::numbers::pi / 180;
    right.push_back(2 * rotation *
                    (std::sin(phi_j) * vorticity[i] + std::cos(phi_j) * slope[i] / (radius * radius)));
  }
  // The mean height takes digits: values of 5e4 m2 s-2 carry 1e-11, times n (n + 1) / a^2 of 1e-11 m-2.
  EXPECT_LT(difference(left, right), 1e-12 * largest(right));
}

TEST(WorldFields, TemperaturesAreHydrostatic) {
  const World world(parameters_of(21));
  const LatLonGrid grid = LatLonGrid::with_poles(60, 31);
  const auto fields = fields_of(world, developed(world, 1), grid);
  const auto at = [&](std::size_t channel, std::size_t i) { return fields[channel * grid.points() + i]; };
  for (std::size_t i = 0; i < grid.points(); ++i) {
    for (std::size_t layer = 0; layer < layers; ++layer) {
      const double thickness =
          std::log(static_cast<double>(pressure_levels[layer + 1]) / pressure_levels[layer]);
      const double temperature = at(4 * levels + layer, i);
      ASSERT_NEAR(at(2 * levels + layer, i) - at(2 * levels + layer + 1, i),
                  gas_constant * temperature * thickness, 1e-9);
      ASSERT_NEAR(0.5 * (at(3 * levels + layer, i) + at(3 * levels + layer + 1, i)), temperature,
                  1e-12 * 300);
    }
  }
  for (std::size_t channel = 0; channel < 4 * levels; ++channel) {  // one value at a pole, scalars only
    for (std::size_t l = 1; l < 60 && channel >= 2 * levels; ++l) {
      ASSERT_NEAR(at(channel, l), at(channel, 0), 1e-11 * std::abs(at(channel, 0)));
    }
  }
}

TEST(WorldFields, RefusesGridsThatDoNotFit) {
  const auto make = [](const LatLonGrid& grid) {
    WorldFields(parameters_of(21), std::make_shared<const LatLonGrid>(grid));
  };
  EXPECT_NO_THROW(make(LatLonGrid::without_poles(48, 24)));
  EXPECT_THROW(make(LatLonGrid::without_poles(44, 24)), Error) << "too coarse";
  LatLonGrid shifted = LatLonGrid::without_poles(64, 32);
  for (double& longitude : shifted.longitude) {
    longitude += 2;
  }
  EXPECT_THROW(make(shifted), Error);
  LatLonGrid half = LatLonGrid::without_poles(64, 32);
  half.latitude.erase(half.latitude.begin());
  EXPECT_THROW(make(half), Error);
}

TEST(WorldAnalysis, FindsTheStateOfItsFields) {
  for (const int truncation : {21, 42}) {
    const World world(parameters_of(truncation));
    const WorldState state = developed(world, 3, 2);
    for (const LatLonGrid& grid : {LatLonGrid::with_poles(120, 61), LatLonGrid::without_poles(96, 48)}) {
      const auto shared = std::make_shared<const LatLonGrid>(grid);
      const WorldFields fields(world.parameters(), shared);
      const std::vector<State> states = fields.states(world, state, 1);
      std::vector<const float*> members;
      for (const State& one : states) {
        members.push_back(one.values.data());
      }
      const WorldAnalysis analysis(world, shared, world_channels());
      const WorldState found = analysis.analyse(members, state.times);
      // Winds of up to 80 m/s are rounded to 4e-6 m/s: at most about that, over many points, over the winds.
      const Spectra expected = world.streamfunction(state.q);
      EXPECT_LT(difference(world.streamfunction(found.q), expected), 3e-8 * largest(expected));
      EXPECT_EQ(found.times, state.times);
    }
  }
}

/// What a finer world has beyond the truncation must not disturb what is below it.
TEST(WorldAnalysis, TruncatesAFinerWorld) {
  const World fine(parameters_of(42)), coarse(parameters_of(21));
  const WorldState state = developed(fine, 1, 2);
  const auto grid = std::make_shared<const LatLonGrid>(LatLonGrid::without_poles(240, 120));
  const std::vector<State> states = WorldFields(fine.parameters(), grid).states(fine, state, 1);
  const WorldAnalysis analysis(coarse, grid, world_channels());
  const Spectra found = coarse.streamfunction(
      analysis.analyse(std::vector<const float*>{states[0].values.data()}, state.times).q);
  const Spectra psi = fine.streamfunction(state.q);
  Spectra truncated;
  for (std::size_t m = 0; m <= 21; ++m) {
    const auto* from = psi.data() + fine.dynamics().space().shape().row(m, m) * 2 * levels;
    truncated.insert(truncated.end(), from, from + (22 - m) * 2 * levels);
  }
  // The area weights of the scores are no exact quadrature, so finer waves leak, the less the finer the grid.
  EXPECT_LT(difference(found, truncated), 2e-4 * largest(truncated));
}

TEST(WorldAnalysis, PerturbationsHaveTheirSize) {
  const World world(parameters_of(21));
  constexpr std::size_t members = 40;
  WorldState state{std::vector<Time>(members, epoch),
                   Spectra(world.parameters().rows() * 2 * levels * members)};
  std::vector<float> normals(members * perturbation_draws);
  std::uint64_t word = 1;
  for (float& normal : normals) {  // sums of twelve uniform numbers less six
    double sum = -6;
    for (int i = 0; i < 12; ++i) {
      word = word * 6364136223846793005U + 1442695040888963407U;
      sum += static_cast<double>(word >> 11) * 0x1p-53;
    }
    normal = static_cast<float>(sum);
  }
  constexpr double size = 5e5;
  add_perturbations(world, normals, size, state);
  const Spectra psi = world.streamfunction(state.q);
  const auto& shape = world.dynamics().space().shape();
  double square = 0;
  for (std::size_t i = 0; i < psi.size(); ++i) {
    const std::size_t row = i / (2 * levels * members), n = world.dynamics().space().degree(row);
    square += (row <= shape.truncation ? 1 : 2) * psi[i] * psi[i];
    EXPECT_TRUE((n >= 3 && n <= 12) || std::abs(psi[i]) < 1e-9) << "degree " << n;
  }
  const double rms = std::sqrt(square / static_cast<double>(levels * members));
  // 40 x 480 squares of normal numbers: a relative deviation of 0.5 / sqrt(40 x 240) = 0.5 % of the rms.
  EXPECT_NEAR(rms / size, 1, 5 * 0.005);
}

}  // namespace
}  // namespace mosaic::world
