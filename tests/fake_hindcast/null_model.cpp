#include "fake_hindcast/null_model.hpp"

#include <fcntl.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "fake_hindcast/hash_fields.hpp"

namespace mosaic::test {

namespace {

constexpr double largest_deviation = 0.25;  // of the reach

std::uint64_t digest(std::span<const float> values, std::uint64_t bits) {
  for (const float value : values) {
    bits = mixed(bits, std::bit_cast<std::uint32_t>(value));
  }
  return bits;
}

}  // namespace

NullModel::NullModel(const NullModelOptions& options) : options_(options) {
  info_.name = "null";
  info_.description = "null model: hash fields, checked history, noise of width 8";
  info_.step = step;
  info_.history = history;
  info_.history_spacing = step;
  info_.noise_width = noise_width;
  info_.batch = options.batch;
  info_.channels = hash_channels();
  info_.grid = hash_grid();
  for (const Channel& channel : *info_.channels) {
    info_.channel_mean.push_back(climate_of(channel).mean);
    info_.channel_std.push_back(climate_of(channel).reach);
  }
  info_.identity = "null";
}

void NullModel::advance(const AdvanceArgs& args) {
  const auto batch = static_cast<std::size_t>(info_.batch);
  require(args.history.size() == batch * history * state_size(), "null model: history of {} values",
          args.history.size());
  require(args.noise.size() == batch * noise_width, "null model: {} draws", args.noise.size());
  if (options_.sleep > 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(options_.sleep));
  }
  for (std::size_t member = 0; member < batch; ++member) {
    check_history(args, member);
    step_member(args, member);
  }
  keep_something(args);
  meet_fault(args);
}

void NullModel::check_history(const AdvanceArgs& args, std::size_t member) const {
  const std::size_t points = info_.grid->points();
  const float* value = args.history.data() + member * history * state_size();
  for (int lag = history - 1; lag >= 0; --lag) {
    const Time valid = args.initial_time + (args.step - lag) * step;
    for (const Channel& channel : *info_.channels) {
      const bool was_input = valid <= args.initial_time;
      // A forecast was rounded to float: one more unit in the last place of the largest value.
      const HashClimate climate = climate_of(channel);
      const double reach = largest_deviation * climate.reach + 1e-6 * std::abs(climate.mean);
      const std::vector<float> expected = hash_field(channel, valid);
      for (std::size_t point = 0; point < points; ++point, ++value) {
        const double off = std::abs(static_cast<double>(*value) - expected[point]);
        if (was_input ? *value == expected[point] : off <= reach) {
          continue;
        }
        fail(ExitCode::internal,
             "null model: {} of {}, lag {}, place {} in the batch, step {}, point {}: {}, expected {}",
             channel.name(), to_string(args.initial_time), lag, member, args.step, point, *value,
             expected[point]);
      }
    }
  }
}

void NullModel::step_member(const AdvanceArgs& args, std::size_t member) const {
  const auto states = args.history.subspan(member * history * state_size(), history * state_size());
  std::uint64_t key = digest(states, static_cast<std::uint64_t>(args.step));
  key = digest(args.noise.subspan(member * noise_width, noise_width), key);
  std::copy(states.begin() + static_cast<std::ptrdiff_t>(state_size()), states.end(), states.begin());
  auto target = states.end() - static_cast<std::ptrdiff_t>(state_size());
  const Time valid = args.initial_time + (args.step + 1) * step;
  for (const Channel& channel : *info_.channels) {
    const double reach = largest_deviation * climate_of(channel).reach;
    key = mixed(key, 1);
    std::uint64_t point = 0;
    for (const float value : hash_field(channel, valid)) {
      *target++ = static_cast<float>(value + reach * uniform(mixed(key, point++)));
    }
  }
}

void NullModel::meet_fault(const AdvanceArgs& args) {
  first_unit_ = first_unit_.value_or(args.initial_time);
  const bool late = *first_unit_ != args.initial_time || args.initial_time >= options_.first_unit_faulted;
  if (fault_is_due() && late && args.step == options_.fault.step) {
    fault_done_ = true;
    // The newest state of the first place: the first member's, never padding.
    commit_fault(options_.fault.kind, args.history.first(history * state_size()));
  }
}

/// Once for each initial time.
void NullModel::keep_something(const AdvanceArgs& args) {
  if (options_.leak > 0 && leaked_ != args.initial_time) {
    leaked_ = args.initial_time;
    kept_.emplace_back(static_cast<std::size_t>(options_.leak) << 10, 'x');
    require(open("/dev/null", O_RDONLY) >= 0, "cannot open /dev/null");
  }
}

}  // namespace mosaic::test
