#include <cmath>
#include <limits>

#include "kernels/device/device_code.hpp"
#include "kernels/device/eight_numbers.hpp"
#include "kernels/state_packing/state_packing_device.hpp"

// States have longitudes as neighbours, points have channels: both directions pass a tile of 32 longitudes of
// one latitude through shared memory, so that each side is read or written in whole rows of neighbours.

namespace mosaic::kernels {

namespace {

using namespace device;

constexpr int block_threads = 256;
constexpr int warps = block_threads / 32;
constexpr int tile_longitudes = 32;
constexpr int static_columns = 6;
constexpr int time_columns = 4;

// ---- States to features ----

constexpr int pack_columns = 64;              // 128 bytes of 16-bit features
constexpr int pack_pitch = pack_columns + 1;  // a column of 32 longitudes then falls into 32 banks

/// (*source - mean) / deviation, or 0 without a source.
struct Feature {
  const float* source;
  float mean, deviation;
};

/// Column `column` of the point (latitude, longitude) of a member.
__device__ __forceinline__ Feature feature_of(const PackFeaturesArgs& a, std::int64_t member, int column,
                                              int latitude, int longitude) {
  const int channels = int(a.channels), state_columns = int(a.history) * channels;
  if (column < state_columns) {
    const int channel = column % channels;
    const std::int64_t plane = member * state_columns + column;
    return {a.states + (plane * a.latitudes + latitude) * a.longitudes + longitude, a.mean[channel],
            a.deviation[channel]};
  }
  const int rest = column - state_columns;
  if (rest < static_columns) {
    return {a.static_columns + (longitude * a.latitudes + latitude) * static_columns + rest, 0, 1};
  }
  return {rest < static_columns + time_columns ? a.time + rest - static_columns : nullptr, 0, 1};
}

// Blocks (x, y, z): 32 longitudes, latitude, member and 64 columns.
template <class T>
__global__ void __launch_bounds__(block_threads) pack_features_kernel(PackFeaturesArgs a, int column_tiles) {
  float* tile = reinterpret_cast<float*>(shared_memory());  // [32 longitudes, pack_pitch]
  const int first_longitude = blockIdx.x * tile_longitudes, latitude = blockIdx.y;
  const std::int64_t member = blockIdx.z / column_tiles;
  const int first_column = int(blockIdx.z) % column_tiles * pack_columns;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  if (first_longitude + lane < a.longitudes) {
    constexpr int count = pack_columns / warps;  // columns of a thread: all its loads, then all divisions
    Feature feature[count];
    float x[count];
#pragma unroll
    for (int i = 0; i < count; ++i) {
      feature[i] = feature_of(a, member, first_column + warp + i * warps, latitude, first_longitude + lane);
      x[i] = feature[i].source != nullptr ? *feature[i].source : 0.0f;
    }
#pragma unroll
    for (int i = 0; i < count; ++i) {
      tile[lane * pack_pitch + warp + i * warps] = (x[i] - feature[i].mean) / feature[i].deviation;
    }
  }
  block_barrier();
  // Eight columns of one point per thread.
  const int column = threadIdx.x % (pack_columns / 8) * 8, row = threadIdx.x / (pack_columns / 8);
  const std::int64_t longitude = first_longitude + row;
  if (longitude < a.longitudes && first_column + column < a.stride) {
    float x[8];
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      x[i] = tile[row * pack_pitch + column + i];
    }
    const std::int64_t point = (member * a.longitudes + longitude) * a.latitudes + latitude;
    store_eight(static_cast<T*>(a.features) + point * a.stride + first_column + column, from_floats<T>(x));
  }
}

// ---- Predictions to states ----

constexpr int append_channels = 32;
constexpr int append_pitch = append_channels + 1;

// Blocks (x, y, z): 32 longitudes, latitude, member and 32 channels. A thread moves its own values of the
// history, oldest first: nobody else reads or writes them.
__global__ void __launch_bounds__(block_threads) append_state_kernel(AppendStateArgs a, int channel_tiles) {
  float* tile = reinterpret_cast<float*>(shared_memory());  // [32 longitudes, append_pitch]
  const int first_longitude = blockIdx.x * tile_longitudes, latitude = blockIdx.y;
  const std::int64_t member = blockIdx.z / channel_tiles;
  const int first_channel = int(blockIdx.z) % channel_tiles * append_channels;
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
#pragma unroll
  for (int row = warp; row < tile_longitudes; row += warps) {
    const std::int64_t longitude = first_longitude + row;
    if (longitude < a.longitudes && first_channel + lane < a.channels) {
      const std::int64_t point = (member * a.longitudes + longitude) * a.latitudes + latitude;
      tile[row * append_pitch + lane] = a.y[point * a.y_stride + first_channel + lane];
    }
  }
  block_barrier();
  const int longitude = first_longitude + lane;
  if (longitude >= a.longitudes) {
    return;
  }
  const std::int64_t plane = a.latitudes * a.longitudes, state = a.channels * plane;
  constexpr int count = append_channels / warps;  // channels of a thread, in flight together
  float* oldest = a.states + member * a.history * state + (first_channel + warp) * plane +
                  latitude * a.longitudes + longitude;
  for (std::int64_t t = 0; t < a.history; ++t, oldest += state) {
    float x[count];
#pragma unroll
    for (int i = 0; i < count; ++i) {
      const int c = warp + i * warps, channel = first_channel + c;
      if (channel < a.channels) {
        x[i] = t + 1 < a.history ? oldest[state + i * warps * plane]
                                 : fmaf(tile[lane * append_pitch + c], a.deviation[channel], a.mean[channel]);
      }
    }
#pragma unroll
    for (int i = 0; i < count; ++i) {
      if (first_channel + warp + i * warps < a.channels) {
        oldest[i * warps * plane] = x[i];
      }
    }
  }
}

// ---- Range of states ----

// Blocks (x, y): channel, member. Sums of integers are the same in every order.
__global__ void __launch_bounds__(block_threads) count_out_of_range_kernel(StateRangeArgs a) {
  const std::int64_t channel = blockIdx.x, member = blockIdx.y;
  const float* field = a.states + member * a.member_stride + channel * a.points;
  const double mean = a.mean[channel], reach = a.reach * static_cast<double>(a.deviation[channel]);
  int count = 0;
#pragma unroll 4
  for (std::int64_t point = threadIdx.x; point < a.points; point += block_threads) {
    const float x = field[point];
    count += std::isfinite(x) && fabs(static_cast<double>(x) - mean) <= reach ? 0 : 1;
  }
  const int sum = sum_of_warp(count);
  if (threadIdx.x % 32 == 0 && sum > 0) {
    atomicAdd(a.counts + member, sum);
  }
}

unsigned parts_of(std::int64_t count, int size) { return unsigned((count + size - 1) / size); }

}  // namespace

