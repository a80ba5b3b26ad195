#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace mosaic::kernels {

/// The host's view of accelerators: memory, streams, graphs, without any type of CUDA. Device pointers are
/// plain pointers that only kernels may follow. Every failed call of the runtime is an Error that names the
/// call and what to do; out of memory is bad_configuration with the bytes asked for and free.

struct DeviceInfo {
  int number = 0;  ///< among the visible ones
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int processors = 0;        ///< streaming multiprocessors
  std::size_t memory = 0;    ///< [bytes]
  std::string uuid;          ///< of a MIG slice its own
};

/// Whether this program contains device code.
bool built_with_devices();

/// The visible devices, in the runtime's order; empty without a driver or device, `why` then says why.
std::vector<DeviceInfo> visible_devices(std::string* why = nullptr);

/// Makes `number` the device of this thread. Errors: bad_configuration if it is not there or no device code
/// of this program runs on it.
void use_device(int number);

/// Of this thread's device [bytes].
std::size_t free_device_memory();

/// A queue of work on the device of the thread that made it. Work in one stream runs in order.
class Stream {
 public:
  Stream();
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  void wait() const;  ///< returns when all work is done; errors of kernels come out here
  void* handle() const { return handle_; }

 private:
  void* handle_ = nullptr;
};

/// Memory of the device, not initialised. Movable.
class DeviceMemory {
 public:
  DeviceMemory() = default;
  explicit DeviceMemory(std::size_t bytes);
  void* data() const { return data_.get(); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data_.get());
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<void> data_;
  std::size_t bytes_ = 0;
};

/// Memory of the host that devices can copy from and to without staging. Movable.
class PinnedMemory {
 public:
  PinnedMemory() = default;
  explicit PinnedMemory(std::size_t bytes);
  std::span<std::byte> bytes() const { return {static_cast<std::byte*>(data_.get()), bytes_}; }
  template <class T>
  std::span<T> as() const {
    return {static_cast<T*>(data_.get()), bytes_ / sizeof(T)};
  }

 private:
  std::shared_ptr<void> data_;
  std::size_t bytes_ = 0;
};

/// Queue copies and fills. The host side must stay valid until the stream has been waited for.
void copy_to_device(void* device, const void* host, std::size_t bytes, const Stream& stream);
void copy_to_host(void* host, const void* device, std::size_t bytes, const Stream& stream);
void copy_on_device(void* to, const void* from, std::size_t bytes, const Stream& stream);
void fill_bytes(void* device, int value, std::size_t bytes, const Stream& stream);

/// Makes `later` wait for all work that `earlier` holds now.
void order_streams(const Stream& earlier, const Stream& later);

/// Seconds between two marks of a stream's work.
class StreamTimer {
 public:
  StreamTimer();
  void start(const Stream& stream);
  void stop(const Stream& stream);
  double seconds() const;  ///< waits for the second mark

 private:
  std::shared_ptr<void> first_, second_;
};

/// Recorded work that is launched as a whole.
class Graph {
 public:
  Graph() = default;
  /// Runs `record`, which queues work on `stream` and must not wait, allocate or copy from pageable memory.
  Graph(const Stream& stream, const std::function<void()>& record);
  void launch(const Stream& stream) const;
  explicit operator bool() const { return handle_ != nullptr; }

 private:
  std::shared_ptr<void> handle_;
};

}  // namespace mosaic::kernels
