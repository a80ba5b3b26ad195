// The emulated device finds what it is there to find.

#include "kernels/device/emulation.hpp"

#include <gtest/gtest.h>

#include "device/device_arrays.hpp"
#include "kernels/device/device_code.hpp"
#include "support/errors.hpp"

namespace mosaic::kernels {
namespace {

using device::Half;
using emulation::Asynchrony;
using emulation::ThreadOrder;

void expect_error(const std::vector<std::string>& parts, const std::function<void()>& action) {
  std::string message;
  EXPECT_EQ(test::code_of(action, &message), ExitCode::internal);
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
}

class Emulation : public ::testing::Test {
 protected:
  void TearDown() override { emulation::settings() = {}; }
};

/// Sums of the numbers that other threads wrote to shared memory, with or without the barrier between.
std::vector<float> sums_of_neighbours(bool barrier) {
  std::vector<float> out(64);
  emulation::run_grid({1, 1, 1}, 64, 64 * sizeof(float), [&] {
    auto* shared = reinterpret_cast<float*>(device::shared_memory());
    shared[threadIdx.x] = static_cast<float>(threadIdx.x);
    if (barrier) {
      device::block_barrier();
    }
    out[threadIdx.x] = shared[(threadIdx.x + 1) % 64] + shared[(threadIdx.x + 63) % 64];
  });
  return out;
}

TEST_F(Emulation, MissingBarrierShows) {
  const auto expected = sums_of_neighbours(true);
  EXPECT_EQ(expected[1], 2);
  for (const ThreadOrder order : {ThreadOrder::forward, ThreadOrder::backward, ThreadOrder::shuffled}) {
    emulation::settings().order = order;
    EXPECT_EQ(sums_of_neighbours(true), expected);
    EXPECT_NE(sums_of_neighbours(false), expected);
  }
}

/// What arrives on the host of 1, 2, 3 after a copy to the device on one stream and back on another.
std::vector<float> there_and_back(bool ordered, bool waited) {
  const DeviceMemory memory(3 * sizeof(float));
  const std::vector<float> values = {1, 2, 3};
  std::vector<float> out(3);
  const Stream there, back;
  copy_to_device(memory.data(), values.data(), memory.bytes(), there);
  if (ordered) {
    order_streams(there, back);
  }
  copy_to_host(out.data(), memory.data(), memory.bytes(), back);
  if (waited) {
    back.wait();
  }
  return std::vector<float>(out);
}

TEST_F(Emulation, MissingOrderOfStreamsShows) {
  const std::vector<float> values = {1, 2, 3};
  EXPECT_EQ(there_and_back(false, false), values);  // nothing is late
  emulation::settings().streams = Asynchrony::late;
  EXPECT_EQ(there_and_back(true, true), values);
  EXPECT_TRUE(std::isnan(there_and_back(false, true)[0]));
  EXPECT_EQ(there_and_back(true, false), std::vector<float>(3));
}

TEST_F(Emulation, LateGraphsAndHostMemoryThatChangesShow) {
  emulation::settings().streams = Asynchrony::late;
  const DeviceMemory memory(sizeof(float));
  float in = 1, out = 0;
  const Stream stream;
  const Graph graph(stream, [&] { copy_to_device(memory.data(), &in, sizeof(in), stream); });
  graph.launch(stream);
  copy_to_host(&out, memory.data(), sizeof(out), stream);
  in = 2;  // before it was read
  EXPECT_EQ(out, 0);
  stream.wait();
  EXPECT_EQ(out, 2);
}

TEST_F(Emulation, DeadlockIsNamed) {
  expect_error({"cannot go on", "32 threads (0 ... 31) at a barrier"}, [] {
    emulation::run_grid({1, 1, 1}, 64, 0, [] {
      if (threadIdx.x < 32) {
        device::block_barrier();
      }
    });
  });
}

TEST_F(Emulation, HalfAWarpCannotShuffle) {
  expect_error({"cannot go on", "shuffle"}, [] {
    emulation::run_grid({1, 1, 1}, 32, 0, [] {
      if (threadIdx.x < 16) {
        device::shuffle_xor(1, 1);
      }
    });
  });
}

TEST_F(Emulation, AWarpMeetsAtOneInstruction) {
  expect_error({"is at", "others"}, [] {
    emulation::run_grid({1, 1, 1}, 32, 0, [] {
      threadIdx.x < 16 ? static_cast<void>(device::shuffle_xor(1, 1))
                       : static_cast<void>(device::ballot(true));
    });
  });
}

/// A copy in the background, waited for or not.
float copied(bool wait) {
  alignas(16) float source[4] = {1, 2, 3, 4};
  float result = 0;
  emulation::run_grid({1, 1, 1}, 1, 16, [&] {
    device::copy_async(device::shared_memory(), source);
    device::copy_async_commit();
    if (wait) {
      device::copy_async_wait<0>();
    }
    result = reinterpret_cast<float*>(device::shared_memory())[2];
  });
  return result;
}

TEST_F(Emulation, MissingWaitShows) {
  EXPECT_EQ(copied(true), 3);
  EXPECT_TRUE(std::isnan(copied(false)));
  emulation::settings().asynchrony = Asynchrony::early;
  EXPECT_EQ(copied(false), 3);
}

TEST_F(Emulation, ProductOfAWarp) {
  // a[m][k] = m + 1 where k = m, b[k][n] = 10 k + n: d[m][n] = (m + 1)(10 m + n) - 1.
  std::vector<float> out(16 * 8);
  emulation::run_grid({1, 1, 1}, 32, 0, [&] {
    const int g = static_cast<int>(threadIdx.x) / 4, t = static_cast<int>(threadIdx.x) % 4;
    const auto a_at = [](int m, int k) { return m == k ? static_cast<float>(m + 1) : 0; };
    const auto b_at = [](int k, int n) { return static_cast<float>(10 * k + n); };
    const auto a_pair = [&](int m, int k) { return device::pack<Half>(a_at(m, k), a_at(m, k + 1)); };
    const auto b_pair = [&](int k, int n) { return device::pack<Half>(b_at(k, n), b_at(k + 1, n)); };
    const std::uint32_t a[4] = {a_pair(g, 2 * t), a_pair(g + 8, 2 * t), a_pair(g, 2 * t + 8),
                                a_pair(g + 8, 2 * t + 8)};
    float d[4] = {-1, -1, -1, -1};
    device::multiply_16x8x16<Half>(d, a, b_pair(2 * t, g), b_pair(2 * t + 8, g));
    for (int i = 0; i < 4; ++i) {
      out[static_cast<std::size_t>((g + 8 * (i / 2)) * 8 + 2 * t + i % 2)] = d[i];
    }
  });
  for (int m = 0; m < 16; ++m) {
    for (int n = 0; n < 8; ++n) {
      EXPECT_EQ(out[static_cast<std::size_t>(m * 8 + n)], static_cast<float>((m + 1) * (10 * m + n) - 1));
    }
  }
}

/// Two boxes by the copy engine, then d = a b^T and a product with the transposed b, by one warpgroup.
void warpgroup_kernel(float* out, float* out_transposed, device::TensorMap a_map, device::TensorMap b_map) {
  unsigned char* shared = device::shared_memory();
  unsigned char *a = shared + 1024, *b = a + 64 * 128;
  auto& barrier = *reinterpret_cast<device::TransferBarrier*>(shared);
  if (threadIdx.x == 0) {
    device::barrier_init(barrier, 1);
    device::barrier_init_fence();
  }
  device::block_barrier();
  if (threadIdx.x == 0) {
    device::barrier_arrive_expecting(barrier, 64 * 128 + 128 * 128);
    device::copy_box(a, a_map, barrier, 0, 0);
    device::copy_box(b, b_map, barrier, 0, 128);
  }
  device::barrier_wait(barrier, 0);
  float d[64], e[32];
  std::uint32_t identity[4] = {};
  const int warp = static_cast<int>(threadIdx.x) / 32, g = static_cast<int>(threadIdx.x) % 32 / 4,
            t = static_cast<int>(threadIdx.x) % 4;
  for (int i = 0; i < 4; ++i) {
    const int row = g + 8 * (i % 2), k = 2 * t + 8 * (i / 2);
    identity[i] = device::pack<Half>(row == k, row == k + 1);
  }
  device::warpgroup_fence();
  for (int k = 0; k < 4; ++k) {
    device::multiply_64x128x16<Half>(d, device::matrix_descriptor(a + 32 * k, 1024),
                                     device::matrix_descriptor(b + 32 * k, 1024), k > 0);
  }
  // Every warp multiplies the identity by rows 16 to 31 of b.
  device::multiply_64x64x16_registers<Half>(e, identity, device::matrix_descriptor(b + 16 * 128, 1024),
                                            false);
  device::warpgroup_commit();
  device::warpgroup_wait<0>();
  for (int i = 0; i < 64; ++i) {
    out[(16 * warp + g + 8 * (i / 2 % 2)) * 128 + i / 4 * 8 + 2 * t + i % 2] = d[i];
  }
  for (int i = 0; i < 32; ++i) {
    out_transposed[(16 * warp + g + 8 * (i / 2 % 2)) * 64 + i / 4 * 8 + 2 * t + i % 2] = e[i];
  }
}

TEST_F(Emulation, ProductOfAWarpgroup) {
  const auto a_values = normal_numbers(64 * 64, 1, 1, ElementType::float16);
  const auto b_values = normal_numbers(256 * 64, 2, 1, ElementType::float16);
  const auto a = upload(a_values, ElementType::float16), b = upload(b_values, ElementType::float16);
  const std::int64_t a_size[] = {64, 64}, b_size[] = {64, 256};
  const int a_box[] = {64, 64}, b_box[] = {64, 128};
  const auto a_map = make_tensor_map(a.data(), ElementType::float16, a_size, a_box);
  const auto b_map = make_tensor_map(b.data(), ElementType::float16, b_size, b_box);
  for (const Asynchrony asynchrony : {Asynchrony::early, Asynchrony::late}) {
    emulation::settings().asynchrony = asynchrony;
    const auto out = poisoned(64 * 128), transposed = poisoned(64 * 64);
    const Stream stream;
    launch(warpgroup_kernel, {1, 1, 1, 128, 1024 + 64 * 128 + 128 * 128}, stream, out.as<float>(),
           transposed.as<float>(), a_map, b_map);
    const auto d = download(out), e = download(transposed);
    for (std::size_t m = 0; m < 64; ++m) {
      for (std::size_t n = 0; n < 128; ++n) {
        double sum = 0;
        for (std::size_t k = 0; k < 64; ++k) {
          sum += static_cast<double>(a_values[m * 64 + k]) * b_values[(128 + n) * 64 + k];
        }
        ASSERT_NEAR(d[m * 128 + n], sum, 1e-4) << m << ' ' << n;
      }
      for (std::size_t n = 0; n < 64; ++n) {
        ASSERT_EQ(e[m * 64 + n], b_values[(128 + 16 + m % 16) * 64 + n]) << m << ' ' << n;
      }
    }
  }
}

/// 2 where the product has read its registers when it was issued, 0 where it read them at the wait.
void overwriting_kernel(float* out) {
  unsigned char* shared = device::shared_memory();
  auto* b = reinterpret_cast<std::uint32_t*>(shared);
  for (unsigned i = threadIdx.x; i < 16 * 32; i += 128) {
    b[i] = device::pack<Half>(1, 1);
  }
  device::block_barrier();
  float d[32];
  std::uint32_t a[4] = {};
  a[0] = threadIdx.x % 4 == 0 ? device::pack<Half>(1, 1) : 0;
  device::warpgroup_fence();
  device::multiply_64x64x16_registers<Half>(d, a, device::matrix_descriptor(shared, 1024), false);
  device::warpgroup_commit();
  a[0] = 0;
  device::warpgroup_wait<0>();
  out[threadIdx.x] = d[0];
}

TEST_F(Emulation, RegistersOfAProductBelongToItUntilTheWait) {
  for (const Asynchrony asynchrony : {Asynchrony::early, Asynchrony::late}) {
    emulation::settings().asynchrony = asynchrony;
    const auto out = poisoned(128);
    const Stream stream;
    launch(overwriting_kernel, {1, 1, 1, 128, 16 * 128}, stream, out.as<float>());
    EXPECT_EQ(download(out)[0], asynchrony == Asynchrony::early ? 2.0F : 0.0F);
  }
}

TEST_F(Emulation, ProductsNeedAFence) {
  expect_error({"without warpgroup_fence"}, [] {
    emulation::run_grid({1, 1, 1}, 128, 64 * 1024, [] {
      float d[64];
      const auto place = device::matrix_descriptor(device::shared_memory(), 1024);
      device::multiply_64x128x16<Half>(d, place, place, false);
    });
  });
}

}  // namespace
}  // namespace mosaic::kernels