void pack_features(const PackFeaturesArgs& args, const Stream& stream) {
  const std::int64_t columns = args.history * args.channels + static_columns + time_columns;
  require_shape(args.stride >= columns && args.stride % 8 == 0, "pack_features: rows of " +
                                                                    std::to_string(args.stride) + " for " +
                                                                    std::to_string(columns) + " columns");
  const unsigned tiles = parts_of(args.stride, pack_columns);
  const LaunchShape shape{parts_of(args.longitudes, tile_longitudes), unsigned(args.latitudes),
                          unsigned(args.members) * tiles, block_threads,
                          tile_longitudes * pack_pitch * sizeof(float)};
  with_element_type(args.type, [&](auto number) {
    launch(pack_features_kernel<decltype(number)>, shape, stream, args, int(tiles));
  });
}

void append_state(const AppendStateArgs& args, const Stream& stream) {
  require_shape(args.history > 0 && args.y_stride >= args.channels,
                "append_state: a history of " + std::to_string(args.history) + ", rows of " +
                    std::to_string(args.y_stride) + " for " + std::to_string(args.channels) + " channels");
  const unsigned tiles = parts_of(args.channels, append_channels);
  const LaunchShape shape{parts_of(args.longitudes, tile_longitudes), unsigned(args.latitudes),
                          unsigned(args.members) * tiles, block_threads,
                          tile_longitudes * append_pitch * sizeof(float)};
  launch(append_state_kernel, shape, stream, args, int(tiles));
}

void count_out_of_range(const StateRangeArgs& args, const Stream& stream) {
  const std::int64_t state = args.channels * args.points;
  require_shape(args.members > 0 && state > 0 && state <= args.member_stride &&
                    state <= std::numeric_limits<std::int32_t>::max(),
                "count_out_of_range: " + std::to_string(args.members) + " members of " +
                    std::to_string(args.channels) + " x " + std::to_string(args.points) + " values, " +
                    std::to_string(args.member_stride) + " apart");
  fill_bytes(args.counts, 0, std::size_t(args.members) * sizeof(std::int32_t), stream);
  const LaunchShape shape{unsigned(args.channels), unsigned(args.members), 1, block_threads, 0};
  launch(count_out_of_range_kernel, shape, stream, args);
}

}  // namespace mosaic::kernels
