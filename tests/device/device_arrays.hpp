#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/short_floats.hpp"
#include "kernels/device/device.hpp"
#include "kernels/element_type.hpp"
#ifdef MOSAIC_EMULATED_DEVICE
#include "kernels/device/emulation.hpp"
#endif

namespace mosaic::kernels {

/// `x` as an array of that type holds it.
inline float rounded(ElementType type, float x) {
  return type == ElementType::float32   ? x
         : type == ElementType::float16 ? float_from_half(half_from_float(x))
                                        : float_from_bfloat16(bfloat16_from_float(x));
}

/// Numbers on the device.
struct DeviceArray {
  ElementType type = ElementType::float32;
  std::size_t count = 0;
  DeviceMemory memory;

  void* data() const { return memory.data(); }
  template <class T>
  T* as() const {
    return memory.as<T>();
  }
};

inline DeviceArray upload(const std::vector<float>& values, ElementType type = ElementType::float32) {
  DeviceArray array{type, values.size(), DeviceMemory(values.size() * size_of(type))};
  const Stream stream;
  if (type == ElementType::float32) {
    copy_to_device(array.data(), values.data(), array.memory.bytes(), stream);
    stream.wait();
    return array;
  }
  std::vector<std::uint16_t> bits(values.size());
  for (std::size_t i = 0; i < bits.size(); ++i) {
    bits[i] = type == ElementType::float16 ? half_from_float(values[i]) : bfloat16_from_float(values[i]);
  }
  copy_to_device(array.data(), bits.data(), array.memory.bytes(), stream);
  stream.wait();
  return array;
}

/// Filled with NaN.
inline DeviceArray poisoned(std::size_t count, ElementType type = ElementType::float32) {
  DeviceArray array{type, count, DeviceMemory(count * size_of(type))};
  const Stream stream;
  fill_bytes(array.data(), 0xff, array.memory.bytes(), stream);
  stream.wait();
  return array;
}

inline std::vector<float> download(const DeviceArray& array) {
  const Stream stream;
  std::vector<float> values(array.count);
  if (array.type == ElementType::float32) {
    copy_to_host(values.data(), array.data(), array.memory.bytes(), stream);
    stream.wait();
    return values;
  }
  std::vector<std::uint16_t> bits(array.count);
  copy_to_host(bits.data(), array.data(), array.memory.bytes(), stream);
  stream.wait();
  for (std::size_t i = 0; i < bits.size(); ++i) {
    values[i] = array.type == ElementType::float16 ? float_from_half(bits[i]) : float_from_bfloat16(bits[i]);
  }
  return values;
}

inline DeviceMemory upload_integers(const std::vector<std::int32_t>& values) {
  DeviceMemory memory(values.size() * sizeof(std::int32_t));
  const Stream stream;
  copy_to_device(memory.data(), values.data(), memory.bytes(), stream);
  stream.wait();
  return memory;
}

inline std::vector<std::int32_t> download_integers(const DeviceMemory& memory) {
  std::vector<std::int32_t> values(memory.bytes() / sizeof(std::int32_t));
  const Stream stream;
  copy_to_host(values.data(), memory.data(), memory.bytes(), stream);
  stream.wait();
  return values;
}

inline DeviceMemory upload_doubles(const std::vector<double>& values) {
  DeviceMemory memory(values.size() * sizeof(double));
  const Stream stream;
  copy_to_device(memory.data(), values.data(), memory.bytes(), stream);
  stream.wait();
  return memory;
}

/// Filled with NaN.
inline DeviceMemory poisoned_doubles(std::int64_t count) {
  return upload_doubles(
      std::vector<double>(static_cast<std::size_t>(count), std::numeric_limits<double>::quiet_NaN()));
}

inline std::vector<double> download_doubles(const DeviceMemory& memory) {
  std::vector<double> values(memory.bytes() / sizeof(double));
  const Stream stream;
  copy_to_host(values.data(), memory.data(), memory.bytes(), stream);
  stream.wait();
  return values;
}

/// Normal numbers, rounded to `type`, the same for the same seed.
inline std::vector<float> normal_numbers(std::size_t count, std::uint64_t seed, float deviation = 1,
                                         ElementType type = ElementType::float32) {
  std::mt19937_64 random(seed);
  std::vector<float> values(count);
  for (float& value : values) {
    // Sum of uniform numbers: the same with every standard library.
    double sum = -6;
    for (int i = 0; i < 12; ++i) {
      sum += static_cast<double>(random() >> 11) * 0x1p-53;
    }
    value = rounded(type, deviation * static_cast<float>(sum));
  }
  return values;
}

/// ||a - b|| in the L2 norm; infinite if a number of either is not finite.
template <class A, class B>
double distance(const std::vector<A>& a, const std::vector<B>& b) {
  if (a.size() != b.size()) {
    return std::numeric_limits<double>::infinity();
  }
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sum += std::isfinite(difference) ? difference * difference : std::numeric_limits<double>::infinity();
  }
  return std::sqrt(sum);
}

