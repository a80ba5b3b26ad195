#include <gtest/gtest.h>

#include "device/device_arrays.hpp"
#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::size_t width = device_head_width, half = width / 2, group = device_group;

struct InputsCase {
  std::size_t members = 2, blocks = 2, kv_heads = 1;
  ElementType product_type = ElementType::float16, type = ElementType::float16;
  AttentionBranches branches = AttentionBranches::all;
  bool has_factor = true;
  std::vector<float> product = {}, factor = {}, cosine = {}, sine = {};

  std::size_t tokens() const { return blocks * device_block; }
  std::size_t heads() const { return kv_heads * group; }
  std::size_t all_heads() const { return heads() + 2 * kv_heads; }  // of q, k, v
  bool gated() const { return branches != AttentionBranches::local_only; }
  std::size_t stride() const { return (all_heads() * width + (gated() ? 3 * heads() : 0) + 7) / 8 * 8; }

  void fill(unsigned seed) {
    product = normal_numbers(members * tokens() * stride(), seed, 2.0, product_type);
    factor = normal_numbers(members * tokens(), seed + 1, 0.2, ElementType::float32);
    const auto angles = normal_numbers(tokens() * half, seed + 2, 2.0, ElementType::float32);
    for (const float angle : angles) {
      cosine.push_back(std::cos(angle));
      sine.push_back(std::sin(angle));
    }
  }
  double factor_of(std::size_t row) const { return has_factor ? static_cast<double>(factor[row]) : 1.0; }
};

/// In the order of the product: [B, N, H + 2 K, D], means [B, I, H + 2 K, D], gates [B, N, H, 3].
template <class Number>
struct Inputs {
  std::vector<Number> heads, means, gates;
};

/// What the device leaves, brought into that order.
Inputs<float> run(const InputsCase& which) {
  const std::size_t rows = which.members * which.tokens(), row = rows * which.kv_heads * width,
                    mean_rows = which.members * which.blocks * which.kv_heads * width;
  const auto product = upload(which.product, which.product_type), factor = upload(which.factor),
             cosine = upload(which.cosine), sine = upload(which.sine);
  const auto q = poisoned(row * group, which.type), k = poisoned(row, which.type),
             v = poisoned(row, which.type);
  const auto q_mean = poisoned(mean_rows * group), k_mean = poisoned(mean_rows), v_mean = poisoned(mean_rows),
             gates = poisoned(rows * which.heads() * 3);
  AttentionInputsArgs args{{std::int64_t(which.members),
                            std::int64_t(which.tokens()),
                            std::int64_t(which.kv_heads),
                            {device_block, device_block, 1, which.branches}},
                           which.product_type,
                           product.data(),
                           std::int64_t(which.stride()),
                           which.has_factor ? factor.as<float>() : nullptr,
                           cosine.as<float>(),
                           sine.as<float>(),
                           which.type,
                           q.data(),
                           k.data(),
                           v.data()};
  if (which.gated()) {
    args.q_mean = q_mean.as<float>();
    args.k_mean = k_mean.as<float>();
    args.v_mean = v_mean.as<float>();
    args.gates = gates.as<float>();
  }
  const Stream stream;
  attention_inputs(args, stream);
  stream.wait();
  const auto qs = download(q), ks = download(k), vs = download(v), q_means = download(q_mean),
             k_means = download(k_mean), v_means = download(v_mean);
  Inputs<float> out;
  const std::size_t K = which.kv_heads, N = which.tokens(), I = which.blocks;
  for (std::size_t b = 0; b < which.members; ++b) {
    for (std::size_t i = 0; i < N * which.all_heads() * width; ++i) {
      const std::size_t d = i % width, h = i / width % which.all_heads(), n = i / width / which.all_heads();
      if (h < which.heads()) {  // [B, K, I, G, S, D]
        const std::size_t tile = ((b * K + h / group) * I + n / device_block) * group + h % group;
        out.heads.push_back(qs[(tile * device_block + n % device_block) * width + d]);
      } else {
        const std::size_t kv = (h - which.heads()) % K;
        out.heads.push_back((h < which.heads() + K ? ks : vs)[((b * K + kv) * N + n) * width + d]);
      }
    }
    for (std::size_t i = 0; which.gated() && i < I * which.all_heads() * width; ++i) {
      const std::size_t d = i % width, h = i / width % which.all_heads(),
                        block = b * I + i / width / which.all_heads();
      const std::size_t kv = (block * K + (h - which.heads()) % K) * width + d;
      out.means.push_back(h < which.heads()       ? q_means[(block * which.heads() + h) * width + d]
                          : h < which.heads() + K ? k_means[kv]
                                                  : v_means[kv]);
    }
  }
  if (which.gated()) {
    out.gates = download(gates);
  }
  return out;
}

