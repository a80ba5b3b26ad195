#include "world/world.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "base/parallel_for.hpp"
#include "kernels/instruction_sets.hpp"
#include "world/dynamics.hpp"
#include "world/split_mix.hpp"

namespace mosaic::world {
namespace {

/// Members side by side: vectors of 512 bits are full, and the fields of a band stay in the cache.
constexpr std::size_t group_size = 8;

constexpr double start_fraction = 0.6;                       ///< of the equilibrium
constexpr double start_noise = 2e6;                          ///< [m2 s-1] rms streamfunction
constexpr std::size_t lowest_noise = 3, highest_noise = 12;  ///< degrees

/// out = a + factor b
MOSAIC_EACH_INSTRUCTION_SET
void add_scaled(const std::vector<double>& a, double factor, const std::vector<double>& b,
                std::vector<double>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = a[i] + factor * b[i];
  }
}

/// sum += factor b
MOSAIC_EACH_INSTRUCTION_SET
void accumulate(double factor, const std::vector<double>& b, std::vector<double>& sum) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] += factor * b[i];
  }
}

/// The classical Runge-Kutta scheme of fourth order for a few members.
class GroupRun {
 public:
  GroupRun(const Dynamics& dynamics, std::vector<Time> times, std::vector<double> q)
      : dynamics_(dynamics),
        times_(std::move(times)),
        seasons_(times_.size()),
        q_(std::move(q)),
        stage_(q_.size()),
        slope_(q_.size()),
        sum_(q_.size()) {}

  void step() {
    const double h = static_cast<double>(dynamics_.parameters().time_step.seconds);
    slope_at(0, q_);
    sum_ = slope_;
    add_scaled(q_, h / 2, slope_, stage_);
    slope_at(h / 2, stage_);
    accumulate(2, slope_, sum_);
    add_scaled(q_, h / 2, slope_, stage_);
    slope_at(h / 2, stage_);
    accumulate(2, slope_, sum_);
    add_scaled(q_, h, slope_, stage_);
    slope_at(h, stage_);
    accumulate(1, slope_, sum_);
    accumulate(h / 6, sum_, q_);
    for (Time& time : times_) {
      time = time + dynamics_.parameters().time_step;
    }
  }

  const std::vector<double>& q() const { return q_; }
  const std::vector<Time>& times() const { return times_; }

 private:
  void slope_at(double offset, const std::vector<double>& q) {
    for (std::size_t e = 0; e < times_.size(); ++e) {
      seasons_[e] = season(dynamics_.parameters(), static_cast<double>((times_[e] - epoch).seconds) + offset);
    }
    dynamics_.tendency(q.data(), seasons_, slope_.data(), workspace_);
  }

  const Dynamics& dynamics_;
  std::vector<Time> times_;
  std::vector<double> seasons_;
  std::vector<double> q_, stage_, slope_, sum_;
  Dynamics::Workspace workspace_;
};

/// Members first ... first + count - 1 of [.., members], and back.
std::vector<double> take_members(const Spectra& all, std::size_t members, std::size_t first,
                                 std::size_t count) {
  std::vector<double> part(all.size() / members * count);
  for (std::size_t i = 0; i < all.size() / members; ++i) {
    std::copy_n(all.data() + i * members + first, count, part.data() + i * count);
  }
  return part;
}

void put_members(const std::vector<double>& part, std::size_t members, std::size_t first, std::size_t count,
                 Spectra& all) {
  for (std::size_t i = 0; i < all.size() / members; ++i) {
    std::copy_n(part.data() + i * count, count, all.data() + i * members + first);
  }
}

