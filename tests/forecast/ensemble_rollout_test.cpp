#include "forecast/ensemble_rollout.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "fake_hindcast/hash_fields.hpp"
#include "fake_hindcast/null_model.hpp"

namespace mosaic {
namespace {

TEST(MemberRanges, ShareOutWholeBatches) {
  for (const MemberRange all : {MemberRange{0, 7}, MemberRange{3, 6}, MemberRange{5, 1}, MemberRange{0, 0}}) {
    for (int ranks = 1; ranks <= 6; ++ranks) {
      int next = all.first;
      for (int rank = 0; rank < ranks; ++rank) {
        const MemberRange mine = members_of_rank(all, 2, rank, ranks);
        ASSERT_EQ(mine.first, next) << "rank " << rank << " of " << ranks;
        next = mine.first + mine.count;
        const bool outside = next == all.first || next == all.first + all.count;
        EXPECT_TRUE(next % 2 == 0 || outside) << "a batch is cut";
        EXPECT_LE(batch_count(mine, 2), (batch_count(all, 2) + ranks - 1) / ranks);
      }
      EXPECT_EQ(next, all.first + all.count);
    }
  }
}

/// The newest states of a range of members after two steps.
std::vector<std::vector<float>> run(MemberRange members, int batch) {
  test::NullModelOptions options;
  options.batch = batch;
  test::NullModel model(options);
  EnsembleRollout rollout(model, members, NoiseSource::from_seed(7));
  const Time start = parse_time("2020-01-01T00");
  std::vector<State> history;
  for (int age = test::NullModel::history - 1; age >= 0; --age) {
    State state{start - age * test::NullModel::step, test::hash_grid(), test::hash_channels(), {}};
    for (const Channel& channel : *state.channels) {
      const std::vector<float> field = test::hash_field(channel, state.time);
      state.values.insert(state.values.end(), field.begin(), field.end());
    }
    history.push_back(state);
  }
  rollout.start(start, history);
  rollout.advance();
  rollout.advance();
  std::vector<std::vector<float>> states;
  for (const float* state : rollout.members()) {
    states.emplace_back(state, state + history[0].values.size());
  }
  return states;
}

TEST(EnsembleRollout, MemberDoesNotDependOnRangeOrBatch) {
  const auto all = run({0, 7}, 7);
  ASSERT_EQ(all.size(), 7U);
  EXPECT_NE(all[3], all[4]) << "members are told apart";
  for (const auto& [members, batch] :
       std::vector<std::pair<MemberRange, int>>{{{0, 7}, 2}, {{3, 4}, 2}, {{5, 1}, 4}, {{2, 3}, 1}}) {
    const auto some = run(members, batch);
    ASSERT_EQ(some.size(), static_cast<std::size_t>(members.count));
    for (int i = 0; i < members.count; ++i) {
      EXPECT_EQ(some[i], all[members.first + i])
          << "member " << members.first + i << ", batches of " << batch;
    }
  }
  EXPECT_TRUE(run({4, 0}, 2).empty());
}

}  // namespace
}  // namespace mosaic
