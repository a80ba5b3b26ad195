#include <type_traits>

#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"
#include "kernels/device/device_code.hpp"
#include "kernels/device/eight_numbers.hpp"

// A thread block takes the 128 tokens of a sparse block and one key/value head: the four query heads of its
// group, k and v, each [128, 64], and their gates. A thread has eight channels (four pairs) of every 32nd
// token, so that its sines and cosines serve five heads and four loads are in flight; eight threads read and
// write the 128 bytes of a head's row.

namespace mosaic::kernels {

namespace {

using namespace device;

constexpr int block_threads = 256;
constexpr int warps = block_threads / 32;
constexpr int runs = device_head_width / 8;  // of eight channels
constexpr int step = block_threads / runs;   // tokens between those of a thread
constexpr int rows = device_block / step;    // tokens of a thread
constexpr int slots = device_group + 2;      // q heads, k, v
constexpr int shared_floats = slots * warps * device_head_width;
constexpr float kept_epsilon = 1e-8f;

struct InputsParameters {
  AttentionInputsArgs args;
  std::int64_t tokens, kv_heads;
  AttentionBranches branches;
};

/// Turns the pairs (2m, 2m + 1) by their angles.
__device__ __forceinline__ void rotate(float (&x)[8], const float (&cosine)[4], const float (&sine)[4]) {
#pragma unroll
  for (int m = 0; m < 4; ++m) {
    const float a = x[2 * m], b = x[2 * m + 1];
    x[2 * m] = fmaf(a, cosine[m], -(b * sine[m]));
    x[2 * m + 1] = fmaf(b, cosine[m], a * sine[m]);
  }
}

__device__ __forceinline__ void load_four(float (&x)[4], const float* source) {
  const Words4 words = load_constant_words(source);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    x[i] = float_of(words.word[i]);
  }
}

/// softmax over (local, compressed, selected), without the branch that the pattern leaves out.
__device__ __forceinline__ void softmax_of_gates(float (&gate)[3], AttentionBranches branches) {
  const float largest = fmaxf(fmaxf(gate[0], gate[1]), gate[2]);
  float total = 0;
#pragma unroll
  for (int b = 0; b < 3; ++b) {
    gate[b] = expf(gate[b] - largest);
    total += gate[b];
  }
#pragma unroll
  for (int b = 0; b < 3; ++b) {
    gate[b] = gate[b] / total;
  }
  if (branches != AttentionBranches::all) {
    gate[1] = branches == AttentionBranches::no_compressed ? 0.0f : gate[1];
    gate[2] = branches == AttentionBranches::no_selected ? 0.0f : gate[2];
    const float kept = gate[0] + gate[1] + gate[2] + kept_epsilon;
#pragma unroll
    for (int b = 0; b < 3; ++b) {
      gate[b] = gate[b] / kept;
    }
  }
}

/// Gates of 128 tokens and the heads of key/value head `kv`, a thread per token and head.
template <class Product>
__device__ __forceinline__ void write_gates(const InputsParameters& p, std::int64_t first_token, int kv) {
  const AttentionInputsArgs& a = p.args;
  const std::int64_t heads = p.kv_heads * device_group;
  const std::int64_t column = (heads + 2 * p.kv_heads) * device_head_width;
  for (int i = threadIdx.x; i < device_block * device_group; i += block_threads) {
    const std::int64_t token = first_token + i / device_group;
    const std::int64_t head = kv * device_group + i % device_group;
    const Product* logit =
        static_cast<const Product*>(a.product) + token * a.product_stride + column + 3 * head;
    const float factor = a.row_factor != nullptr ? a.row_factor[token] : 1.0f;
    float gate[3];
#pragma unroll
    for (int b = 0; b < 3; ++b) {
      gate[b] = to_float(logit[b]) * factor;
    }
    softmax_of_gates(gate, p.branches);
#pragma unroll
    for (int b = 0; b < 3; ++b) {
      a.gates[(token * heads + head) * 3 + b] = gate[b];
    }
  }
}

/// One head of the 128 tokens: `source` and `target` are this thread's first eight numbers, `sum` their sums
/// over the tokens of this warp.
template <class Product, class T>
__device__ __forceinline__ void pass_head(float (&sum)[8], const Product* source, int stride, T* target,
                                          bool turned, const float (&factor)[rows],
                                          const float (&cosine)[rows][4], const float (&sine)[rows][4]) {
  Eight<Product> raw[rows];
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    raw[r] = load_eight(source + r * step * stride);
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    sum[i] = 0;
  }
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    float x[8];
    to_floats(raw[r], x);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      x[i] *= factor[r];
    }
    if (turned) {
      rotate(x, cosine[r], sine[r]);
    }
    const Eight<T> rounded = from_floats<T>(x);
    store_eight(target + r * step * device_head_width, rounded);
    to_floats(rounded, x);
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      sum[i] += x[i];
    }
  }
#pragma unroll
  for (int i = 0; i < 8; ++i) {
    sum[i] += shuffle_xor(sum[i], 8);
    sum[i] += shuffle_xor(sum[i], 16);
  }
}

