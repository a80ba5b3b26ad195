#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "grid/lat_lon_grid.hpp"
#include "model/network_config.hpp"
#include "model/precision.hpp"

namespace mosaic {

struct DeviceBenchOptions {
  NetworkConfig network;
  LatLonGrid grid;
  Precision precision = Precision::float16;
  std::vector<int> chunks = {1, 8, 24};  ///< members at once
  int steps = 5;                         ///< timed for each chunk and way; medians count
  std::vector<std::int64_t> attention_tokens = {8192, 16384, 32768, 65536, 131072, 262144, 524288};
};

/// Operations of a class in one step; the median of steps.
struct DeviceClassTiming {
  double seconds = 0;
  long calls = 0;
};

/// Bytes that a chunk's step holds with its members.
struct DeviceStepMemory {
  std::size_t planned = 0;  ///< weights included
  std::size_t weights = 0;  ///< planned, tables included
  /// From before the step was made until its first one was done; of the first chunk with the kernels and
  /// libraries that were loaded for it.
  std::size_t taken = 0;

  std::size_t beside_weights(std::size_t bytes) const { return bytes - std::min(bytes, weights); }
};

/// Steps of one chunk; seconds per member-step.
struct DeviceStepTiming {
  int chunk = 0;
  double queued = 0;  ///< kernel by kernel
  double graph = 0;   ///< as one graph
  double copied = 0;  ///< as one graph, new states copied to the host
  DeviceStepMemory memory;
  std::map<std::string, DeviceClassTiming> classes;  ///< one step, queued, of the whole chunk

  double classes_seconds() const;  ///< sum of all, per member-step
};

/// Attention of the finest level alone (no projections), one member; medians, each of ten calls in a row.
struct AttentionTiming {
  std::int64_t tokens = 0;
  double inputs = 0, selection = 0, attend = 0;  ///< [s] of the three kernels
  double operations = 0;  ///< of the products, had the branches no key blocks in common
};

struct DeviceBenchReport {
  DeviceBenchOptions options;
  std::string device, date;
  double load_seconds = 0;  ///< weights made, copied and rounded (pseudo-random ones are made on the host)
  double first_step = 0;  ///< of the first chunk, queued: kernels are loaded, algorithms chosen; no graph yet
  std::vector<DeviceStepTiming> steps;
  std::vector<AttentionTiming> attention;
};

/// Times steps of a network of pseudo-random weights, and attention alone, on the first visible GPU. Errors:
/// bad_configuration without one.
DeviceBenchReport run_device_bench(const DeviceBenchOptions& options);

std::string device_bench_text(const DeviceBenchReport& report);
std::string device_bench_json(const DeviceBenchReport& report);

}  // namespace mosaic
