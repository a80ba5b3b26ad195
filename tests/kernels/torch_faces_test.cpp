// The torch faces: what they hand to the kernels, and gradients against differences of the definition.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/block_sparse_attention/block_sparse_attention_torch.hpp"
#include "kernels/grid_interpolation/grid_interpolation_torch.hpp"
#include "kernels/member_projection/member_projection_torch.hpp"
#include "kernels/numbers.hpp"

namespace mosaic::kernels {
namespace {

using at::Tensor;

Tensor normal(at::IntArrayRef shape, unsigned seed, double scale = 1.0) {
  std::int64_t count = 1;
  for (const auto extent : shape) {
    count *= extent;
  }
  auto values = normal_numbers<double>(static_cast<std::size_t>(count), seed, scale);
  return at::from_blob(values.data(), shape, at::kDouble).clone();
}

using Function = std::function<Tensor(const std::vector<Tensor>&)>;

/// Gradients of sum(w f(inputs)) as autograd gives them against central differences of `definition` (run
/// without gradients) along a random direction of each input. Both in double: the difference with step h is
/// off by h^2 (third derivative, of order 1 here) and by rounding over h, with h = 1e-5 about 1e-10 each,
/// relative to sums of hundreds of terms of order 1.
void expect_gradients(std::vector<Tensor> inputs, const Function& differentiable,
                      const Function& definition) {
  constexpr double step = 1e-5, limit = 1e-6;
  Tensor weight;
  {
    const at::NoGradGuard no_gradients;
    weight = normal(definition(inputs).sizes(), 99);
  }
  for (Tensor& input : inputs) {
    input.requires_grad_(true);
  }
  (differentiable(inputs) * weight).sum().backward();
  const at::NoGradGuard no_gradients;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor direction = normal(inputs[i].sizes(), 50 + static_cast<unsigned>(i));
    const auto value = [&](double shift) {
      std::vector<Tensor> moved;
      for (const Tensor& input : inputs) {
        moved.push_back(input.detach());
      }
      moved[i] = moved[i] + shift * direction;
      return (definition(moved) * weight).sum().item().toDouble();
    };
    const double difference = (value(step) - value(-step)) / (2 * step);
    ASSERT_TRUE(inputs[i].grad().defined()) << "input " << i;
    const double gradient = (inputs[i].grad() * direction).sum().item().toDouble();
    EXPECT_NEAR(gradient, difference, limit * (1 + std::abs(difference))) << "input " << i;
    EXPECT_GT(std::abs(difference), 1e-3) << "input " << i << " has an effect";
  }
}

void expect_attention_gradients(const BlockSparsePattern& pattern) {
  const bool gated = pattern.branches != AttentionBranches::local_only;
  std::vector<Tensor> inputs = {normal({24, 4, 8}, 1), normal({24, 2, 8}, 2), normal({24, 2, 8}, 3)};
  if (gated) {
    inputs.push_back(normal({24, 4, 3}, 4));
  }
  const auto run = [&](const std::vector<Tensor>& x, Backend backend) {
    return block_sparse_attention(x[0], x[1], x[2], gated ? x[3] : Tensor(), pattern, backend);
  };
  expect_gradients(
      inputs, [&](const auto& x) { return run(x, Backend::cpu); },
      [&](const auto& x) { return run(x, Backend::reference); });
}

TEST(AttentionGradients, AllBranches) { expect_attention_gradients({12, 4, 2, AttentionBranches::all}); }
TEST(AttentionGradients, AllBlocksSelected) {
  expect_attention_gradients({12, 4, 6, AttentionBranches::all});
}
TEST(AttentionGradients, NoCompressed) {
  expect_attention_gradients({8, 4, 2, AttentionBranches::no_compressed});
}
TEST(AttentionGradients, NoSelected) { expect_attention_gradients({12, 4, 0, AttentionBranches::all}); }
TEST(AttentionGradients, LocalOnly) { expect_attention_gradients({12, 0, 0, AttentionBranches::local_only}); }
TEST(AttentionGradients, Dense) { expect_attention_gradients({24, 0, 0, AttentionBranches::local_only}); }

/// Scores of a thousand: gradients stay finite although most weights underflow.
TEST(AttentionGradients, LargeScoresStayFinite) {
  std::vector<Tensor> inputs = {normal({24, 4, 8}, 1, 1000), normal({24, 2, 8}, 2), normal({24, 2, 8}, 3),
                                normal({24, 4, 3}, 4, 60)};
  for (Tensor& input : inputs) {
    input = input.to(at::kFloat).requires_grad_(true);
  }
  block_sparse_attention(inputs[0], inputs[1], inputs[2], inputs[3], {12, 4, 2}, Backend::cpu)
      .sum()
      .backward();
  for (const Tensor& input : inputs) {
    EXPECT_TRUE(std::isfinite(input.grad().abs().sum().item().toDouble()));
  }
}

TEST(AttentionFace, ReadsTensorsOfAnyStride) {
  const Tensor q = normal({24, 4, 8}, 1), k = normal({24, 2, 8}, 2), v = normal({24, 2, 8}, 3),
               gates = normal({24, 4, 3}, 4);
  const BlockSparsePattern pattern{12, 4, 2};
  const auto strided = [](const Tensor& x) { return x.permute({2, 1, 0}).contiguous().permute({2, 1, 0}); };
  const Tensor plain = block_sparse_attention(q, k, v, gates, pattern, Backend::reference);
  const Tensor other =
      block_sparse_attention(strided(q), strided(k), strided(v), strided(gates), pattern, Backend::reference);
  EXPECT_TRUE(plain.equal(other));
  const Tensor cpu =
      block_sparse_attention(q.contiguous(), strided(k), strided(v), gates, pattern, Backend::cpu);
  EXPECT_LE((cpu - plain).abs().max().item().toDouble(), 1e-13);
}

double relative_error(const Tensor& x, const Tensor& truth) {
  const auto norm = [](const Tensor& y) { return std::sqrt(y.square().sum().item().toDouble()); };
  return norm(x.to(at::kDouble) - truth) / norm(truth);
}

/// bfloat16 operands on the blocks that float64 selects: at most twice the error of everything in bfloat16.
void expect_rounding_rule(const BlockSparsePattern& pattern, double scale) {
  const at::NoGradGuard no_gradients;
  const Tensor q = normal({96, 8, 16}, 1, scale), k = normal({96, 2, 16}, 2, scale),
               v = normal({96, 2, 16}, 3), gates = normal({96, 8, 3}, 4);
  AttentionInternals internals;
  AttentionVariant exact;
  exact.internals = &internals;
  const Tensor truth = block_sparse_attention(q, k, v, gates, pattern, Backend::cpu, exact);
  const auto error = [&](at::ScalarType type, at::ScalarType operands) {
    AttentionVariant variant;
    variant.index = internals.index;
    variant.operands = operands;
    return relative_error(block_sparse_attention(q.to(type), k.to(type), v.to(type), gates.to(type), pattern,
                                                 Backend::cpu, variant),
                          truth);
  };
  const double ours = error(at::kFloat, at::kBFloat16), naive = error(at::kBFloat16, at::kBFloat16);
  EXPECT_LE(ours, 2 * naive);
  EXPECT_GT(ours, 1e-4) << "something was rounded";
  EXPECT_LT(error(at::kFloat, at::kFloat), 1e-5);
}

TEST(AttentionRounding, AllBranches) { expect_rounding_rule({24, 8, 3}, 1); }
TEST(AttentionRounding, LargeScores) { expect_rounding_rule({24, 8, 3}, 3); }
TEST(AttentionRounding, NoSelected) { expect_rounding_rule({16, 8, 0}, 1); }
TEST(AttentionRounding, LocalOnly) { expect_rounding_rule({48, 0, 0, AttentionBranches::local_only}, 1); }

TEST(AttentionSelection, GivenBlocksTakeThePlaceOfTheChoice) {
  const at::NoGradGuard no_gradients;
  const Tensor q = normal({24, 4, 8}, 1), k = normal({24, 2, 8}, 2), v = normal({24, 2, 8}, 3),
               gates = normal({24, 4, 3}, 4);
  const BlockSparsePattern pattern{12, 4, 2};
  AttentionInternals chosen, given;
  AttentionVariant variant;
  variant.internals = &chosen;
  const Tensor own = block_sparse_attention(q, k, v, gates, pattern, Backend::cpu, variant);
  variant.internals = &given;
  variant.index = chosen.index;
  EXPECT_TRUE(block_sparse_attention(q, k, v, gates, pattern, Backend::cpu, variant).equal(own));
  variant.index = (chosen.index + 1).remainder(6);
  EXPECT_FALSE(block_sparse_attention(q, k, v, gates, pattern, Backend::cpu, variant).equal(own));
  EXPECT_TRUE(given.index.equal(variant.index));
}

/// Queries are worked on in pieces; with gradients at once.
TEST(AttentionFace, PiecesHaveTheBitsOfTheWhole) {
  const Tensor q = normal({3072, 4, 8}, 1), k = normal({3072, 1, 8}, 2), v = normal({3072, 1, 8}, 3),
               gates = normal({3072, 4, 3}, 4);
  const BlockSparsePattern pattern{384, 64, 5};  // pieces of 768: 1024 tokens are no whole runs
  const Tensor whole = block_sparse_attention(q, k, v, gates, pattern, Backend::cpu);
  const at::NoGradGuard no_gradients;
  EXPECT_TRUE(block_sparse_attention(q, k, v, gates, pattern, Backend::cpu).equal(whole));
}

TEST(InterpolationGradients, FollowTheDefinition) {
  std::vector<std::int64_t> indices;
  for (int i = 0; i < 9 * 4; ++i) {
    indices.push_back((i * 7 + i / 4) % 6);  // sources that repeat within a target, too
  }
  const Tensor index = at::from_blob(indices.data(), {9, 4}, at::kLong).clone(), rel = normal({9, 4, 3}, 5);
  expect_gradients(
      {normal({6, 2, 3}, 6), normal({6, 2, 5}, 7)},
      [&](const auto& x) { return grid_interpolation(x[0], x[1], rel, index, Backend::cpu); },
      [&](const auto& x) { return grid_interpolation(x[0], x[1], rel, index, Backend::reference); });
}

TEST(InterpolationFace, DifferentiablePathFollowsTheKernel) {
  std::vector<std::int64_t> indices = {0, 1, 5, 5, 2, 3, 4, 0};
  const Tensor index = at::from_blob(indices.data(), {2, 4}, at::kLong).clone(), rel = normal({2, 4, 3}, 5);
  Tensor t = normal({6, 2, 3}, 6, 60), v = normal({6, 2, 5}, 7);
  const Tensor kernel = grid_interpolation(t, v, rel, index, Backend::cpu);
  const Tensor composed = grid_interpolation(t.requires_grad_(true), v, rel, index, Backend::cpu);
  EXPECT_LE((composed - kernel).abs().max().item().toDouble(), 1e-12);
}

TEST(ProjectionGradients, FollowTheDefinition) {
  const auto run = [](const auto& x) { return member_projection(x[0], x[1]); };
  expect_gradients({normal({5, 7}, 1), normal({7}, 2)}, run, run);
}

}  // namespace
}  // namespace mosaic::kernels
