// device.hpp on the emulated device.

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "base/error.hpp"
#include "kernels/device/device_code.hpp"

namespace mosaic::kernels {

namespace {

using Work = std::vector<std::function<void()>>;
Work* recording = nullptr;

std::shared_ptr<void> poisoned_memory(std::size_t bytes) {
  // Of exactly this size, so that AddressSanitizer sees what lies beyond.
  void* data = nullptr;
  require(posix_memalign(&data, 256, bytes) == 0, "emulated device: {} bytes of memory", bytes);
  std::memset(data, 0xff, bytes);
  return {data, [](void* p) { std::free(p); }};
}

}  // namespace

namespace emulation {

void submit(const Stream&, std::function<void()> work) {
  if (recording != nullptr) {
    recording->push_back(std::move(work));
  } else {
    work();
  }
}

}  // namespace emulation

bool built_with_devices() { return true; }

std::vector<DeviceInfo> visible_devices(std::string*) {
  const int capability = device_capability();
  return {{0, "emulated device", capability / 10, capability % 10, device_processors(), std::size_t(1) << 34,
           "emulated"}};
}

void use_device(int number) {
  require(number == 0, ExitCode::bad_configuration, "GPU {} is not there: 1 visible", number);
}

std::size_t free_device_memory() { return std::size_t(1) << 34; }
int device_capability() { return emulation::settings().capability; }
int device_processors() { return emulation::settings().processors; }

Stream::Stream() = default;
Stream::~Stream() = default;
void Stream::wait() const {}

DeviceMemory::DeviceMemory(std::size_t bytes)
    : data_(bytes == 0 ? nullptr : poisoned_memory(bytes)), bytes_(bytes) {}
PinnedMemory::PinnedMemory(std::size_t bytes)
    : data_(bytes == 0 ? nullptr : poisoned_memory(bytes)), bytes_(bytes) {}

void copy_to_device(void* device, const void* host, std::size_t bytes, const Stream& stream) {
  emulation::submit(stream, [=] { std::memcpy(device, host, bytes); });
}
void copy_to_host(void* host, const void* device, std::size_t bytes, const Stream& stream) {
  emulation::submit(stream, [=] { std::memcpy(host, device, bytes); });
}
void copy_on_device(void* to, const void* from, std::size_t bytes, const Stream& stream) {
  emulation::submit(stream, [=] { std::memcpy(to, from, bytes); });
}
void fill_bytes(void* device, int value, std::size_t bytes, const Stream& stream) {
  emulation::submit(stream, [=] { std::memset(device, value, bytes); });
}
void order_streams(const Stream&, const Stream&) {}

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

StreamTimer::StreamTimer() : first_(std::make_shared<double>()), second_(std::make_shared<double>()) {}
void StreamTimer::start(const Stream&) { *static_cast<double*>(first_.get()) = now(); }
void StreamTimer::stop(const Stream&) { *static_cast<double*>(second_.get()) = now(); }
double StreamTimer::seconds() const {
  return *static_cast<double*>(second_.get()) - *static_cast<double*>(first_.get());
}

Graph::Graph(const Stream&, const std::function<void()>& record) {
  auto work = std::make_shared<Work>();
  recording = work.get();
  try {
    record();
  } catch (...) {
    recording = nullptr;
    throw;
  }
  recording = nullptr;
  handle_ = work;
}

void Graph::launch(const Stream&) const {
  for (const auto& work : *static_cast<Work*>(handle_.get())) {
    work();
  }
}

device::TensorMap make_tensor_map(const void* array, ElementType type, std::span<const std::int64_t> extents,
                                  std::span<const int> box) {
  require_shape(
      extents.size() == box.size() && !box.empty() && box.size() <= 4 && box[0] == 64 && size_of(type) == 2,
      "a tensor map of this shape");
  device::TensorMap map{{static_cast<const unsigned char*>(array), static_cast<int>(box.size()), {}, {}}};
  for (std::size_t i = 0; i < box.size(); ++i) {
    map.box.extents[i] = extents[i];
    map.box.box[i] = box[i];
  }
  return map;
}

}  // namespace mosaic::kernels
