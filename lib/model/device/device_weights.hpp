#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "kernels/device/device.hpp"
#include "kernels/matrix_product/matrix_product_device.hpp"
#include "model/device/device_plan.hpp"

namespace mosaic {

/// The numbers of a parameter, row-major: lent by someone who lives longer, or its own.
class HostParameter {
 public:
  HostParameter(std::span<const float> lent) : values_(lent) {}
  HostParameter(std::vector<float> own) : own_(std::move(own)), values_(own_) {}
  HostParameter(HostParameter&&) = default;  // a moved vector keeps its place
  std::span<const float> values() const { return values_; }

 private:
  std::vector<float> own_;
  std::span<const float> values_;
};

/// A network as the host holds it, float32.
struct HostNetwork {
  /// By published name.
  std::function<HostParameter(const std::string& name)> parameter;
  struct Interpolation {
    std::vector<std::int32_t> neighbours;  ///< [targets, k]
    std::vector<float> rel_pos;            ///< [targets, k, 3]
  } to_hp, to_ll;
  std::vector<float> static_columns;              ///< [P, 6]
  std::vector<std::vector<float>> cosine, sine;   ///< per level [N, D / 2]
  std::vector<std::vector<float>> child_offsets;  ///< per stage [parents, 12]
};

/// Weights of a block. Operand type, rows filled up to qkv_columns().
struct DeviceBlock {
  kernels::DeviceMemory qkv;     ///< [qkv_columns, W] q, k, v, gates
  kernels::DeviceMemory out;     ///< [W, W]
  kernels::DeviceMemory hidden;  ///< [2 F, W] interleaved
  kernels::DeviceMemory back;    ///< [W, F]
};

struct DeviceInterpolation {
  kernels::DeviceMemory t;           ///< [interpolation_columns, W] A_h = Wq_h^T Wk_h, three rows a head
  kernels::DeviceMemory values;      ///< [W, W]
  kernels::DeviceMemory out;         ///< [W, W]
  kernels::DeviceMemory neighbours;  ///< [targets, k] int32
  kernels::DeviceMemory rel_pos;     ///< [targets, k, 3] float32
  std::int64_t targets = 0;
};

struct DeviceLevelChange {
  kernels::DeviceMemory down, up;                    ///< proj_x of both directions
  kernels::DeviceMemory down_position, up_position;  ///< [parents, width], [parents, 4 width] float32
};

/// All weights and tables of a network on a device.
struct DeviceWeights {
  std::map<std::string, DeviceBlock> blocks;
  DeviceInterpolation to_hp, to_ll;
  std::vector<DeviceLevelChange> changes;
  kernels::DeviceMemory preprocess_0, preprocess_3, postprocess_1, postprocess_3;
  kernels::DeviceMemory to_noise;        ///< [noise, noise] float32; empty without noise
  kernels::DeviceMemory noise_bias;      ///< [hidden columns of all blocks, noise] float32
  kernels::DeviceMemory static_columns;  ///< [P, 6] float32
  std::vector<kernels::DeviceMemory> cosine, sine;
};

/// Copies a network to this thread's device through pinned memory; numbers are rounded there.
DeviceWeights load_device_weights(const NetworkConfig& config, const HostNetwork& host,
                                  kernels::ElementType precision, kernels::MatrixProducts& products,
                                  const kernels::Stream& stream);

}  // namespace mosaic
