#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"
#include "kernels/device/device.hpp"
#include "kernels/matrix_product/matrix_product_device.hpp"
#include "model/device/device_plan.hpp"
#include "model/device/device_weights.hpp"

namespace mosaic {

/// Whether the members of a chunk still are the same: then everything before the first feed-forward layer is
/// computed once.
enum class Members { same, different };

/// Sees intermediate arrays after they were queued; for tests and the bench.
struct DeviceObserver {
  /// A stage's output in the stream's type, [members, N, W].
  std::function<void(const std::string& name, const kernels::DeviceMemory& stream, std::int64_t members)>
      stage;
  /// Selected blocks to use in a block in place of the scores', [B, I, K, n]; null keeps the scores'.
  std::function<const std::int32_t*(const std::string& block)> selection;
  /// Called before and after the operations of a class.
  std::function<void(const char*operation)> begin, end;
};

/// The Mosaic network (model.md sections 3 to 5; gpu.md sections 2, 3) for the members of a chunk on this
/// thread's device. A member's bits depend neither on the chunk nor on the others.
class DeviceNetwork {
 public:
  /// Errors: bad_configuration for networks without kernels and where memory does not suffice.
  DeviceNetwork(const NetworkConfig& config, const HostNetwork& host, const DeviceOptions& options,
                std::size_t points, const kernels::Stream& stream);

  /// Where forward() expects its input: features [B, P, feature columns] (the first member's alone, if they
  /// are the same) of the operand type; noise [B, noise width] float32.
  const kernels::DeviceMemory& features() const { return at(Buffer::features); }
  const kernels::DeviceMemory& noise() const { return at(Buffer::noise); }

  /// Queues one forward pass: y [B, P, output_columns] float32, the normalised next states.
  void forward(float* y, Members members, const kernels::Stream& stream,
               const DeviceObserver* observer = nullptr);

  const NetworkConfig& config() const { return config_; }
  const DeviceOptions& options() const { return options_; }
  const DeviceWeights& weights() const { return weights_; }
  const DevicePlan& plan() const { return plan_; }

 private:
  struct Pass;  // what one forward pass carries along

  const kernels::DeviceMemory& at(Buffer buffer) const { return buffers_[static_cast<std::size_t>(buffer)]; }
  void product(Pass& pass, const char* operation, std::int64_t rows, const void* x,
               const kernels::DeviceMemory& weight, std::int64_t inputs, std::int64_t outputs,
               kernels::ElementType out_type, void* out, bool accumulate = false);
  void draw_shifts(Pass& pass);
  void preprocess(Pass& pass);
  void interpolate(Pass& pass, const DeviceInterpolation& weights, std::int64_t sources, const void* x,
                   void* out, kernels::ElementType out_type);
  void run_stage(Pass& pass, const std::string& part, std::size_t level, int depth);
  void attention(Pass& pass, const BlockPlace& place);
  const void* operand_of(Pass& pass, std::size_t level, int norms);
  const float* factors_of(Pass& pass, std::size_t level);
  void feed_forward(Pass& pass, const BlockPlace& place);
  void spread_members(Pass& pass, std::size_t level);
  void downsample(Pass& pass, std::size_t stage);
  void upsample(Pass& pass, std::size_t stage);
  void postprocess(Pass& pass, float* y);

  NetworkConfig config_;
  DeviceOptions options_;
  std::int64_t points_;
  DevicePlan plan_;
  kernels::MatrixProducts products_;
  DeviceWeights weights_;
  std::vector<kernels::DeviceMemory> streams_;
  std::array<kernels::DeviceMemory, buffer_count> buffers_;
  std::map<std::string, BlockPlace> places_;
};

}  // namespace mosaic
