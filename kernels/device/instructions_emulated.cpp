// Instructions of the emulated device: matrix fragments, products, copies of boxes.

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "base/error.hpp"
#include "base/short_floats.hpp"
#include "kernels/device/emulation.hpp"

namespace mosaic::kernels::emulation {

float half_value(std::uint16_t bits) {
  static const std::vector<float> values = [] {
    std::vector<float> table(1 << 16);
    for (std::size_t i = 0; i < table.size(); ++i) {
      table[i] = float_from_half(static_cast<std::uint16_t>(i));
    }
    return table;
  }();
  return values[bits];
}

void load_matrices(std::uint32_t* registers, const void* shared_row, Transposed transposed) {
  struct Slot {
    std::uint32_t* registers;
    const unsigned char* row;
    Transposed transposed;
  } slot{registers, static_cast<const unsigned char*>(shared_row), transposed};
  require_aligned(shared_row, 16);
  require(shared_offset(shared_row) + 16 <= shared_memory_bytes(),
          "emulated device: a matrix row ends outside");
  collective("load_matrices", 32, &slot, [](void* const* slots) {
    const auto number = [&](int matrix, int row, int column) {
      std::uint16_t bits;
      std::memcpy(&bits, static_cast<Slot*>(slots[8 * matrix + row])->row + 2 * column, 2);
      return std::uint32_t(bits);
    };
    for (int lane = 0; lane < 32; ++lane) {
      const Slot& mine = *static_cast<Slot*>(slots[lane]);
      const int g = lane / 4, t = lane % 4;
      for (int m = 0; m < 4; ++m) {
        mine.registers[m] = mine.transposed == Transposed::no
                                ? number(m, g, 2 * t) | number(m, g, 2 * t + 1) << 16
                                : number(m, 2 * t, g) | number(m, 2 * t + 1, g) << 16;
      }
    }
  });
}

namespace {

/// The 16 rows of an operand in the registers of a warp.
void unpack_rows(float (&rows)[16][16], const std::uint32_t* a, int lane, Number number) {
  const int g = lane / 4, t = lane % 4;
  for (int i = 0; i < 4; ++i) {
    for (int e = 0; e < 2; ++e) {
      rows[g + 8 * (i % 2)][2 * t + 8 * (i / 2) + e] = number(static_cast<std::uint16_t>(a[i] >> (16 * e)));
    }
  }
}

}  // namespace

void multiply_16x8x16(float* d, const std::uint32_t* a, std::uint32_t b0, std::uint32_t b1, Number number) {
  struct Slot {
    float* d;
    const std::uint32_t* a;
    std::uint32_t b[2];
    Number number;
  } slot{d, a, {b0, b1}, number};
  collective("multiply_16x8x16", 32, &slot, [](void* const* slots) {
    float a[16][16], b[16][8];
    for (int lane = 0; lane < 32; ++lane) {
      const Slot& mine = *static_cast<Slot*>(slots[lane]);
      unpack_rows(a, mine.a, lane, mine.number);
      for (int i = 0; i < 2; ++i) {
        for (int e = 0; e < 2; ++e) {
          b[2 * (lane % 4) + 8 * i + e][lane / 4] =
              mine.number(static_cast<std::uint16_t>(mine.b[i] >> (16 * e)));
        }
      }
    }
    float product[16][8] = {};
    for (int m = 0; m < 16; ++m) {
      for (int k = 0; k < 16; ++k) {
        for (int n = 0; n < 8; ++n) {
          product[m][n] += a[m][k] * b[k][n];
        }
      }
    }
    for (int lane = 0; lane < 32; ++lane) {
      float* mine = static_cast<Slot*>(slots[lane])->d;
      for (int i = 0; i < 4; ++i) {
        mine[i] += product[lane / 4 + 8 * (i / 2)][2 * (lane % 4) + i % 2];
      }
    }
  });
}

namespace {

/// The number at `bytes` from the begin of an operand in the 128-byte swizzle.
float swizzled(std::uint64_t descriptor, std::uint32_t bytes, Number number) {
  const std::uint32_t address = static_cast<std::uint32_t>((descriptor & 0x3fff) << 4) + bytes;
  const std::uint32_t place = address ^ (address >> 7 & 7) << 4;
  require(place + 2 <= shared_memory_bytes(), "emulated device: wgmma reads byte {} of {}", place,
          shared_memory_bytes());
  std::uint16_t bits;
  std::memcpy(&bits, shared_memory() + place, 2);
  return number(bits);
}

std::uint32_t group_bytes(std::uint64_t descriptor) { return (descriptor >> 32 & 0x3fff) << 4; }
std::uint32_t leading_bytes(std::uint64_t descriptor) { return (descriptor >> 16 & 0x3fff) << 4; }

struct QueuedProduct {
  WarpgroupProduct product;
  std::array<float*, 128> d;
  std::array<const std::uint32_t*, 128> a_registers;  // read as late as the hardware may

