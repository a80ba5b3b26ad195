#include "base/error.hpp"
#include "kernels/device/device.hpp"
#include "model/device_bench.hpp"

namespace mosaic {

DeviceBenchReport run_device_bench(const DeviceBenchOptions&) {
  kernels::use_device(0);
  fail(ExitCode::internal, "a GPU in a program without device code");
}

}  // namespace mosaic
