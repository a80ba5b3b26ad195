#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "world/world.hpp"

namespace mosaic::world {

/// A long run of the world whose climate is wanted.
struct ClimateRequest {
  Parameters parameters;
  int members = 5;  ///< realizations of their own, seeds `seed`, `seed` + 1, ...
  int years = 2;    ///< of each, from 1 January
  int spin_up_days = 150;
  int twin_days = 35;  ///< length of the twin runs; 0 = none
  std::uint64_t seed = 1;
  int threads = 1;
};

enum class Season { december_to_february, june_to_august };
inline constexpr std::array<Season, 2> seasons = {Season::december_to_february, Season::june_to_august};

/// Statistics of a season over all days and members on the Gaussian grid, latitudes from south to north.
struct SeasonClimate {
  std::size_t samples = 0;
  std::array<std::vector<double>, levels> zonal_wind;    ///< zonal mean [lat] [m s-1]
  std::array<std::vector<double>, levels> eddy_kinetic;  ///< of deviations from the season's mean, zonal mean
                                                         ///< [lat] [m2 s-2]
  std::vector<double> height;                            ///< of 500 hPa [lat, lon] [m]
  std::vector<double> height_deviation;                  ///< standard deviation in time [lat, lon] [m]
};

/// Growth of the difference of two runs that began nearly alike.
struct TwinGrowth {
  std::vector<double> difference;  ///< [day] rms of 500 hPa height poleward of 20 degrees [m]
  double doubling_days = 0;        ///< between 3 and 30 m; NaN where they are not reached
};

struct Climate {
  ClimateRequest request;
  std::vector<double> latitude;  ///< [degrees]
  std::size_t longitudes = 0;
  std::array<SeasonClimate, 2> seasons;                      ///< see world::seasons
  std::array<std::vector<double>, levels> kinetic_spectrum;  ///< [degree] of the whole year [m2 s-2]
  double kinetic = 0, available = 0;                         ///< energies, sums over levels [m2 s-2]
  /// Rates of the energy [W m-2] of a column of 1000 hPa, a third of the mass at each level.
  double relaxation = 0, drag = 0, diffusion = 0, change = 0;
  std::array<TwinGrowth, 2> twins;  ///< from January and July
  double member_days_per_second = 0;

  /// Log-log slope of a spectrum between degrees; `level` = levels for the sum.
  double slope(std::size_t level, std::size_t first, std::size_t last) const;
};

enum class Hemisphere { north, south };

/// Largest value of a hemisphere and its latitude.
struct Peak {
  double value;
  double latitude;  ///< [degrees]
};
Peak peak(const Climate& climate, const std::vector<double>& by_latitude, Hemisphere hemisphere);

/// Zonal mean of a map [lat, lon].
std::vector<double> zonal_mean(const Climate& climate, const std::vector<double>& map);

/// `go_on` is told how far it is, 0 ... 1, after each day; false ends the run with nothing. Errors: internal
/// for numbers below 1.
std::optional<Climate> simulate_climate(const ClimateRequest& request,
                                        const std::function<bool(double)>& go_on);

/// Tables in Markdown.
std::string climate_text(const Climate& climate);

}  // namespace mosaic::world
