#include "forecast/ensemble_rollout.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace mosaic {

namespace {

constexpr double largest_anomaly = 30;  // standard deviations

}  // namespace

int batch_count(MemberRange members, int batch) {
  return members.count == 0 ? 0 : (members.first + members.count - 1) / batch - members.first / batch + 1;
}

MemberRange members_of_rank(MemberRange all, int batch, int rank, int ranks) {
  const int end = all.first + all.count;
  const int first_batch = all.first / batch;
  const int batches = batch_count(all, batch);
  const auto boundary = [&](int of_rank) {
    const int member = (first_batch + batches * of_rank / ranks) * batch;
    return std::clamp(member, all.first, end);
  };
  return {boundary(rank), boundary(rank + 1) - boundary(rank)};
}

EnsembleRollout::EnsembleRollout(ForecastModel& model, MemberRange members, NoiseSource noise)
    : model_(model),
      members_(members),
      first_batch_(members.first / model.info().batch),
      noise_(std::move(noise)) {
  const int batch = model.info().batch;
  batches_.resize(static_cast<std::size_t>(batch_count(members, batch)));
  for (auto& histories : batches_) {
    histories.resize(static_cast<std::size_t>(batch * model.info().history) * state_size());
  }
}

std::size_t EnsembleRollout::state_size() const {
  return model_.info().channels->size() * model_.info().grid->points();
}

void EnsembleRollout::start(Time initial_time, const std::vector<State>& history) {
  require(static_cast<int>(history.size()) == model_.info().history,
          "rollout: {} history states, the model takes {}", history.size(), model_.info().history);
  initial_time_ = initial_time;
  steps_done_ = 0;
  for (auto& histories : batches_) {
    auto place = histories.begin();
    for (int member = 0; member < model_.info().batch; ++member) {
      for (const State& state : history) {
        require(state.values.size() == state_size(), "rollout: a history state has {} values, expected {}",
                state.values.size(), state_size());
        place = std::copy(state.values.begin(), state.values.end(), place);
      }
    }
  }
}

void EnsembleRollout::advance() {
  const ModelInfo& info = model_.info();
  const auto width = static_cast<std::size_t>(info.noise_width);
  std::vector<float> draws(static_cast<std::size_t>(info.batch) * width);
  for (std::size_t b = 0; b < batches_.size(); ++b) {
    for (int place = 0; width > 0 && place < info.batch; ++place) {
      noise_.fill(initial_time_, (first_batch_ + static_cast<int>(b)) * info.batch + place, steps_done_,
                  std::span(draws).subspan(static_cast<std::size_t>(place) * width, width));
    }
    model_.advance({initial_time_, steps_done_, batches_[b], draws});
  }
  ++steps_done_;
  for (int i = 0; i < members_.count; ++i) {
    check_member(members_.first + i);
  }
}

const float* EnsembleRollout::newest(int member) const {
  const ModelInfo& info = model_.info();
  const auto batch = static_cast<std::size_t>(member / info.batch - first_batch_);
  const auto place = static_cast<std::size_t>(member % info.batch * info.history + info.history - 1);
  return batches_[batch].data() + place * state_size();
}

std::vector<const float*> EnsembleRollout::members() const {
  std::vector<const float*> states;
  for (int i = 0; i < members_.count; ++i) {
    states.push_back(newest(members_.first + i));
  }
  return states;
}

void EnsembleRollout::check_member(int member) const {
  const ModelInfo& info = model_.info();
  const std::size_t points = info.grid->points();
  const float* state = newest(member);
  for (std::size_t channel = 0; channel < info.channels->size(); ++channel) {
    const bool bounded = !info.channel_mean.empty();
    const double mean = bounded ? info.channel_mean[channel] : 0;
    const double reach = bounded ? largest_anomaly * info.channel_std[channel] : HUGE_VAL;
    for (std::size_t point = 0; point < points; ++point) {
      const double value = state[channel * points + point];
      if (std::isfinite(value) && std::abs(value - mean) <= reach) {
        continue;
      }
      const std::size_t columns = info.grid->longitude.size();
      fail(ExitCode::internal,
           "the forecast left its range: member {}, {} = {} at latitude {}, longitude {} after step {} (lead "
           "time {}); allowed is {}",
           member, (*info.channels)[channel].name(), value, info.grid->latitude[point / columns],
           info.grid->longitude[point % columns], steps_done_, to_string(steps_done_ * info.step),
           bounded ? fmt::format("{} +- {}", mean, reach) : "any finite value");
    }
  }
}

}  // namespace mosaic