template <class A>
double norm(const std::vector<A>& a) {
  return distance(a, std::vector<A>(a.size()));
}

/// The rule of low precision: |ours - f64| <= 2 |naive - f64| in the L2 norm, plus one rounding of the
/// result.
template <class Exact>
bool within_twice_naive(const std::vector<float>& ours, const std::vector<float>& naive,
                        const std::vector<Exact>& exact, ElementType type) {
  const double rounding = type == ElementType::float32   ? 0x1p-24
                          : type == ElementType::float16 ? 0x1p-11
                                                         : 0x1p-8;
  return distance(ours, exact) <= 2 * distance(naive, exact) + rounding * norm(exact);
}

/// Ends a program of device tests before its first one where no device is: one visible skip, or a failure
/// where MOSAIC_REQUIRE_GPU is set.
class DeviceIsThere : public ::testing::Environment {
 public:
  void SetUp() override {
    std::string why;
    if (!visible_devices(&why).empty()) {
      return;
    }
    const bool required = std::getenv("MOSAIC_REQUIRE_GPU") != nullptr;
    std::fprintf(stdout, "%s: no GPU: %s\n", required ? "FAILED" : "SKIP", why.c_str());
    std::exit(required ? 1 : 77);
  }
};
inline ::testing::Environment* const device_is_there =
    ::testing::AddGlobalTestEnvironment(new DeviceIsThere);  // of which googletest takes ownership

/// A test that needs a device. On the emulated one, `in_all_orders` repeats its body with threads forward,
/// backward and shuffled, and with copies and products early and late; the results must be the same bits.
class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
    const char* name = ::testing::UnitTest::GetInstance()->current_test_info()->name();
    if (std::string_view(name).find("bfloat16") != std::string_view::npos) {
      GTEST_SKIP() << "minutes with sanitizers; the body is that for float16 with another conversion";
    }
#endif
    use_device(0);
  }

#ifdef MOSAIC_EMULATED_DEVICE
  void TearDown() override { emulation::settings() = {}; }

  template <class Run>
  static void in_all_orders(const Run& run) {
    using emulation::Asynchrony, emulation::ThreadOrder;
    const auto bits = [&](ThreadOrder order, Asynchrony asynchrony) {
      emulation::settings().order = order;
      emulation::settings().asynchrony = asynchrony;
      return run();
    };
    const auto expected = bits(ThreadOrder::forward, Asynchrony::late);
    EXPECT_EQ(expected, bits(ThreadOrder::backward, Asynchrony::early));
    EXPECT_EQ(expected, bits(ThreadOrder::shuffled, Asynchrony::late));
  }
#else
  template <class Run>
  static void in_all_orders(const Run& run) {
    const auto expected = run();
    for (int i = 0; i < 3; ++i) {
      EXPECT_EQ(expected, run());
    }
  }
#endif
};

/// Whether the device has the bodies for Hopper.
inline bool has_hopper_bodies() {
  const auto devices = visible_devices();
  return !devices.empty() && devices[0].major == 9 && devices[0].minor == 0;
}

}  // namespace mosaic::kernels
