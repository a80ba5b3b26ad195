#include "world/climate.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "base/error.hpp"
#include "world/climate_sums.hpp"
#include "world/diagnostics.hpp"
#include "world/dynamics.hpp"
#include "world/world_analysis.hpp"

namespace mosaic::world {
namespace {

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

/// The members of a request from start to end, and what is summed on the way.
class ClimateRun {
 public:
  explicit ClimateRun(const ClimateRequest& request)
      : request_(request),
        world_(request.parameters),
        fields_(world_),
        first_(epoch),
        last_(parse_time(std::to_string(calendar(epoch).year + request.years) + "-01-01")),
        steps_of_day_(Duration::days(1).seconds / request.parameters.time_step.seconds),
        sums_{SeasonSums(fields_.grid()), SeasonSums(fields_.grid())} {
    const auto members = static_cast<std::size_t>(request.members);
    std::vector<std::uint64_t> seeds(members);
    std::iota(seeds.begin(), seeds.end(), request.seed);
    state_ = world_.start(std::vector<Time>(members, first_ - Duration::days(request.spin_up_days)), seeds);
    climate_.request = request;
    climate_.latitude = fields_.grid().latitude;
    climate_.longitudes = fields_.grid().longitude.size();
    for (auto& spectrum : climate_.kinetic_spectrum) {
      spectrum.resize(world_.dynamics().space().shape().truncation + 1);
    }
  }

  std::optional<Climate> run(const std::function<bool(double)>& go_on) {
    const auto clock = std::chrono::steady_clock::now();
    const Time start = state_.times[0];
    const auto seconds = static_cast<double>((last_ - start).seconds);
    while (state_.times[0] < last_) {
      if (state_.times[0] >= first_) {
        take_sample();
        grow_twins_on_their_days();
      }
      world_.advance(state_, steps_of_day_, request_.threads);
      if (!go_on(static_cast<double>((state_.times[0] - start).seconds) / seconds)) {
        return std::nullopt;
      }
    }
    finish();
    const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - clock).count();
    climate_.member_days_per_second = seconds / 86400 * request_.members / elapsed;
    return std::move(climate_);
  }

 private:
  void take_sample() {
    if (const auto season = season_of(state_.times[0])) {
      for (const auto& member : fields_.of(state_, request_.threads)) {
        sums_[*season].add(member);
      }
    }
    add_spectra(world_, state_, climate_.kinetic_spectrum);
    last_energy_ = 0;
    for (const Energetics& one : energetics_of(world_, state_)) {
      climate_.kinetic += one.kinetic[0] + one.kinetic[1] + one.kinetic[2];
      climate_.available += one.available[0] + one.available[1];
      climate_.relaxation += column_rate(one.relaxation);
      climate_.drag += column_rate(one.drag);
      climate_.diffusion += column_rate(one.diffusion);
      last_energy_ += one.total();
    }
    first_energy_ = samples_ == 0 ? last_energy_ : first_energy_;
    samples_ += state_.members();
  }

  void grow_twins_on_their_days() {
    const CalendarTime date = calendar(state_.times[0]);
    const bool first_year = date.year == calendar(first_).year;
    if (request_.twin_days > 0 && first_year && date.day == 1 && (date.month == 1 || date.month == 7)) {
      climate_.twins[date.month == 1 ? 0 : 1] = grow_twins(world_, fields_, state_, request_);
    }
  }

  /// Sums become means.
  void finish() {
    for (std::size_t s = 0; s < seasons.size(); ++s) {
      climate_.seasons[s] = sums_[s].finish();
    }
    const double scale = 1 / static_cast<double>(samples_);
    for (auto& spectrum : climate_.kinetic_spectrum) {
      for (double& value : spectrum) {
        value *= scale;
      }
    }
    for (double* mean : {&climate_.kinetic, &climate_.available, &climate_.relaxation, &climate_.drag,
                         &climate_.diffusion}) {
      *mean *= scale;
    }
    const double length = static_cast<double>((last_ - first_ - Duration::days(1)).seconds);
    climate_.change = column_rate((last_energy_ - first_energy_) / request_.members / length);
  }

  const ClimateRequest& request_;
  const World world_;
  const GaussianFields fields_;
  const Time first_, last_;
  const std::int64_t steps_of_day_;
  std::array<SeasonSums, 2> sums_;
  WorldState state_;
  Climate climate_;
  std::size_t samples_ = 0;
  double first_energy_ = 0, last_energy_ = 0;  ///< of all members together
};

}  // namespace

std::optional<Climate> simulate_climate(const ClimateRequest& request,
                                        const std::function<bool(double)>& go_on) {
  require(request.members >= 1 && request.years >= 1 && request.spin_up_days >= 0,
          "a climate of {} members x {} years after {} days", request.members, request.years,
          request.spin_up_days);
  return ClimateRun(request).run(go_on);
}

}  // namespace mosaic::world
