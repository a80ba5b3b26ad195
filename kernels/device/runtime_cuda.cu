// device.hpp by the CUDA runtime.

#include <cuda.h>
#include <cudaTypedefs.h>

#include <array>

#include "kernels/device/device_choice.hpp"
#include "kernels/device/device_code.hpp"
#include "kernels/device/device_failure.hpp"

namespace mosaic::kernels {

namespace {

cudaStream_t raw(const Stream& stream) { return static_cast<cudaStream_t>(stream.handle()); }

std::string gigabytes(std::size_t bytes) { return std::to_string(bytes / 1'000'000) + " MB"; }

std::string text_of(const cudaUUID_t& uuid) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text;
  for (const char byte : uuid.bytes) {
    const auto value = static_cast<unsigned char>(byte);
    text += digits[value / 16];
    text += digits[value % 16];
  }
  return text;
}

/// Of this thread's device.
int attribute(cudaDeviceAttr which) {
  int device = 0, value = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
  return value;
}

std::shared_ptr<void> make_event() {
  cudaEvent_t event = nullptr;
  check(cudaEventCreate(&event), "cudaEventCreate");
  return {event, [](void* e) { cudaEventDestroy(static_cast<cudaEvent_t>(e)); }};
}

}  // namespace

void check(cudaError_t result, const char* call) {
  if (result == cudaSuccess) {
    return;
  }
  cudaGetLastError();  // an error that does not stick is answered for
  const bool unsuitable = result == cudaErrorNoKernelImageForDevice ||
                          result == cudaErrorInsufficientDriver || result == cudaErrorNoDevice ||
                          result == cudaErrorMemoryAllocation;
  std::string text = std::string("GPU: ") + call + ": " + cudaGetErrorString(result);
  if (result == cudaErrorNoKernelImageForDevice) {
    text += std::string("; this program has code for ") + compiled_for;
  }
  fail_on_device(unsuitable ? DeviceFailure::configuration : DeviceFailure::internal, text);
}

bool built_with_devices() { return true; }

std::vector<DeviceInfo> visible_devices(std::string* why) {
  int count = 0;
  const cudaError_t result = cudaGetDeviceCount(&count);
  if (result != cudaSuccess || count == 0) {
    cudaGetLastError();
    if (why != nullptr) {
      *why = result == cudaErrorInsufficientDriver
                 ? "no NVIDIA driver, or one that is too old for this program"
             : result == cudaSuccess ? "no device is visible"
                                     : cudaGetErrorString(result);
    }
    return {};
  }
  std::vector<DeviceInfo> devices;
  for (int i = 0; i < count; ++i) {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, i), "cudaGetDeviceProperties");
    DeviceInfo info;
    info.number = i;
    info.name = properties.name;
    info.major = properties.major;
    info.minor = properties.minor;
    info.processors = properties.multiProcessorCount;
    info.memory = properties.totalGlobalMem;
    info.uuid = text_of(properties.uuid);
    devices.push_back(info);
  }
  return devices;
}

void use_device(int number) {
  std::string why;
  require_usable(visible_devices(&why), why, number);
  check(cudaSetDevice(number), "cudaSetDevice");
}

std::size_t free_device_memory() {
  std::size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "cudaMemGetInfo");
  return free;
}

int device_capability() {
  return 10 * attribute(cudaDevAttrComputeCapabilityMajor) + attribute(cudaDevAttrComputeCapabilityMinor);
}

int device_processors() { return attribute(cudaDevAttrMultiProcessorCount); }

Stream::Stream() {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreate");
  handle_ = stream;
}

Stream::~Stream() { cudaStreamDestroy(raw(*this)); }

void Stream::wait() const { check(cudaStreamSynchronize(raw(*this)), "work of a stream"); }

DeviceMemory::DeviceMemory(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) {
    return;
  }
  void* data = nullptr;
  const cudaError_t result = cudaMalloc(&data, bytes);
  if (result == cudaErrorMemoryAllocation) {
    cudaGetLastError();
    fail_on_device(
        DeviceFailure::configuration,
        "GPU: " + gigabytes(bytes) + " of memory asked for, " + gigabytes(free_device_memory()) +
            " free: take a smaller chunk (--plan shows what is needed) or leave the GPU to this program");
  }
  check(result, "cudaMalloc");
  data_ = std::shared_ptr<void>(data, [](void* p) { cudaFree(p); });
}

PinnedMemory::PinnedMemory(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) {
    return;
  }
  void* data = nullptr;
  check(cudaMallocHost(&data, bytes), "cudaMallocHost");
  data_ = std::shared_ptr<void>(data, [](void* p) { cudaFreeHost(p); });
}

void copy_to_device(void* device, const void* host, std::size_t bytes, const Stream& stream) {
  check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, raw(stream)), "copy to the device");
}

