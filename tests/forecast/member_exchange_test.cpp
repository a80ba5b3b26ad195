#include "forecast/member_exchange.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "support/errors.hpp"

namespace mosaic {
namespace {

constexpr int batch = 2;
const MemberRange members{4, 7};

ModelInfo model() {
  ModelInfo info;
  info.batch = batch;
  info.channels = std::make_shared<ChannelSet>(
      ChannelSet{{"geopotential", 500}, {"temperature", 850}, {"2m_temperature", std::nullopt}});
  info.grid = std::make_shared<LatLonGrid>(LatLonGrid::with_poles(8, 5));
  return info;
}

float value(int member, std::size_t channel, std::size_t point) {
  return static_cast<float>(member) + 100.0F * static_cast<float>(channel) +
         0.01F * static_cast<float>(point);
}

/// Every rank wants other channels, in another order, the last one none.
std::vector<ChannelSet> wanted(const ModelInfo& info, int ranks) {
  std::vector<ChannelSet> lists(static_cast<std::size_t>(ranks));
  const ChannelSet& all = *info.channels;
  lists[0] = {all[2], all[0]};
  if (ranks > 2) {
    lists[1] = {all[1]};
  }
  return lists;
}

TEST(MemberExchange, GivesAllMembersOfTheWantedChannels) {
  const Comm world = Comm::world();
  const ModelInfo info = model();
  const std::size_t points = info.grid->points();
  MemberExchange exchange(world, info, members, wanted(info, world.size()));
  const MemberRange mine = members_of_rank(members, batch, world.rank(), world.size());
  std::vector<std::vector<float>> states;
  std::vector<const float*> own;
  for (int m = mine.first; m < mine.first + mine.count; ++m) {
    auto& state = states.emplace_back();
    for (std::size_t c = 0; c < info.channels->size(); ++c) {
      for (std::size_t p = 0; p < points; ++p) {
        state.push_back(value(m, c, p));
      }
    }
  }
  for (const auto& state : states) {
    own.push_back(state.data());
  }
  const std::vector<const float*> all = exchange.collect(own);
  ASSERT_EQ(all.size(), static_cast<std::size_t>(members.count));
  if (world.size() == 1) {
    EXPECT_EQ(all, own) << "nothing is copied";
    EXPECT_EQ(exchange.channels(), info.channels);
    return;
  }
  for (int m = 0; m < members.count; ++m) {
    const float* field = all[static_cast<std::size_t>(m)];
    for (const Channel& channel : *exchange.channels()) {
      const auto c = static_cast<std::size_t>(
          std::find(info.channels->begin(), info.channels->end(), channel) - info.channels->begin());
      for (std::size_t p = 0; p < points; ++p) {
        ASSERT_EQ(*field++, value(members.first + m, c, p)) << "member " << m << " " << channel.name();
      }
    }
  }
}

TEST(MemberExchange, ChannelThatTheModelLacksIsAnError) {
  const Comm world = Comm::world();
  if (world.size() == 1) {
    GTEST_SKIP() << "needs two ranks";
  }
  std::vector<ChannelSet> lists(static_cast<std::size_t>(world.size()));
  lists[0] = {{"temperature", 500}};
  std::string message;
  EXPECT_EQ(test::code_of([&] { MemberExchange(world, model(), members, lists); }, &message),
            ExitCode::internal);
  EXPECT_NE(message.find("temperature_500"), std::string::npos);
}

}  // namespace
}  // namespace mosaic
