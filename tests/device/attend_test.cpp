// attend on a device against its definition in float64.

#include <gtest/gtest.h>

#include "device/attend_case.hpp"
#include "kernels/block_sparse_attention/attend_lists.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

// ---- The order over a list, on the host ----

/// One query row in float64; what the bodies do with matrices.
struct HostRow {
  const AttendCase& a;
  std::int64_t number;  ///< of the list
  const float* q;
  double gate_local, gate_selected;
  double o[device_head_width] = {}, maximum = -INFINITY, sum = 0;
  double kept[device_head_width] = {}, parked_maximum = 0, parked_sum = 0;
  bool forget_to_park = false;

  unsigned count(unsigned group) const {
    return static_cast<unsigned>(a.counts[4 * static_cast<std::size_t>(number) + group]);
  }
  void multiply(unsigned first, unsigned last) {
    const std::int64_t column = number / a.shape.blocks();
    for (unsigned i = first; i < last; ++i) {
      const std::int64_t block = a.lists[AttendCase::size(number * a.shape.list_capacity()) + i];
      for (std::int64_t key = 0; key < device_block; ++key) {
        const auto at = (column * a.shape.tokens + block * device_block + key) * device_head_width;
        multiply_key(a.k.data() + at, a.v.data() + at);
      }
    }
  }
  void multiply_key(const float* k, const float* v) {
    double score = 0;
    for (int d = 0; d < device_head_width; ++d) {
      score += double(q[d]) * double(k[d]) / 8;
    }
    const double highest = std::max(maximum, score), shrink = std::exp(maximum - highest);
    const double weight = std::exp(score - highest);
    maximum = highest;
    sum = sum * shrink + weight;
    for (int d = 0; d < device_head_width; ++d) {
      o[d] = o[d] * shrink + weight * double(v[d]);
    }
  }
  void park() {
    if (!forget_to_park) {
      std::copy_n(o, device_head_width, kept);
      parked_maximum = maximum;
      parked_sum = sum;
    }
  }
  void close_local() {
    for (int d = 0; d < device_head_width; ++d) {
      const double local = sum == 0 ? 0 : o[d] * gate_local / sum;
      o[d] = kept[d];
      kept[d] = local;
    }
    maximum = parked_maximum;
    sum = parked_sum;
  }
  void close_selected() {
    for (int d = 0; d < device_head_width; ++d) {
      o[d] = kept[d] + (sum == 0 ? 0 : o[d] * gate_selected / sum);
    }
  }
};

/// Largest difference between the walk and the definition over a few rows.
double walk_error(const AttendCase& a, bool forget_to_park) {
  const std::vector<double> exact = a.exact();
  double worst = 0;
  for (std::int64_t number = 0; number < a.shape.blocks(); ++number) {
    for (std::int64_t i = 0; i < device_group * device_block; i += 97) {
      const std::int64_t row =
          (number * device_block + i % device_block) * a.shape.heads() + i / device_block;
      const float* gate = a.gates.data() + 3 * row;
      HostRow work{a, number, a.q.data() + (number * device_group * device_block + i) * device_head_width,
                   gate[0], gate[2]};
      work.forget_to_park = forget_to_park;
      walk_list(work);
      for (int d = 0; d < device_head_width; ++d) {
        const double difference = work.o[d] - exact[AttendCase::size(row * device_head_width + d)];
        worst = std::isfinite(difference) ? std::max(worst, std::abs(difference)) : INFINITY;
      }
    }
  }
  return worst;
}

AttendSetting host_setting(std::int64_t local_blocks, std::int64_t selected, Selection selection) {
  return {.blocks = 4,
          .selected = selected,
          .local_blocks = local_blocks,
          .branches = AttentionBranches::no_compressed,
          .selection = selection};
}

