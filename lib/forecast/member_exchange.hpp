#pragma once

#include <memory>
#include <vector>

#include "fields/channel.hpp"
#include "forecast/ensemble_rollout.hpp"
#include "model/forecast_model.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

/// Redistributes the newest states of an ensemble whose members are spread over the ranks of a group: each
/// rank gives all channels of its members and gets all members of the channels that it wants.
class MemberExchange {
 public:
  /// `members`: of the whole group, shared out by members_of_rank(). `wanted`: by rank of the group.
  MemberExchange(Comm group, const ModelInfo& model, MemberRange members, std::vector<ChannelSet> wanted);

  /// Of the fields that collect() gives: what this rank wants; everything where it is alone.
  const std::shared_ptr<const ChannelSet>& channels() const { return channels_; }

  /// `own`: newest state of each member of this rank, [C, lat, lon]. Returns one pointer per member of the
  /// group to [channels(), lat, lon], in member order; valid until the next call. A rank that is alone gets
  /// `own` back. Collective.
  std::vector<const float*> collect(const std::vector<const float*>& own);

 private:
  std::vector<std::size_t> positions_of(const ChannelSet& wanted) const;
  MemberRange range_of(int rank) const;

  Comm group_;
  std::shared_ptr<const ChannelSet> model_channels_;
  std::size_t points_;
  int batch_;
  MemberRange members_;
  std::shared_ptr<const ChannelSet> channels_;
  std::vector<std::vector<std::size_t>> wanted_;  // [ranks] positions in the model's channels
  std::vector<float> fields_;                     // [M, channels_, lat, lon]
};

}  // namespace mosaic
