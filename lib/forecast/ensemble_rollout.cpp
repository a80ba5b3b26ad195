#include "forecast/ensemble_rollout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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
  if (members.count > 0) {
    resident_ = model.make_resident(batch_count(members, batch) * batch);
  }
  if (is_resident()) {
    return;
  }
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
  std::vector<float> together;
  for (const State& state : history) {
    require(state.values.size() == state_size(), "rollout: a history state has {} values, expected {}",
            state.values.size(), state_size());
    together.insert(together.end(), state.values.begin(), state.values.end());
  }
  if (fetching_) {
    fetched();  // of an initial time that was given up
  }
  if (is_resident()) {
    resident_->start(initial_time, together);
  }
  for (auto& histories : batches_) {
    auto place = histories.begin();
    for (int member = 0; member < model_.info().batch; ++member) {
      place = std::copy(together.begin(), together.end(), place);
    }
  }
}

void EnsembleRollout::advance() {
  begin_step();
  finish_step();
}

/// [B, noise width] of the next step.
std::vector<float> EnsembleRollout::draws_of_batch(std::size_t b) const {
  const ModelInfo& info = model_.info();
  const auto width = static_cast<std::size_t>(info.noise_width);
  std::vector<float> draws(static_cast<std::size_t>(info.batch) * width);
  for (int place = 0; width > 0 && place < info.batch; ++place) {
    noise_.fill(initial_time_, (first_batch_ + static_cast<int>(b)) * info.batch + place, steps_done_,
                std::span(draws).subspan(static_cast<std::size_t>(place) * width, width));
  }
  return draws;
}

void EnsembleRollout::begin_step() {
  if (is_resident()) {
    std::vector<float> draws;
    for (int b = 0; b < batch_count(members_, model_.info().batch); ++b) {
      const std::vector<float> of_batch = draws_of_batch(static_cast<std::size_t>(b));
      draws.insert(draws.end(), of_batch.begin(), of_batch.end());
    }
    resident_->advance(draws);
  }
  for (std::size_t b = 0; b < batches_.size(); ++b) {
    model_.advance({initial_time_, steps_done_, batches_[b], draws_of_batch(b)});
  }
  ++steps_done_;
}

void EnsembleRollout::finish_step() {
  if (is_resident()) {
    check_resident();
    return;
  }
  for (int i = 0; i < members_.count; ++i) {
    check_member(members_.first + i, newest(members_.first + i));
  }
}

/// The device finds the member; the host, the place.
void EnsembleRollout::check_resident() {
  const int padding = members_.first - first_batch_ * model_.info().batch;
  const std::vector<bool> out_of_range = resident_->out_of_range(largest_anomaly);
  std::vector<std::size_t> channels(model_.info().channels->size());
  std::iota(channels.begin(), channels.end(), std::size_t{0});
  for (int i = 0; i < members_.count; ++i) {
    if (out_of_range[static_cast<std::size_t>(padding + i)]) {
      resident_->fetch(padding + i, 1, channels);
      check_member(members_.first + i, resident_->fetched().data());
      fail(ExitCode::internal, "member {} left its range on the device after step {}, but not on the host",
           members_.first + i, steps_done_);
    }
  }
}

DeviceStates EnsembleRollout::on_device() const {
  DeviceStates states = resident_->newest();
  states.first += (members_.first - first_batch_ * model_.info().batch) * states.member_stride;
  return states;
}

void EnsembleRollout::fetch(std::span<const std::size_t> channels) {
  resident_->fetch(members_.first - first_batch_ * model_.info().batch, members_.count, channels);
  fetched_channels_ = channels.size();
  fetching_ = true;
}

std::vector<const float*> EnsembleRollout::fetched() {
  fetching_ = false;
  const float* first = resident_->fetched().data();
  std::vector<const float*> states;
  for (int i = 0; i < members_.count; ++i) {
    states.push_back(first + static_cast<std::size_t>(i) * fetched_channels_ * model_.info().grid->points());
  }
  return states;
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

void EnsembleRollout::check_member(int member, const float* state) const {
  const ModelInfo& info = model_.info();
  const std::size_t points = info.grid->points();
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
