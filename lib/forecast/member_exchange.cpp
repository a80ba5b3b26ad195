#include "forecast/member_exchange.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"

namespace mosaic {

MemberExchange::MemberExchange(Comm group, const ModelInfo& model, MemberRange members,
                               std::vector<ChannelSet> wanted)
    : group_(std::move(group)),
      model_channels_(model.channels),
      points_(model.grid->points()),
      batch_(model.batch),
      members_(members) {
  require(wanted.size() == static_cast<std::size_t>(group_.size()),
          "member exchange: {} lists of channels for {} ranks", wanted.size(), group_.size());
  if (group_.size() == 1) {
    channels_ = model.channels;
    return;
  }
  for (const ChannelSet& channels : wanted) {
    wanted_.push_back(positions_of(channels));
  }
  channels_ = std::make_shared<const ChannelSet>(std::move(wanted[static_cast<std::size_t>(group_.rank())]));
  fields_.resize(static_cast<std::size_t>(members_.count) * channels_->size() * points_);
}

std::vector<std::size_t> MemberExchange::positions_of(const ChannelSet& wanted) const {
  std::vector<std::size_t> positions;
  for (const Channel& channel : wanted) {
    const auto found = std::find(model_channels_->begin(), model_channels_->end(), channel);
    require(found != model_channels_->end(), "member exchange: the model has no {}", channel.name());
    positions.push_back(static_cast<std::size_t>(found - model_channels_->begin()));
  }
  return positions;
}

MemberRange MemberExchange::range_of(int rank) const {
  return members_of_rank(members_, batch_, rank, group_.size());
}

std::vector<const float*> MemberExchange::collect(const std::vector<const float*>& own) {
  if (group_.size() == 1) {
    return own;
  }
  require(own.size() == static_cast<std::size_t>(range_of(group_.rank()).count),
          "member exchange: {} members of this rank, expected {}", own.size(), range_of(group_.rank()).count);
  std::vector<OutgoingValues> outgoing;
  std::vector<IncomingValues> incoming;
  for (int rank = 0; rank < group_.size(); ++rank) {
    for (const float* state : own) {
      for (const std::size_t position : wanted_[static_cast<std::size_t>(rank)]) {
        outgoing.push_back({rank, {state + position * points_, points_}});
      }
    }
    const MemberRange theirs = range_of(rank);
    const auto first = static_cast<std::size_t>(theirs.first - members_.first) * channels_->size();
    const auto count = static_cast<std::size_t>(theirs.count) * channels_->size();
    for (std::size_t field = first; field < first + count; ++field) {
      incoming.push_back({rank, {fields_.data() + field * points_, points_}});
    }
  }
  group_.exchange(outgoing, incoming);
  std::vector<const float*> collected;
  for (int member = 0; member < members_.count; ++member) {
    collected.push_back(fields_.data() + static_cast<std::size_t>(member) * channels_->size() * points_);
  }
  return collected;
}

}  // namespace mosaic
