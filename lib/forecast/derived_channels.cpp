#include "forecast/derived_channels.hpp"

#include <algorithm>
#include <utility>

#include "eval/derived_fields.hpp"

namespace mosaic {

DerivedChannels::DerivedChannels(const ChannelSet& wanted, std::shared_ptr<const LatLonGrid> grid,
                                 const std::function<bool(const Channel&)>& has,
                                 const std::function<bool(const Channel&)>& may_use,
                                 const std::vector<int>& levels)
    : grid_(std::move(grid)) {
  const auto usable = [&](const Channel& channel) { return has(channel) && may_use(channel); };
  for (const Channel& channel : wanted) {
    Plan plan{channel, {}};
    if (!has(channel)) {
      const auto sources = eval::sources_of(channel, usable, levels);
      if (!sources) {
        missing_.push_back(channel.name());
        continue;
      }
      plan.sources = *sources;
    }
    const ChannelSet own = plan.sources.empty() ? ChannelSet{channel} : plan.sources;
    for (const Channel& one : own) {
      if (place_of(one) == to_read_.size()) {
        to_read_.push_back(one);
      }
    }
    plans_.push_back(std::move(plan));
  }
}

std::size_t DerivedChannels::place_of(const Channel& channel) const {
  return static_cast<std::size_t>(std::find(to_read_.begin(), to_read_.end(), channel) - to_read_.begin());
}

std::vector<float> DerivedChannels::complete(std::vector<float> values, std::size_t members) const {
  const bool as_read =
      plans_.size() == to_read_.size() && std::all_of(plans_.begin(), plans_.end(), [&](const Plan& plan) {
        return plan.sources.empty() &&
               place_of(plan.channel) == static_cast<std::size_t>(&plan - plans_.data());
      });
  if (as_read) {
    return values;
  }
  const std::size_t points = grid_->points();
  std::vector<float> all;
  all.reserve(members * plans_.size() * points);
  for (std::size_t m = 0; m < members; ++m) {
    const std::vector<float> one = make([&](const Channel& channel) {
      return values.data() + (m * to_read_.size() + place_of(channel)) * points;
    });
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

bool DerivedChannels::derives() const {
  return std::any_of(plans_.begin(), plans_.end(), [](const Plan& plan) { return !plan.sources.empty(); });
}

std::vector<float> DerivedChannels::make(const std::function<const float*(const Channel&)>& field) const {
  const std::size_t points = grid_->points();
  std::vector<float> values;
  values.reserve(plans_.size() * points);
  for (const Plan& plan : plans_) {
    if (plan.sources.empty()) {
      const float* as_it_is = field(plan.channel);
      values.insert(values.end(), as_it_is, as_it_is + points);
      continue;
    }
    std::vector<const float*> fields;
    for (const Channel& source : plan.sources) {
      fields.push_back(field(source));
    }
    const std::vector<float> derived = eval::derive(plan.channel, plan.sources, fields, *grid_);
    values.insert(values.end(), derived.begin(), derived.end());
  }
  return values;
}

}  // namespace mosaic