TEST(AttendLists, WalkIsTheDefinition) {
  for (const std::int64_t local_blocks : {1, 2, 4}) {
    for (const Selection selection : {Selection::local_run, Selection::disjoint, Selection::random}) {
      // A seventh digit is the float32 gates' only if they were used differently.
      EXPECT_LT(walk_error(AttendCase(host_setting(local_blocks, 2, selection)), false), 1e-12)
          << local_blocks << " " << static_cast<int>(selection);
    }
  }
}

TEST(AttendLists, ForgottenParkShows) {
  EXPECT_GT(walk_error(AttendCase(host_setting(2, 2, Selection::local_run)), true), 0.01);
  EXPECT_GT(walk_error(AttendCase(host_setting(2, 3, Selection::random)), true), 0.01);
}

// ---- Bodies ----

struct BodyAndType {
  AttendBody body;
  ElementType type;
};

class Attend : public DeviceTest, public ::testing::WithParamInterface<BodyAndType> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && GetParam().body == AttendBody::hopper && !has_hopper_bodies()) {
      GTEST_SKIP() << "the Hopper body needs compute capability 9.0";
    }
  }

  static AttendCase made(AttendSetting setting) {
    setting.type = GetParam().type;
    return AttendCase(setting);
  }

  static void expect_right(const AttendSetting& setting) {
    const AttendCase a = made(setting);
    const auto exact = a.exact();
    const auto naive = a.naive();
    const auto ours = a.run(GetParam().body);
    EXPECT_TRUE(within_twice_naive(ours, naive, exact, GetParam().type))
        << a.setting << ": error " << distance(ours, exact) / norm(exact) << ", naive "
        << distance(naive, exact) / norm(exact);
    if (std::getenv("MOSAIC_PRINT_ERRORS") != nullptr) {
      std::printf("%.2e against %.2e of the naive evaluation\n", distance(ours, exact) / norm(exact),
                  distance(naive, exact) / norm(exact));
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Bodies, Attend,
                         ::testing::Values(BodyAndType{AttendBody::ampere, ElementType::float16},
                                           BodyAndType{AttendBody::ampere, ElementType::bfloat16},
                                           BodyAndType{AttendBody::hopper, ElementType::float16},
                                           BodyAndType{AttendBody::hopper, ElementType::bfloat16},
                                           BodyAndType{AttendBody::automatic, ElementType::float32}),
                         [](const auto& info) {
                           return std::string(info.param.body == AttendBody::ampere   ? "ampere_"
                                              : info.param.body == AttendBody::hopper ? "hopper_"
                                                                                      : "plain_") +
                                  to_string(info.param.type);
                         });

TEST_P(Attend, NumbersOfSelectedBlocks) {
  for (const std::int64_t n : {0, 1, 4, 8}) {
    expect_right(sampled(
        {.selected = n, .branches = n == 0 ? AttentionBranches::no_selected : AttentionBranches::all}, {2}));
  }
}

TEST_P(Attend, MembersAndHeads) {
  expect_right(sampled({.blocks = 16, .members = 2}, {9}));
  expect_right(sampled({.blocks = 24, .kv_heads = 5, .local_blocks = 2}, {17}));
}

TEST_P(Attend, Selections) {
  for (const Selection selection : {Selection::disjoint, Selection::one_for_all, Selection::random}) {
    expect_right(sampled({.blocks = 16, .local_blocks = 4, .selection = selection}, {1, 14}));
  }
  expect_right(sampled({.selected = 4, .local_blocks = 4, .selection = Selection::local_run}, {5}));
  expect_right(sampled({.selected = 8, .local_blocks = 2, .selection = Selection::everything}, {0}));
}

TEST_P(Attend, LargeScoresAndTies) {
  for (const Scores scores : {Scores::to_sixty, Scores::ties}) {
    expect_right(sampled({.local_blocks = 4, .scores = scores}, {6}));
  }
}

TEST_P(Attend, Branches) {
  for (const AttentionBranches branches : {AttentionBranches::all, AttentionBranches::no_compressed,
                                           AttentionBranches::no_selected, AttentionBranches::local_only}) {
    expect_right(sampled({.selected = 3, .local_blocks = 2, .branches = branches}, {3}));
  }
}

TEST_P(Attend, LocalRuns) {
  for (const std::int64_t local_blocks : {1, 2, 8}) {
    expect_right(sampled({.selected = 2, .local_blocks = local_blocks}, {7}));
  }
  // Dense attention: one run.
  expect_right(sampled({.blocks = 12, .local_blocks = 12, .branches = AttentionBranches::local_only}, {4}));
}

/// Lists without any block leave the compressed branch.
TEST_P(Attend, EmptyLists) {
  AttendSetting setting{.blocks = 2, .selected = 1, .local_blocks = 1};
  setting.listed = {1};
  expect_right(setting);
}

TEST_P(Attend, SameBitsInAnyOrder) {
  const AttendCase a = made(sampled({.blocks = 4, .selected = 2, .local_blocks = 2}, {1, 2}));
  in_all_orders([&] { return a.run(GetParam().body); });
}

/// What a member gets does not depend on those beside it.
TEST_P(Attend, MembersAlone) {
  const AttendCase both = made(sampled({.blocks = 4, .selected = 2, .members = 2, .local_blocks = 2}, {2}));
  const std::vector<float> together = both.run(GetParam().body);
  AttendCase second = both;
  second.setting.members = second.shape.members = 1;
  const auto keep_second_half = [](auto& values) {
    values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2));
  };
  for (std::vector<float>* values : {&second.q, &second.k, &second.v, &second.gates, &second.compressed}) {
    keep_second_half(*values);
  }
  keep_second_half(second.lists);
  keep_second_half(second.counts);
  std::vector<float> expected = together;
  keep_second_half(expected);
  EXPECT_EQ(second.run(GetParam().body), expected);
}

