#include <cmath>
#include <cstdint>

#include "kernels/device/device_code.hpp"
#include "kernels/grid_interpolation/grid_interpolation_device.hpp"

// A block has 64 targets next to each other and four heads: neighbouring targets share most of their sources,
// whose 512 bytes then stay in the first-level cache. Indices are read once; then, for one member after the
// other, a thread makes the weights of a target and head, and a warp gathers 512 consecutive bytes of a
// source's values at a time.

namespace mosaic::kernels {
namespace device {
namespace {

constexpr int head_width = 64;
constexpr int block_targets = 64, block_heads = 4;
constexpr int pairs = block_targets * block_heads;  // one thread each
constexpr int block_threads = pairs;
constexpr int most_neighbours = 64;
constexpr int batch = 4;  // loads that a thread has under way

/// Shared memory: 30 KB for 24 neighbours, so that four blocks leave the cache more than half of it.
struct Shared {
  float* weights;       // [k, pairs]
  std::int32_t* index;  // [targets, k]

  __device__ __forceinline__ Shared(unsigned char* base, int neighbours)
      : weights(reinterpret_cast<float*>(base)),
        index(reinterpret_cast<std::int32_t*>(weights + neighbours * pairs)) {}
};
constexpr int bytes_per_neighbour = 4 * (pairs + block_targets);

/// The weights of one target and head: softmax_j(rel_j . t_j / 8), in the order of j. `t` is of the member
/// and head, `rel` of the target.
__device__ __forceinline__ void make_weights(const DeviceInterpolationArgs& args, const float* t,
                                             const float* rel, const std::int32_t* index, float* weights) {
  constexpr float scale = 0.125f;  // 1 / sqrt(head_width)
  const int k = static_cast<int>(args.neighbours);
  float largest = -INFINITY;
  for (int first = 0; first < k; first += batch) {
    float score[batch];
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      const int j = first + i < k ? first + i : k - 1;
      const float* vector = t + index[j] * args.t_stride;
      const float* position = rel + 3 * j;
      score[i] = scale * fmaf(position[2], vector[2], fmaf(position[1], vector[1], position[0] * vector[0]));
      largest = fmaxf(largest, score[i]);
    }
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      if (first + i < k) {
        weights[(first + i) * pairs] = score[i];
      }
    }
  }
  float sum = 0.0f;
  for (int j = 0; j < k; ++j) {
    const float weight = expf(weights[j * pairs] - largest);
    weights[j * pairs] = weight;
    sum += weight;
  }
  const float factor = reciprocal_fast(sum);
  for (int j = 0; j < k; ++j) {
    weights[j * pairs] *= factor;
  }
}

/// Numbers of T in 16 bytes.
template <class T>
constexpr int piece_numbers = 16 / sizeof(T);

template <class T>
__device__ __forceinline__ void add_scaled(float (&sum)[piece_numbers<T>], float weight,
                                           const Words4& words) {
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (sizeof(T) == 2) {
      const float2 two = unpack<T>(words.word[i]);
      sum[2 * i] = fmaf(weight, two.x, sum[2 * i]);
      sum[2 * i + 1] = fmaf(weight, two.y, sum[2 * i + 1]);
    } else {
      sum[i] = fmaf(weight, float_of(words.word[i]), sum[i]);
    }
  }
}

template <class T>
__device__ __forceinline__ Words4 rounded(const float (&sum)[piece_numbers<T>]) {
  Words4 words;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    if constexpr (sizeof(T) == 2) {
      words.word[i] = pack<T>(sum[2 * i], sum[2 * i + 1]);
    } else {
      words.word[i] = bits_of(sum[i]);
    }
  }
  return words;
}