/// Means of the block from the sums of the warps, in their order.
__device__ __forceinline__ void write_means(const InputsParameters& p, const float* sums, std::int64_t row,
                                            int kv) {
  const AttentionInputsArgs& a = p.args;
  for (int i = threadIdx.x; i < slots * device_head_width; i += block_threads) {
    const int slot = i / device_head_width, channel = i % device_head_width;
    float sum = 0;
    for (int w = 0; w < warps; ++w) {
      sum += sums[(slot * warps + w) * device_head_width + channel];
    }
    const float mean = sum / device_block;
    const std::int64_t kv_row = (row * p.kv_heads + kv) * device_head_width;
    if (slot < device_group) {
      a.q_mean[kv_row * device_group + i] = mean;
    } else if (slot == device_group) {
      a.k_mean[kv_row + channel] = mean;
    } else {
      a.v_mean[kv_row + channel] = mean;
    }
  }
}

/// Thread blocks of a multiprocessor: 80 registers are enough, but for a product in bfloat16 (two spilled).
template <class Product>
constexpr int resident_blocks = std::is_same_v<Product, Bfloat16> ? 2 : 3;

// Blocks (x, y, z): sparse block, key/value head, member.
template <class Product, class T>
__global__ void __launch_bounds__(block_threads, resident_blocks<Product>)
    attention_inputs_kernel(InputsParameters p) {
  const AttentionInputsArgs& a = p.args;
  const int kv = blockIdx.y, run = threadIdx.x % runs, lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  const std::int64_t member_token = std::int64_t(blockIdx.z) * p.tokens;
  const std::int64_t block_token = std::int64_t(blockIdx.x) * device_block;
  const int first = threadIdx.x / runs;
  if (p.branches != AttentionBranches::local_only) {
    write_gates<Product>(p, member_token + block_token, kv);
  }
  float factor[rows], cosine[rows][4], sine[rows][4];
#pragma unroll
  for (int r = 0; r < rows; ++r) {
    const std::int64_t token = block_token + first + r * step;
    load_four(cosine[r], a.cosine + token * (device_head_width / 2) + run * 4);
    load_four(sine[r], a.sine + token * (device_head_width / 2) + run * 4);
    factor[r] = a.row_factor != nullptr ? a.row_factor[member_token + token] : 1.0f;
  }
  float* sums = reinterpret_cast<float*>(shared_memory());
  const Product* token_row = static_cast<const Product*>(a.product) +
                             (member_token + block_token + first) * a.product_stride + run * 8;
  const int tile = device_block * device_head_width, inner = first * device_head_width + run * 8;
  const std::int64_t kv_tile = (blockIdx.z * p.kv_heads + kv) * gridDim.x + blockIdx.x;  // of k and v
#pragma unroll 1
  for (int slot = 0; slot < slots; ++slot) {
    const bool is_q = slot < device_group;
    const int head = is_q ? kv * device_group + slot : slot * int(p.kv_heads) + kv;  // of the product
    T* target = is_q ? static_cast<T*>(a.q) + (kv_tile * device_group + slot) * tile
                     : static_cast<T*>(slot == device_group ? a.k : a.v) + kv_tile * tile;
    float sum[8];
    pass_head(sum, token_row + head * device_head_width, int(a.product_stride), target + inner,
              slot <= device_group, factor, cosine, sine);
    if (lane < runs) {
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        sums[(slot * warps + warp) * device_head_width + run * 8 + i] = sum[i];
      }
    }
  }
  block_barrier();
  if (a.q_mean != nullptr) {
    write_means(p, sums, std::int64_t(blockIdx.z) * gridDim.x + blockIdx.x, kv);
  }
}

template <class Product, class T>
void launch_inputs(const AttentionInputsArgs& args, const Stream& stream) {
  const DeviceAttentionShape& s = args.shape;
  const LaunchShape shape{unsigned(s.blocks()), unsigned(s.kv_heads), unsigned(s.members), block_threads,
                          shared_floats * sizeof(float)};
  launch(attention_inputs_kernel<Product, T>, shape, stream,
         InputsParameters{args, s.tokens, s.kv_heads, s.pattern.branches});
}

}  // namespace

void attention_inputs(const AttentionInputsArgs& args, const Stream& stream) {
  const DeviceAttentionShape& s = args.shape;
  check_shape(s);
  const bool gated = s.pattern.branches != AttentionBranches::local_only;
  const std::int64_t columns = (s.heads() + 2 * s.kv_heads) * device_head_width + (gated ? 3 * s.heads() : 0);
  require_shape(args.product_stride % 8 == 0 && args.product_stride >= columns,
                "attention_inputs: rows of " + std::to_string(args.product_stride) + " for " +
                    std::to_string(columns) + " columns");
  require_shape(
      args.product_type == ElementType::float32 || args.product_type == args.type,
      "attention_inputs: a product of " + to_string(args.product_type) + " for " + to_string(args.type));
  require_shape(!gated || (args.gates != nullptr && args.q_mean != nullptr && args.k_mean != nullptr &&
                           args.v_mean != nullptr),
                "attention_inputs: gates and means are missing");
  with_element_type(args.type, [&](auto number) {
    using T = decltype(number);
    if (args.product_type == args.type) {
      launch_inputs<T, T>(args, stream);
    } else {
      launch_inputs<float, T>(args, stream);
    }
  });
}

}  // namespace mosaic::kernels