/// Means over the tokens of each block, [B, N, H + 2 K, D] -> [B, I, H + 2 K, D].
template <class Number>
std::vector<Number> means_of(const InputsCase& which, const std::vector<float>& heads) {
  const std::size_t row = which.all_heads() * width;
  std::vector<Number> means(heads.size() / device_block);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    means[i / row / device_block * row + i % row] += heads[i];
  }
  for (Number& mean : means) {
    mean /= device_block;
  }
  return means;
}

/// The definition in `Number`; `round` after each operation. Means are those of `of_heads`.
template <class Number, class Round>
Inputs<Number> evaluated(const InputsCase& which, const Round& round, const std::vector<float>& of_heads) {
  Inputs<Number> out;
  for (std::size_t row = 0; row < which.members * which.tokens(); ++row) {
    const float* product = &which.product[row * which.stride()];
    const auto r = static_cast<Number>(which.factor_of(row));
    for (std::size_t c = 0; c < which.all_heads() * width; c += 2) {
      const std::size_t m = row % which.tokens() * half + c % width / 2;
      const Number a = round(product[c] * r), b = round(product[c + 1] * r);
      const bool turned = c < (which.heads() + which.kv_heads) * width;
      const Number cosine = turned ? which.cosine[m] : 1, sine = turned ? which.sine[m] : 0;
      out.heads.push_back(round(a * cosine - b * sine));
      out.heads.push_back(round(b * cosine + a * sine));
    }
    for (std::size_t h = 0; which.gated() && h < which.heads(); ++h) {
      const float* logit = product + which.all_heads() * width + 3 * h;
      Number gate[3], total = 0;
      for (int b = 0; b < 3; ++b) {
        total += gate[b] = std::exp(logit[b] * r);
      }
      const int without = which.branches == AttentionBranches::no_compressed ? 1
                          : which.branches == AttentionBranches::no_selected ? 2
                                                                             : 3;
      Number kept = 0;
      for (int b = 0; b < 3; ++b) {
        gate[b] = b == without ? 0 : gate[b] / total;
        kept += gate[b];
      }
      for (int b = 0; b < 3; ++b) {
        out.gates.push_back(without == 3 ? gate[b] : gate[b] / (kept + Number(1e-8)));
      }
    }
  }
  if (which.gated()) {
    out.means = means_of<Number>(which, of_heads);
  }
  return out;
}

/// Heads, means and gates each within twice the error of the naive version.
bool agrees(const Inputs<float>& ours, const InputsCase& which) {
  const auto exact = evaluated<double>(
      which, [](double x) { return x; }, ours.heads);
  const auto naive = evaluated<float>(
      which, [&](float x) { return rounded(which.type, x); }, ours.heads);
  return within_twice_naive(ours.heads, naive.heads, exact.heads, which.type) &&
         within_twice_naive(ours.means, naive.means, exact.means, ElementType::float32) &&
         within_twice_naive(ours.gates, naive.gates, exact.gates, ElementType::float32);
}

class AttentionInputs : public DeviceTest {};

TEST_F(AttentionInputs, AllTypes) {
  for (const ElementType type : {ElementType::float32, ElementType::float16, ElementType::bfloat16}) {
    for (const ElementType product_type : {ElementType::float32, type}) {
      InputsCase which{1, 2, 1, product_type, type};
      which.fill(1);
      EXPECT_TRUE(agrees(run(which), which)) << to_string(product_type) << " -> " << to_string(type);
    }
  }
}

TEST_F(AttentionInputs, AllShapes) {
  for (const auto& [members, blocks, kv_heads] :
       {std::array<std::size_t, 3>{1, 1, 1}, {1, 1, 5}, {2, 2, 2}, {1, 3, 1}}) {
    InputsCase which{members, blocks, kv_heads};
    which.fill(2);
    EXPECT_TRUE(agrees(run(which), which)) << members << ' ' << blocks << ' ' << kv_heads;
  }
}

