// The three kernels of attention one after the other, from a product to the gated sum, against the definition
// of the operation as a whole.

#include <gtest/gtest.h>

#include "device/device_arrays.hpp"
#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"

namespace mosaic::kernels {
namespace {

constexpr std::size_t width = device_head_width, group = device_group;

struct Chain {
  std::size_t blocks = 3, kv_heads = 2, selected = 2, local_blocks = 1;
  ElementType type = ElementType::float16;
  AttentionBranches branches = AttentionBranches::all;

  std::size_t tokens() const { return blocks * device_block; }
  std::size_t heads() const { return kv_heads * group; }
  std::size_t stride() const { return ((heads() + 2 * kv_heads) * width + 3 * heads() + 7) / 8 * 8; }
  std::vector<float> product() const { return normal_numbers(tokens() * stride(), 1, 1.0, type); }
  std::vector<float> angles() const { return normal_numbers(tokens() * width / 2, 2, 2.0); }
  BlockSparsePattern pattern() const {
    return {std::int64_t(local_blocks) * device_block, device_block, std::int64_t(selected), branches};
  }
};

std::vector<float> each(std::vector<float> values, float (*function)(float)) {
  std::transform(values.begin(), values.end(), values.begin(), function);
  return values;
}
std::vector<float> cosines(const Chain& chain) {
  return each(chain.angles(), [](float x) { return std::cos(x); });
}
std::vector<float> sines(const Chain& chain) {
  return each(chain.angles(), [](float x) { return std::sin(x); });
}

/// [N, H, D] by the device.
std::vector<float> run(const Chain& chain) {
  const DeviceAttentionShape shape{1, std::int64_t(chain.tokens()), std::int64_t(chain.kv_heads),
                                   chain.pattern()};
  const std::size_t row = chain.tokens() * chain.heads() * width, mean = chain.blocks * chain.heads() * width;
  const auto product = upload(chain.product(), chain.type), cosine = upload(cosines(chain)),
             sine = upload(sines(chain));
  const auto q = poisoned(row, chain.type), k = poisoned(row / group, chain.type),
             v = poisoned(row / group, chain.type), out = poisoned(row, chain.type);
  const auto q_mean = poisoned(mean), k_mean = poisoned(mean / group), v_mean = poisoned(mean / group),
             compressed = poisoned(mean), gates = poisoned(chain.tokens() * chain.heads() * 3);
  const std::size_t rows = chain.blocks * chain.kv_heads;
  const DeviceMemory lists(rows * std::size_t(shape.list_capacity()) * 4), counts(rows * 16), counter(16);
  const Stream stream;
  attention_inputs({shape, chain.type, product.data(), std::int64_t(chain.stride()), nullptr,
                    cosine.as<float>(), sine.as<float>(), chain.type, q.data(), k.data(), v.data(),
                    q_mean.as<float>(), k_mean.as<float>(), v_mean.as<float>(), gates.as<float>()},
                   stream);
  select_blocks({shape, q_mean.as<float>(), k_mean.as<float>(), v_mean.as<float>(), nullptr,
                 lists.as<std::int32_t>(), counts.as<std::int32_t>(), compressed.as<float>()},
                stream);
  attend(
      {shape, chain.type, q.data(), k.data(), v.data(), lists.as<std::int32_t>(), counts.as<std::int32_t>(),
       gates.as<float>(), compressed.as<float>(), out.data(), counter.as<std::int32_t>()},
      AttendBody::ampere, stream);
  stream.wait();
  return download(out);
}

/// The same by the reference, in double throughout or with q, k, v rounded as the device stores them.
enum class Storage { exact, rounded };
std::vector<double> reference(const Chain& chain, Storage storage) {
  const auto product = chain.product(), cosine = cosines(chain), sine = sines(chain);
  const std::size_t all_heads = chain.heads() + 2 * chain.kv_heads;
  std::vector<double> q, k, v, gates;
  for (std::size_t n = 0; n < chain.tokens(); ++n) {
    const float* row = &product[n * chain.stride()];
    for (std::size_t c = 0; c < all_heads * width; c += 2) {
      const std::size_t head = c / width, m = n * width / 2 + c % width / 2;
      const bool turned = head < chain.heads() + chain.kv_heads;
      const double x = turned ? cosine[m] : 1, y = turned ? sine[m] : 0, a = row[c], b = row[c + 1];
      auto& target = head < chain.heads() ? q : turned ? k : v;
      for (const double value : {a * x - b * y, b * x + a * y}) {
        target.push_back(storage == Storage::exact ? value : rounded(chain.type, static_cast<float>(value)));
      }
    }
    gates.insert(gates.end(), row + all_heads * width, row + all_heads * width + 3 * chain.heads());
  }
  std::vector<double> out(q.size());
  block_sparse_attention(
      BlockSparseAttentionArgs<double>{std::int64_t(chain.tokens()), std::int64_t(chain.heads()),
                                       std::int64_t(chain.kv_heads), device_head_width, chain.pattern(),
                                       q.data(), k.data(), v.data(), gates.data(), out.data()},
      Backend::reference);
  return out;
}

class AttentionChain : public DeviceTest {};

/// Storing q, k, v in 16 bits moves the result by that much; weights and result are rounded besides.
TEST_F(AttentionChain, IsTheOperation) {
  for (const Chain& chain :
       {Chain{}, Chain{3, 2, 1, 1, ElementType::bfloat16, AttentionBranches::no_compressed}}) {
    const auto ours = run(chain);
    const auto exact = reference(chain, Storage::exact), stored = reference(chain, Storage::rounded);
    const double rounding = chain.type == ElementType::float16 ? 0x1p-11 : 0x1p-8;
    EXPECT_LE(distance(ours, exact), 2 * distance(stored, exact) + 2 * rounding * norm(exact))
        << to_string(chain.type);
  }
}

/// Must fail: a run of another length, another number of selected blocks.
TEST_F(AttentionChain, AnotherPatternIsSeen) {
  const Chain chain;
  const auto ours = run(chain);
  const auto error = distance(ours, reference(chain, Storage::exact));
  for (const Chain& other : {Chain{3, 2, 2, 3}, Chain{3, 2, 1, 1}}) {
    EXPECT_GT(distance(ours, reference(other, Storage::exact)), 20 * error);
  }
}

}  // namespace
}  // namespace mosaic::kernels
