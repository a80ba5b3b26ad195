#include "world/climate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "base/error.hpp"
#include "world/diagnostics.hpp"
#include "world/dynamics.hpp"
#include "world/world_analysis.hpp"
#include "world/world_fields.hpp"

namespace mosaic::world {
namespace {

constexpr std::size_t u_first = 0, v_first = levels, z500 = 2 * levels + 1;  // among world_channels()

/// Fields of the members on the Gaussian grid.
class GaussianFields {
 public:
  explicit GaussianFields(const World& world) : world_(world) {
    LatLonGrid grid;
    grid.latitude = world.dynamics().space().latitudes().latitude;
    const std::size_t longitudes = world.parameters().longitudes();
    for (std::size_t l = 0; l < longitudes; ++l) {
      grid.longitude.push_back(360.0 * static_cast<double>(l) / static_cast<double>(longitudes));
    }
    grid_ = std::make_shared<const LatLonGrid>(grid);
    fields_.emplace(world.parameters(), grid_);
  }

  const LatLonGrid& grid() const { return *grid_; }
  /// [members] of [channels, lat, lon]
  std::vector<std::vector<double>> of(const WorldState& state, int threads) const {
    std::vector<std::vector<double>> values(state.members(),
                                            std::vector<double>(world_channels().size() * grid_->points()));
    std::vector<double*> places;
    for (auto& member : values) {
      places.push_back(member.data());
    }
    fields_->synthesize(world_, state, places, threads);
    return values;
  }

 private:
  const World& world_;
  std::shared_ptr<const LatLonGrid> grid_;
  std::optional<WorldFields> fields_;
};

/// Sums over the days of a season, from which its statistics follow.
class SeasonSums {
 public:
  explicit SeasonSums(const LatLonGrid& grid) : grid_(grid), first_(7 * points()), second_(7 * points()) {}

  void add(const std::vector<double>& fields) {
    ++samples_;
    for (std::size_t field = 0; field < 7; ++field) {  // u and v of the levels, then the height of 500 hPa
      const double* x = fields.data() + (field < 6 ? field : z500) * points();
      const double scale = field < 6 ? 1 : 1 / gravity;
      for (std::size_t i = 0; i < points(); ++i) {
        first_[field * points() + i] += scale * x[i];
        second_[field * points() + i] += scale * x[i] * scale * x[i];
      }
    }
  }

  SeasonClimate finish() const {
    SeasonClimate climate;
    climate.samples = samples_;
    for (std::size_t level = 0; level < levels; ++level) {
      climate.zonal_wind[level] = by_latitude([&](std::size_t i) { return mean(u_first + level, i); });
      climate.eddy_kinetic[level] = by_latitude(
          [&](std::size_t i) { return 0.5 * (variance(u_first + level, i) + variance(v_first + level, i)); });
    }
    for (std::size_t i = 0; i < points(); ++i) {
      climate.height.push_back(mean(6, i));
      climate.height_deviation.push_back(std::sqrt(std::max(0.0, variance(6, i))));
    }
    return climate;
  }

 private:
  std::size_t points() const { return grid_.points(); }
  double mean(std::size_t field, std::size_t i) const {
    return first_[field * points() + i] / static_cast<double>(samples_);
  }
  double variance(std::size_t field, std::size_t i) const {
    const double m = mean(field, i);
    return second_[field * points() + i] / static_cast<double>(samples_) - m * m;
  }
  template <class Value>
  std::vector<double> by_latitude(const Value& value) const {
    std::vector<double> means(grid_.latitude.size());
    const std::size_t columns = grid_.longitude.size();
    for (std::size_t i = 0; i < points(); ++i) {
      means[i / columns] += value(i) / static_cast<double>(columns);
    }
    return means;
  }

