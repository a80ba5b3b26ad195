#include "world/forcing.hpp"

#include <cmath>
#include <numbers>

#include "world/geography.hpp"

namespace mosaic::world {
namespace {

constexpr double degree = std::numbers::pi / 180;
constexpr double seconds_of_day = 86400;
using What = SpectralSpace::What;

double jet(const ForcedJet& jet, std::size_t layer, double poleward_latitude) {
  const double distance = (poleward_latitude - jet.latitude) / jet.width;
  return jet.shear[layer] * std::cos(poleward_latitude * degree) / std::cos(jet.latitude * degree) *
         std::exp(-distance * distance);
}

/// Shear of the zonal wind in equilibrium [m s-1]; latitude in degrees.
double shear(const Parameters& parameters, const ForcedJet& north, const ForcedJet& south, std::size_t layer,
             double latitude) {
  const double tropics = latitude / parameters.tropical_width;
  return jet(north, layer, latitude) + jet(south, layer, -latitude) +
         parameters.tropical_shear[layer] * std::exp(-tropics * tropics);
}

/// Adds factor times the streamfunction with this zonal wind [latitude pairs, longitude, 2] to a layer:
/// zeta[0,n] = (1/a) sum_j w_j U(j) dP[0,n]/dlatitude, E = -a^2 zeta / (n (n + 1)).
void add_zonal_state(const SpectralSpace& space, const std::function<double(double)>& wind, double factor,
                     std::size_t layer, std::vector<double>& equilibrium) {
  const auto& latitudes = space.latitudes();
  const auto tables = make_spectral_tables(space.shape().truncation, latitudes.colatitude);
  for (std::size_t n = 1; n <= space.shape().truncation; ++n) {
    double sum = 0;
    for (std::size_t j = 0; j < latitudes.weight.size(); ++j) {
      sum += latitudes.weight[j] * wind(latitudes.latitude[j]) *
             tables.derivative[j * space.shape().rows() + space.shape().parity_row(0, n)];
    }
    const auto eigenvalue = static_cast<double>(n * (n + 1));
    equilibrium[space.shape().row(0, n) * 2 * layers + layer] -= factor * radius * sum / eigenvalue;
  }
}

/// (L - zonal mean of L) sin^2(2 latitude), analysed. [rows, 2]
std::vector<double> land_sea_pattern(const SpectralSpace& space) {
  const auto& shape = space.shape();
  std::vector<double> land = space.on_grid(land_fraction);
  std::size_t place = 0;
  for (std::size_t p = 0; p < shape.half(); ++p) {
    double mean[2] = {0, 0};
    for (std::size_t i = 0; i < 2 * shape.longitudes; ++i) {
      mean[i % 2] += land[place + i] / static_cast<double>(shape.longitudes);
    }
    const double wave = std::sin(2 * space.latitudes().latitude[p] * degree);  // its square is symmetric
    for (std::size_t i = 0; i < 2 * shape.longitudes; ++i) {
      land[place + i] = (land[place + i] - mean[i % 2]) * wave * wave;
    }
    place += 2 * shape.longitudes;
  }
  return space.analyse(land, 1);
}

void add_equilibrium(const Parameters& parameters, const SpectralSpace& space, Forcing& forcing) {
  const std::vector<double> pattern = land_sea_pattern(space);
  for (auto& part : forcing.equilibrium) {
    part.assign(space.shape().rows() * 2 * layers, 0.0);
  }
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto january = [&](double latitude) {
      return shear(parameters, parameters.north_winter, parameters.south_summer, layer, latitude);
    };
    const auto july = [&](double latitude) {
      return shear(parameters, parameters.north_summer, parameters.south_winter, layer, latitude);
    };
    for (std::size_t part = 0; part < 2; ++part) {
      add_zonal_state(space, january, 0.5, layer, forcing.equilibrium[part]);
      add_zonal_state(space, july, part == 0 ? 0.5 : -0.5, layer, forcing.equilibrium[part]);
    }
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (i > 1) {  // no global mean
        forcing.equilibrium[1][i * layers + layer] -= parameters.land_sea_contrast[layer] * pattern[i];
      }
    }
  }
}

/// The orography's vorticity f h / H0: truncated before and after it is multiplied by f.
void add_planetary(const Parameters& parameters, const SpectralSpace& space, Forcing& forcing) {
  forcing.orography_spectrum = space.analyse(space.on_grid(surface_height), 1);
  std::vector<double> vorticity = space.synthesize(What::value, forcing.orography_spectrum, 1);
  const std::vector<double> coriolis =
      space.on_grid([](double, double latitude) { return 2 * rotation * std::sin(latitude * degree); });
  for (std::size_t i = 0; i < vorticity.size(); ++i) {
    vorticity[i] *= coriolis[i] * parameters.orography_factor / parameters.scale_height;
  }
  const std::vector<double> mountains = space.analyse(vorticity, 1);
  forcing.planetary.assign(space.shape().rows() * 2 * levels, 0.0);
  for (std::size_t level = 0; level < levels; ++level) {
    forcing.planetary[space.shape().row(0, 1) * 2 * levels + level] = 2 * rotation / std::sqrt(3.0);
  }
  for (std::size_t i = 0; i < mountains.size(); ++i) {
    forcing.planetary[i * levels + levels - 1] += mountains[i];
  }
}

/// Of the analytic fields on the grid, then truncated.
void add_drag(const Parameters& parameters, const SpectralSpace& space, Forcing& forcing) {
  const std::vector<double> land = space.on_grid(land_fraction);
  std::vector<double> drag = space.on_grid(surface_height);
  for (std::size_t i = 0; i < drag.size(); ++i) {
    drag[i] = (1 + parameters.drag_of_land * land[i] +
               parameters.drag_of_mountains * (1 - std::exp(-drag[i] / parameters.drag_height))) /
              (parameters.drag_days * seconds_of_day);
  }
  forcing.drag_spectrum = space.analyse(drag, 1);
  forcing.drag = space.synthesize(What::value, forcing.drag_spectrum, 1);
  forcing.drag_zonal = space.synthesize(What::zonal_gradient, forcing.drag_spectrum, 1);
  forcing.drag_meridional = space.synthesize(What::meridional_gradient, forcing.drag_spectrum, 1);
}

}  // namespace

Forcing make_forcing(const Parameters& parameters, const SpectralSpace& space) {
  Forcing forcing;
  add_equilibrium(parameters, space, forcing);
  add_planetary(parameters, space, forcing);
  add_drag(parameters, space, forcing);
  return forcing;
}

double season(const Parameters& parameters, double seconds) {
  return std::cos(2 * std::numbers::pi * (seconds - parameters.peak_day * seconds_of_day) /
                  (days_of_year * seconds_of_day));
}

}  // namespace mosaic::world
