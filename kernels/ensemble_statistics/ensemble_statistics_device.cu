#include <cmath>
#include <cstdint>

#include "kernels/device/device_code.hpp"
#include "kernels/ensemble_statistics/ensemble_statistics_device.hpp"

// Two kernels. In the first a block goes over 8 tiles of 128 points of a field: members to shared memory; a
// thread per point makes its statistics; then a thread per number to be summed adds over the tile's points in
// their order (a product of weights and statistics), and keeps its sum in the workspace. The second adds what
// the blocks left.

namespace mosaic::kernels {
namespace device {
namespace {

constexpr int tile_points = 128, block_threads = tile_points;
constexpr int block_tiles = 8;
constexpr int pitch = tile_points + 1;  // rows of shared memory begin in different banks
constexpr int statistics = static_cast<int>(statistic_count);
constexpr int together = 8;  // members that are loaded, and whose ranks are counted, in one pass

/// Shared memory: statistics [statistics, pitch] double; members [M + 1, pitch], the last the truth; members
/// below the truth and equal to it [tile_points], below < 0: not counted.
struct Shared {
  double* values;
  float* numbers;
  std::int32_t* below;
  std::int32_t* equal;

  __device__ __forceinline__ Shared(unsigned char* base, int members)
      : values(reinterpret_cast<double*>(base)),
        numbers(reinterpret_cast<float*>(values + statistics * pitch)),
        below(reinterpret_cast<std::int32_t*>(numbers + (members + 1) * pitch)),
        equal(below + tile_points) {}
};

constexpr std::size_t shared_bytes(std::int64_t members) {
  return std::size_t(statistics * pitch) * 8 + std::size_t(members + 1) * pitch * 4 + 2 * tile_points * 4;
}

/// A point: its members are x[0], x[pitch] ..., its statistics go to value[0], value[pitch] ...
struct Point {
  const float* x;
  int members;
  float truth;
  double climatology;  // NaN where there is none
  bool skip;
  double* value;

