#pragma once

// The one header of device code: *.cu files include it and nothing else of CUDA (and neither fmt nor torch,
// which nvcc takes long over or refuses). nvcc sees the intrinsics and PTX of device_hardware.hpp; a plain
// C++ compiler sees the same names on an emulated device, which runs the very same kernels on the host, for
// tests.

#include <cstdint>
#include <span>
#include <string>

#include "kernels/device/device.hpp"
#include "kernels/device/device_failure.hpp"
#include "kernels/element_type.hpp"

namespace mosaic::kernels {

/// Blocks and threads of a kernel.
struct LaunchShape {
  unsigned x = 1, y = 1, z = 1;  ///< blocks
  unsigned threads = 1;          ///< of a block
  std::size_t shared_bytes = 0;  ///< dynamic shared memory
};

}  // namespace mosaic::kernels

#ifdef __CUDACC__
#include "kernels/device/device_hardware.hpp"
#else
#include "kernels/device/device_emulated.hpp"
#endif

namespace mosaic::kernels {

/// Compute capability of this thread's device, 10 major + minor.
int device_capability();
/// Its number of multiprocessors.
int device_processors();

/// The map of an array of 16-bit numbers with the extents (fastest first, contiguous), cut into boxes of
/// `box` numbers, the fastest 64, in the 128-byte swizzle.
device::TensorMap make_tensor_map(const void* array, ElementType type, std::span<const std::int64_t> extents,
                                  std::span<const int> box);

}  // namespace mosaic::kernels