TEST_P(Attend, WrongBlockShows) {
  const AttendCase right =
      made(sampled({.selected = 1, .local_blocks = 4, .selection = Selection::disjoint}, {2}));
  AttendCase wrong = right;
  std::int32_t& selected = wrong.lists[AttendCase::size(2 * wrong.shape.list_capacity() + 4)];
  ASSERT_EQ(selected, 4);
  selected = 0;  // of the local run: its numbers are there
  EXPECT_FALSE(within_twice_naive(wrong.run(GetParam().body), right.naive(), right.exact(), GetParam().type));
}

#ifndef MOSAIC_EMULATED_DEVICE
TEST_P(Attend, PublishedShapes) {
  expect_right(sampled({.blocks = 96, .kv_heads = 4, .selected = 12, .members = 3}, {0, 50, 95}));
  expect_right(sampled({.blocks = 384, .kv_heads = 3, .selected = 24}, {0, 200, 383}));
}
#else
TEST_F(DeviceTest, AttendRefusesTheHopperBodyElsewhere) {
  emulation::settings().capability = 80;
  const AttendCase a(sampled({.blocks = 2, .selected = 1, .local_blocks = 1}, {0}));
  EXPECT_EQ(test::code_of([&] { a.run(AttendBody::hopper); }), ExitCode::internal);
  EXPECT_EQ(a.run(AttendBody::automatic), a.run(AttendBody::ampere));
}
#endif

TEST_F(DeviceTest, AttendRefusesOtherShapes) {
  for (const auto& spoil : std::vector<std::function<void(DeviceAttentionShape&)>>{
           [](auto& shape) { shape.tokens += 1; }, [](auto& shape) { shape.pattern.local_block = 64; },
           [](auto& shape) { shape.pattern.local_block = 3 * device_block; },
           [](auto& shape) { shape.pattern.sparse_block = 64; },
           [](auto& shape) { shape.pattern.selected_blocks = 3; },
           [](auto& shape) { shape.members = 1 << 20; }}) {
    AttendCase a(sampled({.blocks = 2, .selected = 1, .local_blocks = 1}, {0}));
    spoil(a.shape);
    EXPECT_EQ(test::code_of([&] { a.run(AttendBody::ampere); }), ExitCode::internal);
  }
}

}  // namespace
}  // namespace mosaic::kernels
