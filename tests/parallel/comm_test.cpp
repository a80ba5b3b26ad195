#include "parallel/comm.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace mosaic {
namespace {

TEST(Comm, BroadcastGivesTheTextOfTheRootWithItsZeroBytes) {
  const Comm world = Comm::world();
  for (int root = 0; root < world.size(); ++root) {
    const std::string expected = "text of rank " + std::to_string(root) + std::string("\0!", 2);
    const std::string mine = world.rank() == root ? expected : "something else";
    EXPECT_EQ(world.broadcast(mine, root), expected);
  }
  EXPECT_EQ(world.broadcast(""), "");
}

TEST(Comm, AllGatherKeepsRankOrderAndEmptyTexts) {
  const Comm world = Comm::world();
  const std::vector<std::string> texts = world.all_gather(std::string(world.rank() * 1000, 'x'));
  ASSERT_EQ(texts.size(), static_cast<std::size_t>(world.size()));
  for (int r = 0; r < world.size(); ++r) {
    EXPECT_EQ(texts[r], std::string(r * 1000, 'x'));
  }
}

/// Values whose sum depends on the order of addition.
double awkward_value(int rank, std::size_t i) {
  return (rank % 2 == 0 ? 1e16 : -1e16) * (1.0 + 1e-3 * rank) + 1.0 / (1.0 + static_cast<double>(i) + rank);
}

TEST(Comm, SumIsBitEqualToALoopOverRanks) {
  const Comm world = Comm::world();
  constexpr std::size_t count = (1 << 16) + 37;  // more than one piece
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = awkward_value(world.rank(), i);
  }
  world.sum_in_rank_order(values);
  for (std::size_t i = 0; i < count; ++i) {
    double expected = awkward_value(0, i);
    for (int r = 1; r < world.size(); ++r) {
      expected += awkward_value(r, i);
    }
    ASSERT_EQ(std::memcmp(&values[i], &expected, sizeof(double)), 0) << "at " << i;
  }
}

TEST(Comm, SumOfDifferentLengthsIsAnErrorOnEveryRank) {
  const Comm world = Comm::world();
  std::vector<double> values(world.rank() == 0 ? 3 : 2, 1.0);
  if (world.size() == 1) {
    world.sum_in_rank_order(values);
    EXPECT_EQ(values, std::vector<double>(3, 1.0));
  } else {
    EXPECT_THROW(world.sum_in_rank_order(values), Error);
  }
}

TEST(Comm, AgreementPassesWhenAllIsWell) { Comm::world().require_agreement(0, ""); }

TEST(Comm, AgreementNamesEachProblemOnceOnEveryRank) {
  const Comm world = Comm::world();
  const bool last = world.rank() == world.size() - 1;
  const int code = static_cast<int>(last ? ExitCode::missing_input : ExitCode::corrupt_input);
  std::string message = last ? "file: is absent" : "";
  if (world.size() == 4 && (world.rank() == 1 || world.rank() == 2)) {
    message = "file: is broken";
  }
  const std::string place =
      "[rank " + std::to_string(world.size() - 1) + "/" + std::to_string(world.size()) + "] ";
  try {
    world.require_agreement(code, message);
    FAIL() << "no error";
  } catch (const Error& problem) {
    EXPECT_EQ(problem.code(), world.size() == 4 ? ExitCode::corrupt_input : ExitCode::missing_input);
    const std::string others = world.size() == 4 ? "[rank 1/4] file: is broken\n" : "";
    EXPECT_EQ(problem.what(), others + place + "file: is absent");
  }
}

TEST(Comm, DuplicateHasTheSameRanks) {
  const Comm world = Comm::world();
  const Comm other = world.duplicate();
  EXPECT_EQ(other.rank(), world.rank());
  EXPECT_EQ(other.size(), world.size());
  other.barrier();
}

TEST(Comm, ExchangeKeepsTheOrderOfEachPair) {
  const Comm world = Comm::world();
  constexpr std::size_t messages = 5;
  const auto value = [](int from, int to, std::size_t i) {
    return static_cast<float>(10000 * from + 100 * to) + static_cast<float>(i);
  };
  std::vector<std::vector<float>> sent;
  std::vector<std::vector<float>> received(messages * static_cast<std::size_t>(world.size()));
  std::vector<OutgoingValues> outgoing;
  std::vector<IncomingValues> incoming;
  for (int peer = 0; peer < world.size(); ++peer) {
    for (std::size_t i = 0; i < messages; ++i) {
      sent.emplace_back(1000 * i, value(world.rank(), peer, i));  // the first one is empty
      received[static_cast<std::size_t>(peer) * messages + i].resize(1000 * i);
    }
  }
  for (int peer = 0; peer < world.size(); ++peer) {
    for (std::size_t i = 0; i < messages; ++i) {
      const std::size_t at = static_cast<std::size_t>(peer) * messages + i;
      outgoing.push_back({peer, sent[at]});
      incoming.push_back({peer, received[at]});
    }
  }
  world.exchange(outgoing, incoming);
  for (int peer = 0; peer < world.size(); ++peer) {
    for (std::size_t i = 0; i < messages; ++i) {
      EXPECT_EQ(received[static_cast<std::size_t>(peer) * messages + i],
                std::vector<float>(1000 * i, value(peer, world.rank(), i)));
    }
  }
}

TEST(Comm, SplitMakesGroupsWithMessagesOfTheirOwn) {
  const Comm world = Comm::world();
  const int color = world.rank() % 2;
  const Comm group = world.split(color);
  EXPECT_EQ(group.size(), (world.size() + 1 - color) / 2);
  EXPECT_EQ(group.rank(), world.rank() / 2);
  EXPECT_EQ(group.broadcast(std::to_string(world.rank())), std::to_string(color));
}

/// The launcher of the tests starts all ranks on this host.
TEST(Comm, NodeHoldsTheRanksOfTheHost) {
  const Comm world = Comm::world(), node = world.node();
  EXPECT_EQ(node.size(), world.size());
  EXPECT_EQ(node.rank(), world.rank());
}

}  // namespace
}  // namespace mosaic