/// 16 bytes of the values at one target: sum_j weight_j v_j. `v` and `out` are at the piece in question.
template <class T>
__device__ __forceinline__ void gather(const unsigned char* v, std::int64_t row_bytes, const float* weights,
                                       const std::int32_t* index, int neighbours, unsigned char* out) {
  float sum[piece_numbers<T>] = {};
  for (int first = 0; first < neighbours; first += batch) {
    Words4 words[batch];
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      const int j = first + i < neighbours ? first + i : neighbours - 1;
      words[i] = load_constant_words(v + index[j] * row_bytes);
    }
#pragma unroll
    for (int i = 0; i < batch; ++i) {
      if (first + i < neighbours) {
        add_scaled<T>(sum, weights[(first + i) * pairs], words[i]);
      }
    }
  }
  store_words(out, rounded<T>(sum));
}

template <class T>
__global__ void __launch_bounds__(block_threads, 4)
    grid_interpolation_kernel(const __grid_constant__ DeviceInterpolationArgs args) {
  constexpr int head_pieces = head_width / piece_numbers<T>;
  constexpr int target_pieces = block_heads * head_pieces;  // 32, or 64 for float32
  const Shared shared(shared_memory(), static_cast<int>(args.neighbours));
  const std::int64_t first = std::int64_t(blockIdx.x) * block_targets;
  const int targets =
      static_cast<int>(args.targets - first < block_targets ? args.targets - first : block_targets);
  const int first_head = blockIdx.y * block_heads, thread = threadIdx.x;
  const int head = first_head + thread % block_heads;
  const int piece = thread % target_pieces, piece_head = piece / head_pieces;
  const bool has_piece = first_head + piece_head < args.heads;
  const std::int64_t row_bytes = args.heads * head_width * sizeof(T);
  const std::int64_t offset = first_head * head_width * static_cast<std::int64_t>(sizeof(T)) + 16 * piece;
  const int k = static_cast<int>(args.neighbours), target_of_weights = thread / block_heads;
  for (int i = thread; i < targets * k; i += block_threads) {
    shared.index[i] = args.index[first * k + i];
  }
  for (std::int64_t member = 0; member < args.members; ++member) {
    block_barrier();  // indices are there; the weights of the member before have been used
    if (target_of_weights < targets && head < args.heads) {
      make_weights(args, args.t + member * args.sources * args.t_stride + 3 * head,
                   args.rel_pos + (first + target_of_weights) * k * 3, shared.index + target_of_weights * k,
                   shared.weights + thread);
    }
    block_barrier();
    const auto* v = static_cast<const unsigned char*>(args.v) + member * args.sources * row_bytes + offset;
    auto* out = static_cast<unsigned char*>(args.out) + (member * args.targets + first) * row_bytes + offset;
    for (int target = thread / target_pieces; has_piece && target < targets;
         target += block_threads / target_pieces) {
      gather<T>(v, row_bytes, shared.weights + target * block_heads + piece_head, shared.index + target * k,
                k, out + target * row_bytes);
    }
  }
}

}  // namespace
}  // namespace device

void grid_interpolation(const DeviceInterpolationArgs& args, const Stream& stream) {
  using namespace device;
  require_shape(args.members > 0 && args.targets > 0 && args.heads > 0 && args.sources > 0,
                "grid_interpolation: empty");
  require_shape(args.neighbours > 0 && args.neighbours <= most_neighbours,
                "grid_interpolation: 1 to 64 neighbours");
  require_shape(args.t_stride >= 3 * args.heads, "grid_interpolation: the rows of t are too short");
  const LaunchShape shape{.x = static_cast<unsigned>((args.targets + block_targets - 1) / block_targets),
                          .y = static_cast<unsigned>((args.heads + block_heads - 1) / block_heads),
                          .threads = block_threads,
                          .shared_bytes = static_cast<std::size_t>(args.neighbours) * bytes_per_neighbour};
  if (args.type == ElementType::float16) {
    launch(grid_interpolation_kernel<Half>, shape, stream, args);
  } else if (args.type == ElementType::bfloat16) {
    launch(grid_interpolation_kernel<Bfloat16>, shape, stream, args);
  } else {
    launch(grid_interpolation_kernel<float>, shape, stream, args);
  }
}

}  // namespace mosaic::kernels
