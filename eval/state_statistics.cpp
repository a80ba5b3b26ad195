#include "eval/state_statistics.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/parallel_for.hpp"
#include "parallel/agree.hpp"
#include "stores/seams.hpp"

namespace mosaic::eval {
namespace {

/// Times that one rank takes at once and whose moments are merged one after another.
constexpr std::size_t block_times = 32;
/// Numbers of a Moments.
constexpr std::size_t numbers = 3;

template <class Value>
Moments moments_of(std::size_t size, const Value& value) {
  Moments m;
  double sum = 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    const double x = value(i);
    const bool there = !std::isnan(x);
    m.count += there ? 1.0 : 0.0;
    sum += there ? x : 0.0;
  }
  m.mean = m.count > 0.0 ? sum / m.count : 0.0;
  for (std::size_t i = 0; i < size; ++i) {
    const double x = value(i);
    m.squares += std::isnan(x) ? 0.0 : (x - m.mean) * (x - m.mean);
  }
  return m;
}

ChannelSet chosen_channels(const StateStatisticsRequest& request, const FieldStore& store) {
  const auto lacks = [&](const Channel& channel) { return !store.has(channel); };
  if (request.channels.empty()) {
    const ChannelSet published = mosaic_channels();
    return std::none_of(published.begin(), published.end(), lacks) ? published : store.contents().channels;
  }
  std::vector<std::string> absent;
  for (const Channel& channel : request.channels) {
    if (lacks(channel)) {
      absent.push_back(channel.name());
    }
  }
  require(absent.empty(), ExitCode::missing_input, "{}: missing: {}", request.input, fmt::join(absent, ", "));
  return request.channels;
}

std::vector<Time> chosen_times(const StateStatisticsRequest& request, const FieldStore& store) {
  std::vector<Time> times;
  std::copy_if(store.times().begin(), store.times().end(), std::back_inserter(times), [&](Time time) {
    return (!request.first || time >= *request.first) && (!request.last || time <= *request.last);
  });
  require(!times.empty(), ExitCode::missing_input, "{}: has no time in the period", request.input);
  return times;
}

/// The states that a block needs, each read once.
class States {
 public:
  States(FieldStore& store, std::shared_ptr<const ChannelSet> channels)
      : store_(store), channels_(std::move(channels)) {}

  const State& at(Time time) {
    const auto found = states_.find(time);
    return found != states_.end() ? found->second
                                  : states_.emplace(time, store_.read(time, channels_)).first->second;
  }
  void forget_before(Time time) { states_.erase(states_.begin(), states_.lower_bound(time)); }

 private:
  FieldStore& store_;
  std::shared_ptr<const ChannelSet> channels_;
  std::map<Time, State> states_;
};

/// Pairs of times of which differences are formed.
class Pairs {
 public:
  Pairs(const StateStatisticsRequest& request, const std::vector<Time>& times)
      : step_(request.step), times_(times), seams_(seams_of(request.input)) {}

  /// The time that follows by a step, if it is there and of the same realization.
  std::optional<Time> next_of(Time time) const {
    if (!step_ || !std::binary_search(times_.begin(), times_.end(), time + *step_) ||
        crosses_seam(seams_, time, time + *step_)) {
      return std::nullopt;
    }
    return time + *step_;
  }

 private:
  std::optional<Duration> step_;
  const std::vector<Time>& times_;
  std::vector<Time> seams_;
};

/// Moments [C] of states, then [C] of differences, of the times begin ... end - 1.
std::vector<Moments> moments_of_block(FieldStore& store, const std::shared_ptr<const ChannelSet>& channels,
                                      const std::vector<Time>& times, std::size_t begin, std::size_t end,
                                      const Pairs& pairs, int threads) {
  const std::size_t count = channels->size();
  std::vector<Moments> moments(2 * count);
  States states(store, channels);
  for (std::size_t t = begin; t < end; ++t) {
    states.forget_before(times[t]);
    const State& now = states.at(times[t]);
    const auto next_time = pairs.next_of(times[t]);
    const State* next = next_time ? &states.at(*next_time) : nullptr;
    parallel_for(count, threads, [&](std::size_t c) {
      moments[c].merge(Moments::of(now.field(c)));
      if (next != nullptr) {
        moments[count + c].merge(Moments::of_difference(next->field(c), now.field(c)));
      }
    });
  }
  return moments;
}

}  // namespace

Moments Moments::of(std::span<const float> values) {
  return moments_of(values.size(), [&](std::size_t i) { return static_cast<double>(values[i]); });
}

Moments Moments::of_difference(std::span<const float> x, std::span<const float> y) {
  return moments_of(x.size(), [&](std::size_t i) { return static_cast<double>(x[i]) - y[i]; });
}

void Moments::merge(const Moments& other) {
  if (other.count == 0.0) {
    return;
  }
  const double all = count + other.count;
  const double apart = other.mean - mean;
  mean += apart * (other.count / all);
  squares += other.squares + apart * apart * (count * other.count / all);
  count = all;
}

double Moments::deviation() const { return std::sqrt(squares / count); }

StateStatistics compute_state_statistics(const StateStatisticsRequest& request, const Comm& comm) {
  std::unique_ptr<FieldStore> store;
  StateStatistics result;
  std::vector<Time> times;
  std::optional<Pairs> pairs;
  agree(comm, [&] {
    store = open_field_store(request.input, request.options);
    result.channels = chosen_channels(request, *store);
    times = chosen_times(request, *store);
    require(!result.channels.empty(), ExitCode::corrupt_input, "{}: holds no variable by time",
            request.input);
    require(!request.step || request.step->seconds > 0, ExitCode::bad_configuration,
            "differences over a step of {} s cannot be formed", request.step ? request.step->seconds : 0);
    result.times = times.size();
    pairs.emplace(request, times);
    for (const Time time : times) {
      result.differences += pairs->next_of(time) ? 1 : 0;
    }
    require(!request.step || result.differences > 0, ExitCode::missing_input,
            "{}: no two times are {} apart; choose another step", request.input,
            request.step ? to_string(*request.step) : "");
  });

  const auto channels = std::make_shared<const ChannelSet>(result.channels);
  const std::size_t blocks = (times.size() + block_times - 1) / block_times;
  const std::size_t per_block = 2 * channels->size() * numbers;
  std::vector<double> sums(blocks * per_block, 0.0);
  const auto rank = static_cast<std::size_t>(comm.rank());
  const auto ranks = static_cast<std::size_t>(comm.size());
  for (std::size_t b = blocks * rank / ranks; b < blocks * (rank + 1) / ranks; ++b) {
    const std::size_t end = std::min(times.size(), (b + 1) * block_times);
    const auto moments =
        moments_of_block(*store, channels, times, b * block_times, end, *pairs, request.options.threads);
    for (std::size_t k = 0; k < moments.size(); ++k) {
      double* to = sums.data() + b * per_block + k * numbers;
      to[0] = moments[k].count;
      to[1] = moments[k].mean;
      to[2] = moments[k].squares;
    }
  }
  comm.sum_in_rank_order(sums);  // each number has one rank that adds more than 0
  std::vector<Moments> all(2 * channels->size());
  for (std::size_t b = 0; b < blocks; ++b) {
    for (std::size_t k = 0; k < all.size(); ++k) {
      const double* from = sums.data() + b * per_block + k * numbers;
      all[k].merge({from[0], from[1], from[2]});
    }
  }
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(channels->size());
  result.state.assign(all.begin(), middle);
  if (request.step) {
    result.residual.assign(middle, all.end());
  }
  return result;
}

}  // namespace mosaic::eval