/// Noise of one member, [rows, 2, levels]: numbers of the generator in the order (real and imaginary part,
/// level, m, n) over a full square of m and n, of which few are used.
std::vector<double> noise_of(const SpectralSpace& space, std::uint64_t seed) {
  const auto& shape = space.shape();
  std::vector<double> noise(shape.rows() * 2 * levels);
  SplitMix generator(seed);
  double square = 0;
  for (std::size_t part = 0; part < 2; ++part) {
    for (std::size_t level = 0; level < levels; ++level) {
      for (std::size_t m = 0; m <= shape.truncation; ++m) {
        for (std::size_t n = 0; n <= shape.truncation; ++n) {
          const double number = generator.next() - 0.5;
          if (m >= 1 && m <= highest_noise && n >= std::max(m, lowest_noise) && n <= highest_noise) {
            noise[(shape.row(m, n) * 2 + part) * levels + level] = number;
            square += number * number;
          }
        }
      }
    }
  }
  const double factor = start_noise / std::sqrt(2 * square / static_cast<double>(levels));
  for (double& value : noise) {
    value *= factor;
  }
  return noise;
}

}  // namespace

struct World::Parts {
  Dynamics dynamics;
};

World::World(const Parameters& parameters) : parts_(new Parts{Dynamics(parameters)}) {}
World::~World() = default;
World::World(World&&) noexcept = default;

const Parameters& World::parameters() const { return parts_->dynamics.parameters(); }
const Dynamics& World::dynamics() const { return parts_->dynamics; }

WorldState World::start(std::span<const Time> times, std::span<const std::uint64_t> seeds) const {
  require(times.size() == seeds.size() && !times.empty(), "{} times and {} seeds of members", times.size(),
          seeds.size());
  const Dynamics& dynamics = parts_->dynamics;
  const std::size_t members = times.size();
  Spectra psi(parameters().rows() * 2 * levels * members);
  for (std::size_t e = 0; e < members; ++e) {
    const std::vector<double> noise = noise_of(dynamics.space(), seeds[e]);
    const double phase = season(parameters(), static_cast<double>((times[e] - epoch).seconds));
    for (std::size_t i = 0; i < parameters().rows() * 2; ++i) {
      const auto thickness = [&](std::size_t layer) {
        const auto& [constant, amplitude] = dynamics.forcing().equilibrium;
        return start_fraction * (constant[i * layers + layer] + phase * amplitude[i * layers + layer]);
      };
      const double middle = thickness(1);
      const std::array<double, levels> resting = {middle + thickness(0), middle, 0};
      for (std::size_t level = 0; level < levels; ++level) {
        psi[(i * levels + level) * members + e] = resting[level] + noise[i * levels + level];
      }
    }
  }
  return {{times.begin(), times.end()}, potential_vorticity(psi)};
}

void World::advance(WorldState& state, std::int64_t steps, int threads) const {
  const std::size_t members = state.members();
  require(members > 0 && state.q.size() == parameters().rows() * 2 * levels * members,
          "a state of {} values for {} members", state.q.size(), members);
  WorldState next = state;
  parallel_for((members + group_size - 1) / group_size, threads, [&](std::size_t group) {
    const std::size_t first = group * group_size, count = std::min(group_size, members - first);
    const auto begin = state.times.begin() + static_cast<std::ptrdiff_t>(first);
    GroupRun run(parts_->dynamics, {begin, begin + static_cast<std::ptrdiff_t>(count)},
                 take_members(state.q, members, first, count));
    for (std::int64_t i = 0; i < steps; ++i) {
      run.step();
    }
    put_members(run.q(), members, first, count, next.q);
    std::copy(run.times().begin(), run.times().end(),
              next.times.begin() + static_cast<std::ptrdiff_t>(first));
  });
  state = std::move(next);
}

Spectra World::streamfunction(const Spectra& q) const {
  Spectra psi(q.size());
  parts_->dynamics.streamfunction(q.data(), q.size() / (parameters().rows() * 2 * levels), psi.data());
  return psi;
}

Spectra World::potential_vorticity(const Spectra& psi) const {
  Spectra q(psi.size());
  parts_->dynamics.potential_vorticity(psi.data(), psi.size() / (parameters().rows() * 2 * levels), q.data());
  return q;
}

}  // namespace mosaic::world