  __device__ __forceinline__ void write(Statistic which, double number) const {
    value[static_cast<int>(which) * pitch] = number;
  }
};

__device__ __forceinline__ double undefined() { return static_cast<double>(NAN); }

/// What follows from the mean and the variance.
__device__ __forceinline__ void write_means(const Point& point, double mean, double error, double variance,
                                            double count) {
  const double y = point.truth, c = point.climatology;
  const double anomaly = mean - c, truth_anomaly = y - c;
  point.write(Statistic::error, error);
  point.write(Statistic::ensemble_mean_squared_error, (y - mean) * (y - mean));
  point.write(Statistic::variance, variance);
  point.write(Statistic::debiased_squared_error,
              point.members > 1 ? (y - mean) * (y - mean) - variance / count : undefined());
  point.write(Statistic::energy_skill, 0.0);
  point.write(Statistic::energy_spread, 0.0);
  point.write(Statistic::anomaly_product, anomaly * truth_anomaly);
  point.write(Statistic::forecast_anomaly_squared, anomaly * anomaly);
  point.write(Statistic::truth_anomaly_squared, truth_anomaly * truth_anomaly);
}

/// sum_r (2r - M - 1) (x_(r) - mean): a member's rank is the number of those below it, equal ones in their
/// order. Comparisons of float32 are much faster than distances of pairs in double.
__device__ __forceinline__ double rank_weighted_sum(const Point& point, double mean) {
  double sum = 0.0;
  for (int first = 0; first < point.members; first += together) {
    float mine[together];
    int rank[together] = {};
#pragma unroll
    for (int i = 0; i < together; ++i) {
      mine[i] = first + i < point.members ? point.x[(first + i) * pitch] : 0.0f;
    }
    for (int k = 0; k < point.members; ++k) {
      const float other = point.x[k * pitch];
#pragma unroll
      for (int i = 0; i < together; ++i) {
        rank[i] += other < mine[i] || (other == mine[i] && k < first + i) ? 1 : 0;
      }
    }
#pragma unroll
    for (int i = 0; i < together; ++i) {
      if (first + i < point.members) {
        sum += static_cast<double>(2 * rank[i] + 1 - point.members) * (static_cast<double>(mine[i]) - mean);
      }
    }
  }
  return sum;
}

/// All numbers are finite.
__device__ __forceinline__ void write_regular(const Point& point) {
  const double count = point.members, y = point.truth;
  double error = 0.0, absolute = 0.0, squares = 0.0;
  for (int m = 0; m < point.members; ++m) {
    const double distance = static_cast<double>(point.x[m * pitch]) - y;
    error += distance;
    absolute += fabs(distance);
    squares += distance * distance;
  }
  const double mean = y + error / count;
  double about_mean = 0.0;
  for (int m = 0; m < point.members; ++m) {
    const double distance = static_cast<double>(point.x[m * pitch]) - mean;
    about_mean += distance * distance;
  }
  const bool many = point.members > 1;
  point.write(Statistic::squared_error, squares / count);
  point.write(Statistic::absolute_error, absolute / count);
  point.write(Statistic::spread, many ? 2.0 * rank_weighted_sum(point, mean) / (count * (count - 1.0)) : 0.0);
  write_means(point, mean, error / count, many ? about_mean / (count - 1.0) : 0.0, count);
  point.write(Statistic::error_weight, 1.0);
  point.write(Statistic::ensemble_weight, 1.0);
}

/// By the definition: some number is NaN or infinite. Rare.
__device__ void write_irregular(const Point& point) {
  const double y = point.truth;
  double count = 0.0, sum = 0.0, error = 0.0, absolute = 0.0, squares = 0.0;
  for (int m = 0; m < point.members; ++m) {
    const double x = point.x[m * pitch];
    if (!point.skip || !std::isnan(x)) {
      count += 1.0;
      sum += x;
      error += x - y;
      absolute += fabs(x - y);
      squares += (x - y) * (x - y);
    }
  }
  const double mean = sum / count;
  double about_mean = 0.0, spread = 0.0;
  for (int m = 0; m < point.members; ++m) {
    const double x = point.x[m * pitch];
    if (point.skip && std::isnan(x)) {
      continue;
    }
    about_mean += (x - mean) * (x - mean);
    for (int k = 0; k < point.members; ++k) {
      const double other = point.x[k * pitch];
      spread += k == m || (point.skip && std::isnan(other)) ? 0.0 : fabs(x - other);
    }
  }
  const bool many = count > 1.0;
  point.write(Statistic::squared_error, squares / count);
  point.write(Statistic::absolute_error, absolute / count);
  point.write(Statistic::spread, many ? spread / (count * (count - 1.0)) : 0.0);
  write_means(point, mean, error / count, many ? about_mean / (count - 1.0) : 0.0, count);
  const bool has_members = count > 0.0, has_truth = !point.skip || !std::isnan(point.truth);
  point.write(Statistic::error_weight, has_members && has_truth ? 1.0 : 0.0);
  point.write(Statistic::ensemble_weight, has_members ? 1.0 : 0.0);
  for (int s = 0; s < statistics; ++s) {  // what is left out must not turn a sum into NaN
    const auto which = static_cast<Statistic>(s);
    const bool of_ensemble = which == Statistic::spread || which == Statistic::variance;
    if (!has_members || (!has_truth && !of_ensemble && which != Statistic::ensemble_weight)) {
      point.write(which, 0.0);
    }
  }
}

/// Where the truth lies among the members. A truth that is NaN counts as above all, or not at all.
__device__ __forceinline__ void count_below(const Point& point, int& below, int& equal) {
  below = equal = 0;
  for (int m = 0; m < point.members; ++m) {
    below += point.x[m * pitch] < point.truth ? 1 : 0;
    equal += point.x[m * pitch] == point.truth ? 1 : 0;
  }
  if (std::isnan(point.truth)) {
    below = point.skip ? -1 : point.members;
  }
}

/// Members, truth and statistics of this thread's point; points behind the last are not read later.
__device__ __forceinline__ void make_point(const DeviceEnsembleArgs& args, std::int64_t field,
                                           std::int64_t at, const Shared& shared) {
  if (at >= args.points) {
    return;
  }
  const int members = static_cast<int>(args.members);
  const std::int64_t offset = field * args.points + at;
  const std::int64_t place = args.places == nullptr ? offset : args.places[field] + at;
  float* x = shared.numbers + threadIdx.x;
  float sum_of_zeros = 0.0f;
  for (int first = 0; first < members; first += together) {
    float numbers[together];  // all loads before the first store, which might be to the same place
#pragma unroll
    for (int i = 0; i < together; ++i) {
      const int m = first + i < members ? first + i : members - 1;
      numbers[i] = args.forecast[m * args.member_stride + place];
    }
#pragma unroll
    for (int i = 0; i < together; ++i) {
      if (first + i < members) {
        x[(first + i) * pitch] = numbers[i];
      }
      sum_of_zeros += 0.0f * numbers[i];
    }
  }
  const float truth = args.truth[offset];
  x[members * pitch] = truth;
  const Point point{x,
                    members,
                    truth,
                    args.climatology == nullptr ? undefined() : static_cast<double>(args.climatology[offset]),
                    args.missing == MissingValues::skip,
                    shared.values + threadIdx.x};
  if (std::isnan(sum_of_zeros + 0.0f * truth)) {
    write_irregular(point);
  } else {
    write_regular(point);
  }
  if (args.ranks) {
    count_below(point, shared.below[threadIdx.x], shared.equal[threadIdx.x]);
  }
}

/// Adds the tile's points to `sum`: number `item` of a field.
__device__ __forceinline__ double add_statistic(const double* values, const double* weights, int points,
                                                double sum) {
#pragma unroll 4
  for (int i = 0; i < points; ++i) {
    const double weight = weights[i];
    sum = weight > 0.0 ? sum + weight * values[i] : sum;
  }
  return sum;
}

/// Squared distances of two rows of numbers, or the weights where there is one.
__device__ __forceinline__ double add_distance(const float* a, const float* b, bool skip, bool only_weight,
                                               const double* weights, int points, double sum) {
#pragma unroll 4
  for (int i = 0; i < points; ++i) {
    const double weight = weights[i], distance = static_cast<double>(a[i]) - b[i];
    if (weight > 0.0 && !(skip && std::isnan(distance))) {
      sum += only_weight ? weight : weight * distance * distance;
    }
  }
  return sum;
}

/// Number `number` of an area.
__device__ __forceinline__ double add_to_area(const DeviceEnsembleArgs& args, int number,
                                              const double* weights, int points, const Shared& shared,
                                              double sum) {
  if (number < statistics) {
    return add_statistic(shared.values + number * pitch, weights, points, sum);
  }
  if (number == statistics) {
    for (int i = 0; i < points; ++i) {
      sum += weights[i];
    }
    return sum;
  }
  const int member = (number - statistics - 1) / 4, kind = (number - statistics - 1) % 4;
  const int members = static_cast<int>(args.members);
  const bool steps = kind % 2 == 1;
  if (steps && member + 1 == members) {
    return 0.0;
  }
  const float* mine = shared.numbers + member * pitch;
  return add_distance(mine, shared.numbers + (steps ? member + 1 : members) * pitch,
                      args.missing == MissingValues::skip, kind >= 2, weights, points, sum);
}

/// Number `number` of [3, M + 1]: kind RankCount, rank.
__device__ __forceinline__ double add_ranks(int number, int bins, int points, const Shared& shared,
                                            double sum) {
  const int kind = number / bins, rank = number % bins;
  for (int i = 0; i < points; ++i) {
    const int below = shared.below[i], not_above = below + shared.equal[i];
    if (below < 0) {
      continue;
    }
    if (kind == static_cast<int>(RankCount::below)) {
      sum += rank == below ? 1.0 : 0.0;
    } else if (kind == static_cast<int>(RankCount::not_above)) {
      sum += rank == not_above ? 1.0 : 0.0;
    } else if (below <= rank && rank <= not_above) {
      sum += 1.0 / static_cast<double>(not_above - below + 1);
    }
  }
  return sum;
}

/// What is summed of a field.
struct Numbers {
  int of_area, of_field;
};

/// Block (part, field) writes [field, part, numbers.of_field] of the workspace.
__global__ void __launch_bounds__(block_threads)
    ensemble_parts_kernel(const __grid_constant__ DeviceEnsembleArgs args, Numbers numbers) {
  const int members = static_cast<int>(args.members);
  const Shared shared(shared_memory(), members);
  const int ranks_begin = static_cast<int>(args.areas) * numbers.of_area;
  const std::int64_t field = blockIdx.y;
  double* sums = args.workspace + (field * gridDim.x + blockIdx.x) * numbers.of_field;
  for (int tile = 0; tile < block_tiles; ++tile) {
    const std::int64_t first = (std::int64_t(blockIdx.x) * block_tiles + tile) * tile_points;
    const std::int64_t left = args.points - first;
    const int points = static_cast<int>(left < tile_points ? left : tile_points);
    if (points <= 0) {
      return;
    }
    make_point(args, field, first + threadIdx.x, shared);
    block_barrier();
    for (int item = threadIdx.x; item < numbers.of_field; item += block_threads) {
      const double sum = tile == 0 ? 0.0 : sums[item];
      if (item >= ranks_begin) {
        sums[item] = add_ranks(item - ranks_begin, members + 1, points, shared, sum);
      } else {
        const double* weights = args.weights + item / numbers.of_area * args.points + first;
        sums[item] = add_to_area(args, item % numbers.of_area, weights, points, shared, sum);
      }
    }
    block_barrier();
  }
}

/// Block (numbers, field) adds the parts in their order.
__global__ void __launch_bounds__(block_threads)
    ensemble_sums_kernel(const double* workspace, double* sums, int numbers, int parts) {
  const int item = static_cast<int>(blockIdx.x * block_threads + threadIdx.x);
  if (item >= numbers) {
    return;
  }
  const std::int64_t field = blockIdx.y;
  double sum = 0.0;
  for (int part = 0; part < parts; ++part) {
    sum += workspace[(field * parts + part) * numbers + item];
  }
  sums[field * numbers + item] = sum;
}

constexpr std::int64_t parts_of(std::int64_t points) {
  return (points + tile_points * block_tiles - 1) / (tile_points * block_tiles);
}

}  // namespace
}  // namespace device

std::int64_t DeviceEnsembleArgs::workspace_numbers() const {
  return fields * device::parts_of(points) * field_numbers();
}

void ensemble_statistics(const DeviceEnsembleArgs& args, const Stream& stream) {
  using namespace device;
  require_shape(args.fields > 0 && args.fields < 65536 && args.points > 0 && args.areas > 0,
                "ensemble_statistics: empty, or more than 65535 fields");
  require_shape(args.members > 0 && args.members <= most_device_members,
                "ensemble_statistics: 1 to 64 members");
  const std::int64_t fields_together = args.places == nullptr ? args.fields : 1;
  require_shape(args.member_stride >= fields_together * args.points || args.members == 1,
                "ensemble_statistics: members overlap");
  const auto fields = static_cast<unsigned>(args.fields);
  const auto parts = static_cast<unsigned>(parts_of(args.points));
  const Numbers numbers{static_cast<int>(args.area_numbers()), static_cast<int>(args.field_numbers())};
  const LaunchShape first{
      .x = parts, .y = fields, .threads = block_threads, .shared_bytes = shared_bytes(args.members)};
  launch(ensemble_parts_kernel, first, stream, args, numbers);
  const LaunchShape second{.x = (static_cast<unsigned>(numbers.of_field) + block_threads - 1) / block_threads,
                           .y = fields,
                           .threads = block_threads};
  launch(ensemble_sums_kernel, second, stream, args.workspace, args.sums, numbers.of_field,
         static_cast<int>(parts));
}

}  // namespace mosaic::kernels
