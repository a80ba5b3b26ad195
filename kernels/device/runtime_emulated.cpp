// device.hpp on the emulated device.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>

#include "base/error.hpp"
#include "kernels/device/device_code.hpp"

namespace mosaic::kernels {

namespace {

using Work = std::vector<std::function<void()>>;
Work* recording = nullptr;

/// The work of a stream that has not happened yet.
struct Queue {
  std::deque<std::function<void()>> work;
  std::size_t done = 0;

  std::size_t end() const { return done + work.size(); }
  void run_to(std::size_t place) {
    while (done < place) {
      const auto next = std::move(work.front());
      work.pop_front();
      ++done;
      next();
    }
  }
};

using SharedQueue = std::shared_ptr<Queue>;
const SharedQueue& queue_of(const Stream& stream) { return *static_cast<SharedQueue*>(stream.handle()); }

/// Of all streams that live. Never destroyed: memory may be freed after everything else.
std::vector<SharedQueue>& all_queues() {
  static auto& queues = *new std::vector<SharedQueue>;
  return queues;
}

/// What freeing memory does on a device.
void wait_for_everything() {
  for (const SharedQueue& queue : std::vector<SharedQueue>(all_queues())) {
    queue->run_to(queue->end());
  }
}

constexpr std::size_t device_bytes = std::size_t(1) << 34;
/// Of device_bytes, by all threads.
std::atomic<std::size_t> bytes_taken{0};

std::shared_ptr<void> poisoned_memory(std::size_t bytes) {
  // Of exactly this size, so that AddressSanitizer sees what lies beyond.
  void* data = nullptr;
  require(posix_memalign(&data, 256, bytes) == 0, "emulated device: {} bytes of memory", bytes);
  std::memset(data, 0xff, bytes);
  return {data, [](void* p) {
            wait_for_everything();
            std::free(p);
          }};
}

}  // namespace

namespace emulation {

void submit(const Stream& stream, std::function<void()> work) {
  if (recording != nullptr) {
    recording->push_back(std::move(work));
    return;
  }
  queue_of(stream)->work.push_back(std::move(work));
  if (settings().streams == Asynchrony::early) {
    stream.wait();
  }
}

}  // namespace emulation

bool built_with_devices() { return true; }

std::vector<DeviceInfo> visible_devices(std::string*) {
  const int capability = device_capability();
  return {{0, "emulated device", capability / 10, capability % 10, device_processors(), device_bytes,
           "emulated"}};
}

void use_device(int number) {
  require(number == 0, ExitCode::bad_configuration, "GPU {} is not there: 1 visible", number);
}

std::size_t free_device_memory() { return device_bytes - bytes_taken; }
int device_capability() { return emulation::settings().capability; }
int device_processors() { return emulation::settings().processors; }

Stream::Stream() : handle_(new SharedQueue(all_queues().emplace_back(std::make_shared<Queue>()))) {}
Stream::~Stream() {
  wait();
  std::erase(all_queues(), queue_of(*this));
  delete static_cast<SharedQueue*>(handle_);
}
void Stream::wait() const { queue_of(*this)->run_to(queue_of(*this)->end()); }

DeviceMemory::DeviceMemory(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) {
    return;
  }
  require(bytes <= free_device_memory(), ExitCode::bad_configuration,
          "emulated device: {} bytes, {} are free", bytes, free_device_memory());
  std::shared_ptr<void> memory = poisoned_memory(bytes);
  bytes_taken += bytes;
  data_ = std::shared_ptr<void>(memory.get(), [memory, bytes](void*) mutable {
    memory.reset();
    bytes_taken -= bytes;
  });
}
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
void order_streams(const Stream& earlier, const Stream& later) {
  emulation::submit(later,
                    [queue = queue_of(earlier), end = queue_of(earlier)->end()] { queue->run_to(end); });
}

namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

StreamTimer::StreamTimer() : first_(std::make_shared<double>()), second_(std::make_shared<double>()) {}
void StreamTimer::start(const Stream& stream) {
  emulation::submit(stream, [mark = first_] { *static_cast<double*>(mark.get()) = now(); });
}
void StreamTimer::stop(const Stream& stream) {
  emulation::submit(stream, [mark = second_] { *static_cast<double*>(mark.get()) = now(); });
}
double StreamTimer::seconds() const {
  wait_for_everything();
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

void Graph::launch(const Stream& stream) const {
  emulation::submit(stream, [handle = handle_] {
    for (const auto& work : *static_cast<Work*>(handle.get())) {
      work();
    }
  });
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