TEST_F(AttentionInputs, EveryChoiceOfBranches) {
  for (const auto branches : {AttentionBranches::no_compressed, AttentionBranches::no_selected,
                              AttentionBranches::local_only, AttentionBranches::all}) {
    for (const bool has_factor : {false, true}) {
      InputsCase which{1, 1, 1, ElementType::float32, ElementType::float16, branches, has_factor};
      which.fill(3);
      EXPECT_TRUE(agrees(run(which), which)) << static_cast<int>(branches) << has_factor;
    }
  }
}

TEST_F(AttentionInputs, LargeGatesStayFinite) {
  InputsCase which{1, 1, 1, ElementType::float32};
  which.fill(4);
  for (float& x : which.product) {
    x *= 200;
  }
  for (float& r : which.factor) {
    r = 1;
  }
  const auto gates = run(which).gates;
  for (std::size_t i = 0; i < gates.size(); i += 3) {
    EXPECT_NEAR(gates[i] + gates[i + 1] + gates[i + 2], 1, 1e-6);
  }
}

std::vector<float> joined(const Inputs<float>& inputs) {
  std::vector<float> all = inputs.heads;
  all.insert(all.end(), inputs.means.begin(), inputs.means.end());
  all.insert(all.end(), inputs.gates.begin(), inputs.gates.end());
  return all;
}

TEST_F(AttentionInputs, TheSameBitsInEveryOrderAndForAMemberAlone) {
  InputsCase which{3, 1, 1};
  which.fill(5);
  in_all_orders([&] { return joined(run(which)); });
  const auto all = run(which);
  InputsCase alone = which;
  alone.members = 1;
  const auto second = [](std::vector<float>& values) {
    const auto third = static_cast<std::ptrdiff_t>(values.size() / 3);
    values = {values.begin() + third, values.begin() + 2 * third};
  };
  second(alone.product);
  second(alone.factor);
  auto expected = all;
  second(expected.heads);
  second(expected.means);
  second(expected.gates);
  EXPECT_EQ(joined(run(alone)), joined(expected));
}

/// Must fail: turned the other way, angles of the neighbouring pair, another row's factor, gates of another
/// head, another rule for a branch that is left out, means of the numbers before their rounding.
TEST_F(AttentionInputs, WrongVariantsAreSeen) {
  InputsCase which{1, 1, 2};
  which.fill(6);
  const auto ours = run(which);
  ASSERT_TRUE(agrees(ours, which));
  InputsCase other_way = which, neighbour = which, other_row = which;
  for (float& x : other_way.sine) {
    x = -x;
  }
  std::rotate(neighbour.cosine.begin(), neighbour.cosine.begin() + 1, neighbour.cosine.end());
  std::rotate(neighbour.sine.begin(), neighbour.sine.begin() + 1, neighbour.sine.end());
  std::rotate(other_row.factor.begin(), other_row.factor.begin() + 1, other_row.factor.end());
  for (const InputsCase& wrong : {other_way, neighbour, other_row}) {
    EXPECT_FALSE(agrees(run(wrong), which));
  }
  auto gates = ours, means = ours;
  std::rotate(gates.gates.begin(), gates.gates.begin() + 3, gates.gates.end());
  EXPECT_FALSE(agrees(gates, which));
  InputsCase ablation = which, other_ablation = which;
  ablation.branches = AttentionBranches::no_selected;
  other_ablation.branches = AttentionBranches::no_compressed;
  EXPECT_FALSE(agrees(run(ablation), which));
  EXPECT_FALSE(agrees(run(ablation), other_ablation));
  const auto unrounded = evaluated<double>(
      which, [](double x) { return x; }, ours.heads);
  means.means = means_of<float>(which, {unrounded.heads.begin(), unrounded.heads.end()});
  EXPECT_FALSE(agrees(means, which));
}

TEST_F(AttentionInputs, MisfitsAreNamed) {
  std::string message;
  AttentionInputsArgs args{{1, 128, 1, {128, 128, 1}}, ElementType::float16, nullptr, 388};
  EXPECT_EQ(test::code_of([&] { attention_inputs(args, Stream()); }, &message), ExitCode::internal);
  EXPECT_NE(message.find("rows of 388 for 396 columns"), std::string::npos) << message;
  args.product_stride = 400;
  args.product_type = ElementType::bfloat16;
  EXPECT_EQ(test::code_of([&] { attention_inputs(args, Stream()); }, &message), ExitCode::internal);
  EXPECT_NE(message.find("a product of bfloat16 for float16"), std::string::npos) << message;
}

}  // namespace
}  // namespace mosaic::kernels
