#pragma once

#include <span>

#include "kernels/device/device.hpp"

namespace mosaic::eval {

/// An array on the device with its copy in pinned memory.
template <class T>
class Transfer {
 public:
  Transfer() = default;
  explicit Transfer(std::size_t numbers) : host_(numbers * sizeof(T)), device_(numbers * sizeof(T)) {}

  std::span<T> host() const { return host_.as<T>(); }
  T* device() const { return device_.as<T>(); }
  /// Queue the copy to the device, and from there.
  void send(const kernels::Stream& stream) const {
    kernels::copy_to_device(device_.data(), host_.bytes().data(), device_.bytes(), stream);
  }
  void receive(const kernels::Stream& stream) const {
    kernels::copy_to_host(host_.bytes().data(), device_.data(), device_.bytes(), stream);
  }

 private:
  kernels::PinnedMemory host_;
  kernels::DeviceMemory device_;
};

/// A table that stays on the device.
template <class T>
kernels::DeviceMemory upload(std::span<const T> values, const kernels::Stream& stream) {
  kernels::DeviceMemory memory(values.size_bytes());
  kernels::copy_to_device(memory.data(), values.data(), memory.bytes(), stream);
  stream.wait();
  return memory;
}

}  // namespace mosaic::eval