void copy_to_host(void* host, const void* device, std::size_t bytes, const Stream& stream) {
  check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, raw(stream)), "copy from the device");
}

void copy_on_device(void* to, const void* from, std::size_t bytes, const Stream& stream) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, raw(stream)), "copy on the device");
}

void fill_bytes(void* device, int value, std::size_t bytes, const Stream& stream) {
  check(cudaMemsetAsync(device, value, bytes, raw(stream)), "cudaMemset");
}

void order_streams(const Stream& earlier, const Stream& later) {
  cudaEvent_t event = nullptr;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "cudaEventCreate");
  const cudaError_t recorded = cudaEventRecord(event, raw(earlier));
  const cudaError_t waiting = recorded == cudaSuccess ? cudaStreamWaitEvent(raw(later), event) : recorded;
  cudaEventDestroy(event);  // freed by the runtime when it has happened
  check(waiting, "order of streams");
}

StreamTimer::StreamTimer() : first_(make_event()), second_(make_event()) {}

void StreamTimer::start(const Stream& stream) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(first_.get()), raw(stream)), "cudaEventRecord");
}

void StreamTimer::stop(const Stream& stream) {
  check(cudaEventRecord(static_cast<cudaEvent_t>(second_.get()), raw(stream)), "cudaEventRecord");
}

double StreamTimer::seconds() const {
  const auto second = static_cast<cudaEvent_t>(second_.get());
  check(cudaEventSynchronize(second), "cudaEventSynchronize");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, static_cast<cudaEvent_t>(first_.get()), second),
        "cudaEventElapsedTime");
  return milliseconds * 1e-3;
}

Graph::Graph(const Stream& stream, const std::function<void()>& record) {
  check(cudaStreamBeginCapture(raw(stream), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
  cudaGraph_t graph = nullptr;
  try {
    record();
  } catch (...) {
    cudaStreamEndCapture(raw(stream), &graph);
    if (graph != nullptr) {
      cudaGraphDestroy(graph);
    }
    cudaGetLastError();  // of the capture's end: the next launch is not to find it
    throw;
  }
  check(cudaStreamEndCapture(raw(stream), &graph), "cudaStreamEndCapture");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t result = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(result, "cudaGraphInstantiate");
  handle_ = std::shared_ptr<void>(executable,
                                  [](void* e) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(e)); });
}

void Graph::launch(const Stream& stream) const {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(handle_.get()), raw(stream)), "cudaGraphLaunch");
}

namespace {

/// The driver's function, found at run time so that programs start where there is no driver.
PFN_cuTensorMapEncodeTiled_v12000 encode_function() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found{};
  check(
      cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found),
      "cudaGetDriverEntryPoint");
  if (found != cudaDriverEntryPointSuccess || function == nullptr) {
    fail_on_device(DeviceFailure::configuration,
                   "GPU: the driver has no cuTensorMapEncodeTiled (CUDA 12 or newer is needed)");
  }
  return reinterpret_cast<PFN_cuTensorMapEncodeTiled_v12000>(function);
}

}  // namespace

device::TensorMap make_tensor_map(const void* array, ElementType type, std::span<const std::int64_t> extents,
                                  std::span<const int> box) {
  require_shape(
      extents.size() == box.size() && !box.empty() && box.size() <= 4 && box[0] == 64 && size_of(type) == 2,
      "a tensor map of this shape");
  std::array<cuuint64_t, 4> sizes{}, strides{};
  std::array<cuuint32_t, 4> boxes{}, steps{1, 1, 1, 1};
  cuuint64_t stride = 2;
  for (std::size_t i = 0; i < box.size(); ++i) {
    sizes[i] = static_cast<cuuint64_t>(extents[i]);
    boxes[i] = static_cast<cuuint32_t>(box[i]);
    stride *= sizes[i];
    strides[i] = stride;  // of dimension i + 1
  }
  static const auto encode = encode_function();
  CUtensorMap map{};
  static_assert(sizeof(map) == sizeof(device::TensorMap) &&
                alignof(CUtensorMap) <= alignof(device::TensorMap));
  const CUresult result = encode(
      &map, type == ElementType::float16 ? CU_TENSOR_MAP_DATA_TYPE_FLOAT16 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16,
      static_cast<cuuint32_t>(box.size()), const_cast<void*>(array), sizes.data(), strides.data(),
      boxes.data(), steps.data(), CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
      CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  require_shape(result == CUDA_SUCCESS,
                "cuTensorMapEncodeTiled: error " + std::to_string(static_cast<int>(result)));
  device::TensorMap encoded;
  __builtin_memcpy(&encoded, &map, sizeof(map));
  return encoded;
}

}  // namespace mosaic::kernels
