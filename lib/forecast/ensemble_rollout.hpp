#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fields/state.hpp"
#include "forecast/noise_source.hpp"
#include "model/forecast_model.hpp"

namespace mosaic {

/// Consecutive members of an ensemble; possibly none.
struct MemberRange {
  int first = 0;
  int count = 0;
  friend bool operator==(const MemberRange&, const MemberRange&) = default;
};

/// Batches of `batch` members that hold members of the range.
int batch_count(MemberRange members, int batch);

/// The members of `all` that rank `rank` of a group of `ranks` computes: whole batches of `batch` members,
/// shared out as evenly as they go, in rank order.
MemberRange members_of_rank(MemberRange all, int batch, int rank, int ranks);

/// Members of one initial time, advanced together step by step. Members are cut in batches of
/// ModelInfo::batch (member m sits in batch m / B at place m % B, whichever others are computed here), the
/// first and the last one padded to full size. Where the model computes on a device the states stay there.
class EnsembleRollout {
 public:
  EnsembleRollout(ForecastModel& model, MemberRange members, NoiseSource noise);

  /// Gives every member the same history (oldest first, ModelInfo::history states).
  void start(Time initial_time, const std::vector<State>& history);

  /// One model step of every member: begin_step(), finish_step().
  void advance();
  /// Computes the step; a device has only begun it when this returns.
  void begin_step();
  /// Waits for the step; then checks that every value is finite and within mean +- 30 standard deviations of
  /// its channel (where the model knows them). Errors: internal, naming member, variable, level, place, step.
  void finish_step();

  int steps_done() const { return steps_done_; }
  bool is_resident() const { return resident_ != nullptr; }
  /// Newest state of each member of the range. Shape of each: [C, lat, lon]. Not of resident members.
  std::vector<const float*> members() const;

  /// Where the newest states of resident members begin on the device, that of the range's first.
  DeviceStates on_device() const;
  /// Queues a copy of channels (positions in the model's) of resident members to the host; it shows the step
  /// that was finished last even if another is begun.
  void fetch(std::span<const std::size_t> channels);
  /// Waits for it. Shape of each: [channels, lat, lon]; valid until the next fetch().
  std::vector<const float*> fetched();

 private:
  std::vector<float> draws_of_batch(std::size_t b) const;
  void check_resident();
  std::size_t state_size() const;
  const float* newest(int member) const;
  void check_member(int member, const float* state) const;

  ForecastModel& model_;
  MemberRange members_;
  int first_batch_;
  NoiseSource noise_;
  Time initial_time_;
  int steps_done_ = 0;
  std::vector<std::vector<float>> batches_;  // each [B, T, C, lat, lon]; none of resident members
  std::unique_ptr<ResidentEnsemble> resident_;
  std::size_t fetched_channels_ = 0;
  bool fetching_ = false;
};

}  // namespace mosaic
