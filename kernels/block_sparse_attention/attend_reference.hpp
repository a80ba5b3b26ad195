#pragma once

#include <cstdint>
#include <span>

#include "kernels/block_sparse_attention/block_sparse_attention_device.hpp"

namespace mosaic::kernels {

/// The definition of `attend`, on the host in float64. Each branch is a softmax by itself over the keys of
/// its blocks: local those of the first two groups of the list, selected those of the first and the third. A
/// branch without blocks is 0. Arrays as in AttendArgs, on the host; q, k, v hold what the device's arrays
/// do.
struct AttendReferenceArgs {
  DeviceAttentionShape shape;
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  const std::int32_t* lists = nullptr;
  const std::int32_t* counts = nullptr;
  const float* gates = nullptr;
  const float* compressed = nullptr;
  double* out = nullptr;
  std::span<const std::int64_t> query_blocks;  ///< the others' rows are left alone; empty: all
};
void attend_reference(const AttendReferenceArgs& args);

}  // namespace mosaic::kernels