  const LatLonGrid& grid_;
  std::size_t samples_ = 0;
  std::vector<double> first_, second_;
};

std::optional<std::size_t> season_of(Time time) {
  const int month = calendar(time).month;
  if (month == 12 || month <= 2) {
    return 0;
  }
  return month >= 6 && month <= 8 ? std::optional<std::size_t>(1) : std::nullopt;
}

void add_spectra(const World& world, const WorldState& state,
                 std::array<std::vector<double>, levels>& spectra) {
  const SpectralSpace& space = world.dynamics().space();
  const Spectra psi = world.streamfunction(state.q);
  const std::size_t members = state.members();
  for (std::size_t row = 0; row < space.shape().rows(); ++row) {
    const auto n = static_cast<double>(space.degree(row));
    const double weight = row <= space.shape().truncation ? 0.5 : 1;
    for (std::size_t part = 0; part < 2; ++part) {
      for (std::size_t c = 0; c < levels * members; ++c) {
        const double x = psi[(2 * row + part) * levels * members + c];
        spectra[c / members][space.degree(row)] += weight * n * (n + 1) / (radius * radius) * x * x;
      }
    }
  }
}

/// rms of the difference of 500 hPa heights poleward of 20 degrees [m].
double height_difference(const LatLonGrid& grid, const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0, weights = 0;
  for (std::size_t i = 0; i < grid.points(); ++i) {
    const double latitude = grid.latitude[i / grid.longitude.size()];
    if (std::abs(latitude) >= 20) {
      const double weight = std::cos(latitude * std::numbers::pi / 180);
      const double difference = (a[z500 * grid.points() + i] - b[z500 * grid.points() + i]) / gravity;
      sum += weight * difference * difference;
      weights += weight;
    }
  }
  return std::sqrt(sum / weights);
}

/// Day at which a growing curve passes a value, between days by its logarithm.
double day_of(const std::vector<double>& curve, double value) {
  for (std::size_t day = 1; day < curve.size(); ++day) {
    if (curve[day - 1] < value && curve[day] >= value) {
      return static_cast<double>(day - 1) +
             std::log(value / curve[day - 1]) / std::log(curve[day] / curve[day - 1]);
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// Every member beside itself with a perturbation of rms streamfunction 2e4 m2 s-1.
TwinGrowth grow_twins(const World& world, const GaussianFields& fields, const WorldState& state,
                      const ClimateRequest& request) {
  constexpr double size = 2e4;
  const std::size_t members = state.members();
  WorldState twin = state;
  std::vector<float> normals(members * perturbation_draws);
  for (std::size_t i = 0; i < normals.size(); ++i) {  // equally strong and of pseudo-random sign
    normals[i] = (i * 2654435761U >> 13) % 2 == 0 ? 1.0F : -1.0F;
  }
  add_perturbations(world, normals, size, twin);
  WorldState control = state;
  TwinGrowth growth;
  const std::int64_t steps = Duration::days(1).seconds / request.parameters.time_step.seconds;
  for (int day = 0; day <= request.twin_days; ++day) {
    const auto a = fields.of(control, request.threads), b = fields.of(twin, request.threads);
    double sum = 0;
    for (std::size_t e = 0; e < members; ++e) {
      const double height = height_difference(fields.grid(), a[e], b[e]);
      sum += height * height;
    }
    growth.difference.push_back(std::sqrt(sum / static_cast<double>(members)));
    world.advance(control, steps, request.threads);
    world.advance(twin, steps, request.threads);
  }
  growth.doubling_days =
      (day_of(growth.difference, 30) - day_of(growth.difference, 3)) * std::log(2.0) / std::log(10.0);
  return growth;
}

/// [W kg-1], summed over three levels, as [W m-2] of a column of 1000 hPa.
double column_rate(double rate) { return rate / static_cast<double>(levels) * 1e5 / gravity; }

}  // namespace

Climate simulate_climate(const ClimateRequest& request, const std::function<void(double)>& report) {
  require(request.members >= 1 && request.years >= 1 && request.spin_up_days >= 0,
          "a climate of {} members x {} years after {} days", request.members, request.years,
          request.spin_up_days);
  const auto clock = std::chrono::steady_clock::now();
  const World world(request.parameters);
  const GaussianFields fields(world);
  Climate climate;
  climate.request = request;
  climate.latitude = fields.grid().latitude;
  climate.longitudes = fields.grid().longitude.size();
  for (auto& spectrum : climate.kinetic_spectrum) {
    spectrum.resize(world.dynamics().space().shape().truncation + 1);
  }
  const auto members = static_cast<std::size_t>(request.members);
  const Time first = epoch, last = parse_time(std::to_string(2000 + request.years) + "-01-01");
  std::vector<std::uint64_t> seeds;
  for (std::size_t e = 0; e < members; ++e) {
    seeds.push_back(request.seed + e);
  }
  const std::vector<Time> times(members, first - Duration::days(request.spin_up_days));
  WorldState state = world.start(times, seeds);
  const std::int64_t steps_of_day = Duration::days(1).seconds / request.parameters.time_step.seconds;
  std::array<SeasonSums, 2> sums = {SeasonSums(fields.grid()), SeasonSums(fields.grid())};
  std::size_t samples = 0;
  const double days = static_cast<double>((last - times[0]).seconds) / 86400;
  double first_energy = 0, last_energy = 0;
  for (Time time = times[0]; time < last; time = time + Duration::days(1)) {
    if (time >= first) {
      const auto now = fields.of(state, request.threads);
      if (const auto season = season_of(time)) {
        for (const auto& member : now) {
          sums[*season].add(member);
        }
      }
      add_spectra(world, state, climate.kinetic_spectrum);
      last_energy = 0;
      for (const Energetics& one : energetics_of(world, state)) {
        climate.kinetic += one.kinetic[0] + one.kinetic[1] + one.kinetic[2];
        climate.available += one.available[0] + one.available[1];
        climate.relaxation += column_rate(one.relaxation);
        climate.drag += column_rate(one.drag);
        climate.diffusion += column_rate(one.diffusion);
        last_energy += one.total();
      }
      first_energy = time == first ? last_energy : first_energy;
      samples += members;
      const CalendarTime date = calendar(time);
      if (request.twin_days > 0 && date.year == 2000 && date.day == 1 &&
          (date.month == 1 || date.month == 7)) {
        climate.twins[date.month == 1 ? 0 : 1] = grow_twins(world, fields, state, request);
      }
    }
    world.advance(state, steps_of_day, request.threads);
    report(static_cast<double>((time - times[0]).seconds + 86400) / 86400 / days);
  }
  for (std::size_t s = 0; s < 2; ++s) {
    climate.seasons[s] = sums[s].finish();
  }
  const double scale = 1 / static_cast<double>(samples);
  for (auto& spectrum : climate.kinetic_spectrum) {
    for (double& value : spectrum) {
      value *= scale;
    }
  }
  for (double* mean :
       {&climate.kinetic, &climate.available, &climate.relaxation, &climate.drag, &climate.diffusion}) {
    *mean *= scale;
  }
  const double length = static_cast<double>((last - first).seconds) - 86400;
  climate.change = column_rate((last_energy - first_energy) / static_cast<double>(members) / length);
  climate.member_days_per_second =
      days * static_cast<double>(members) /
      std::chrono::duration<double>(std::chrono::steady_clock::now() - clock).count();
  return climate;
}

}  // namespace mosaic::world