  void run() const {
    const int columns = product.columns;
    std::vector<float> a(64 * 16), b(16 * static_cast<std::size_t>(columns)),
        out(64 * static_cast<std::size_t>(columns));
    read_a(a);
    for (int k = 0; k < 16; ++k) {
      for (int n = 0; n < columns; ++n) {
        const std::uint32_t bytes = product.b_transposed == Transposed::yes
                                        ? n / 64 * leading_bytes(product.b) + k / 8 * group_bytes(product.b) +
                                              k % 8 * 128 + n % 64 * 2
                                        : n / 8 * group_bytes(product.b) + n % 8 * 128 + k * 2;
        b[static_cast<std::size_t>(k * columns + n)] = swizzled(product.b, bytes, product.number);
      }
    }
    for (int m = 0; m < 64; ++m) {
      for (int k = 0; k < 16; ++k) {
        const float factor = a[static_cast<std::size_t>(m * 16 + k)];
        float* row = &out[static_cast<std::size_t>(m * columns)];
        const float* b_row = &b[static_cast<std::size_t>(k * columns)];
        for (int n = 0; n < columns; ++n) {
          row[n] += factor * b_row[n];
        }
      }
    }
    write(out);
  }

 private:
  void read_a(std::vector<float>& a) const {
    if (product.a_registers != nullptr) {
      for (int thread = 0; thread < 128; ++thread) {
        float rows[16][16];
        const int g = thread % 32 / 4, t = thread % 4;
        unpack_rows(rows, a_registers[static_cast<std::size_t>(thread)], thread % 32, product.number);
        for (int i = 0; i < 8; ++i) {
          const int row = g + 8 * (i % 2), column = 2 * t + 8 * (i / 4) + i / 2 % 2;
          a[static_cast<std::size_t>((thread / 32 * 16 + row) * 16 + column)] = rows[row][column];
        }
      }
      return;
    }
    for (int m = 0; m < 64; ++m) {
      for (int k = 0; k < 16; ++k) {
        const std::uint32_t bytes = m / 8 * group_bytes(product.a) + m % 8 * 128 + k * 2;
        a[static_cast<std::size_t>(m * 16 + k)] = swizzled(product.a, bytes, product.number);
      }
    }
  }

  void write(const std::vector<float>& out) const {
    for (int thread = 0; thread < 128; ++thread) {
      const int row = thread / 32 * 16 + thread % 32 / 4, t = thread % 4;
      float* mine = d[static_cast<std::size_t>(thread)];
      for (int i = 0; i < product.columns / 2; ++i) {
        const int column = i / 4 * 8 + 2 * t + i % 2;
        const float sum = out[static_cast<std::size_t>((row + 8 * (i / 2 % 2)) * product.columns + column)];
        mine[i] = product.accumulate ? mine[i] + sum : sum;
      }
    }
  }
};

}  // namespace

void multiply_warpgroup(const WarpgroupProduct& product) {
  collective("a product of a warpgroup", 128, const_cast<WarpgroupProduct*>(&product),
             [](void* const* slots) {
               require_fence();
               auto queued = std::make_shared<QueuedProduct>();
               queued->product = *static_cast<WarpgroupProduct*>(slots[0]);
               for (std::size_t thread = 0; thread < 128; ++thread) {
                 const auto& mine = *static_cast<WarpgroupProduct*>(slots[thread]);
                 require(mine.a == queued->product.a && mine.b == queued->product.b &&
                             mine.accumulate == queued->product.accumulate,
                         "emulated device: the threads of a warpgroup disagree about a product");
                 queued->d[thread] = mine.d;
                 queued->a_registers[thread] = mine.a_registers;
               }
               enqueue(QueueKind::warpgroup, [queued] { queued->run(); });
             });
}

namespace {

void complete(BarrierState& barrier) {
  if (barrier.pending == 0 && barrier.bytes == 0) {
    barrier.phase ^= 1;
    barrier.pending = barrier.expected;
  }
}

}  // namespace

void arrive(BarrierState& barrier, int announced_bytes) {
  require(barrier.pending > 0, "emulated device: more arrivals at a barrier than it was made for");
  barrier.bytes += announced_bytes;
  --barrier.pending;
  complete(barrier);
}

void copy_box(void* shared, const Box& box, BarrierState& barrier, const std::array<int, 4>& place) {
  int bytes = 2;
  for (int i = 0; i < box.dimensions; ++i) {
    bytes *= box.box[static_cast<std::size_t>(i)];
  }
  require_aligned(shared, 1024);
  require(shared_offset(shared) + static_cast<std::size_t>(bytes) <= shared_memory_bytes(),
          "emulated device: a box of {} bytes ends outside of shared memory", bytes);
  enqueue_engine([shared, box, &barrier, place, bytes] {
    for (int i = 0; i < bytes / 2; ++i) {
      std::int64_t offset = 0, stride = 1;
      bool inside = true;
      for (int d = 0, rest = i; d < box.dimensions; ++d) {
        const auto at = static_cast<std::size_t>(d);
        const std::int64_t index = place[at] + rest % box.box[at];
        rest /= box.box[at];
        inside = inside && index >= 0 && index < box.extents[at];
        offset += index * stride;
        stride *= box.extents[at];
      }
      std::uint16_t bits = 0;
      if (inside) {
        std::memcpy(&bits, box.array + 2 * offset, 2);
      }
      const std::uint32_t target = shared_offset(shared) + 2 * static_cast<std::uint32_t>(i);
      std::memcpy(shared_memory() + (target ^ (target >> 7 & 7) << 4), &bits, 2);
    }
    barrier.bytes -= bytes;
    complete(barrier);
  });
}

void require_aligned(const void* address, std::size_t bytes) {
  require(reinterpret_cast<std::uintptr_t>(address) % bytes == 0,
          "emulated device: an address is not a multiple of {}", bytes);
}

}  // namespace mosaic::kernels::emulation
