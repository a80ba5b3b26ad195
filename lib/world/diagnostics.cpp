#include "world/diagnostics.hpp"

#include <limits>

#include "world/dynamics.hpp"

namespace mosaic::world {
namespace {

/// Global mean of x y for a level of each, of one member: coefficients count twice for m > 0.
double mean_product(const Dynamics& dynamics, const double* x, const double* y, std::size_t stride) {
  const auto& shape = dynamics.space().shape();
  double sum = 0;
  for (std::size_t row = 0; row < shape.rows(); ++row) {
    const double weight = row <= shape.truncation ? 1 : 2;  // the first rows are those of m = 0
    for (std::size_t part = 0; part < 2; ++part) {
      const std::size_t at = (2 * row + part) * stride;
      sum += weight * x[at] * y[at];
    }
  }
  return sum;
}

double square(double x) { return x * x; }

}  // namespace

TendencyParts tendency_parts(const World& world, const WorldState& state) {
  const Dynamics& dynamics = world.dynamics();
  const std::size_t members = state.members();
  const Spectra psi = world.streamfunction(state.q);
  std::vector<double> seasons;
  for (const Time time : state.times) {
    seasons.push_back(season(world.parameters(), static_cast<double>((time - epoch).seconds)));
  }
  Dynamics::Workspace workspace;
  const Spectra zero(psi.size());
  TendencyParts parts{zero, zero, zero, zero};
  using enum Dynamics::Terms;
  dynamics.grid_terms(state.q.data(), psi.data(), members, advection, parts.advection.data(), workspace);
  dynamics.grid_terms(state.q.data(), psi.data(), members, drag, parts.drag.data(), workspace);
  dynamics.add_relaxation(psi.data(), seasons, parts.relaxation.data());
  dynamics.add_diffusion(state.q.data(), members, parts.diffusion.data());
  return parts;
}

double Energetics::total() const {
  double sum = 0;
  for (const double energy : kinetic) {
    sum += energy;
  }
  for (const double energy : available) {
    sum += energy;
  }
  return sum;
}

std::vector<Energetics> energetics_of(const World& world, const WorldState& state) {
  const Dynamics& dynamics = world.dynamics();
  const auto& shape = dynamics.space().shape();
  const std::size_t members = state.members(), stride = levels * members;
  const Spectra psi = world.streamfunction(state.q);
  const TendencyParts parts = tendency_parts(world, state);
  std::vector<Energetics> result(members);
  for (std::size_t e = 0; e < members; ++e) {
    Energetics& one = result[e];
    one.kinetic = {};
    one.available = {};
    one.enstrophy = {};
    for (std::size_t row = 0; row < shape.rows(); ++row) {
      const auto n = static_cast<double>(dynamics.space().degree(row));
      const double weight = row <= shape.truncation ? 0.5 : 1;
      for (std::size_t part = 0; part < 2; ++part) {
        const std::size_t at = (2 * row + part) * stride + e;
        for (std::size_t level = 0; level < levels; ++level) {
          const double planetary = dynamics.forcing().planetary[(2 * row + part) * levels + level];
          one.kinetic[level] += weight * n * (n + 1) / square(radius) * square(psi[at + level * members]);
          one.enstrophy[level] += weight * square(state.q[at + level * members] + planetary);
        }
        for (std::size_t layer = 0; layer < layers; ++layer) {
          const double thickness = psi[at + layer * members] - psi[at + (layer + 1) * members];
          one.available[layer] += weight * square(thickness / world.parameters().deformation_radius[layer]);
        }
      }
    }
    const auto rate = [&](const Spectra& tendency) {
      double sum = 0;
      for (std::size_t level = 0; level < levels; ++level) {
        const std::size_t at = level * members + e;
        sum -= mean_product(dynamics, psi.data() + at, tendency.data() + at, stride);
      }
      return sum;
    };
    one.advection = rate(parts.advection);
    one.relaxation = rate(parts.relaxation);
    one.drag = rate(parts.drag);
    one.diffusion = rate(parts.diffusion);
  }
  return result;
}

Parameters unforced(Parameters parameters) {
  constexpr double never = std::numeric_limits<double>::infinity();
  parameters.relaxation_days = never;
  parameters.drag_days = never;
  parameters.diffusion_days = never;
  return parameters;
}

}  // namespace mosaic::world
