#pragma once

// Runs of eight numbers, the unit in which memory-bound kernels read and write: accesses of 16 bytes,
// arithmetic in float32. Included by *.cu files only.

#include "kernels/device/device_code.hpp"

namespace mosaic::kernels::device {

/// Eight neighbouring numbers as they lie in memory. Loads of several are in flight until the first is used.
template <class T>
struct Eight {
  Words4 part[sizeof(T) / 2];
};

/// `source` is aligned to 16 bytes.
template <class T>
__device__ __forceinline__ Eight<T> load_eight(const T* source) {
  Eight<T> raw;
#pragma unroll
  for (int p = 0; p < int(sizeof(T) / 2); ++p) {
    raw.part[p] = load_words(source + p * (16 / sizeof(T)));
  }
  return raw;
}

template <class T>
__device__ __forceinline__ void to_floats(const Eight<T>& raw, float (&x)[8]) {
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      x[i] = float_of(raw.part[i / 4].word[i % 4]);
    }
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float2 pair = unpack<T>(raw.part[0].word[i]);
      x[2 * i] = pair.x;
      x[2 * i + 1] = pair.y;
    }
  }
}

/// One rounding each.
template <class T>
__device__ __forceinline__ Eight<T> from_floats(const float (&x)[8]) {
  Eight<T> raw;
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      raw.part[i / 4].word[i % 4] = bits_of(x[i]);
    }
  } else {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      raw.part[0].word[i] = pack<T>(x[2 * i], x[2 * i + 1]);
    }
  }
  return raw;
}

template <class T>
__device__ __forceinline__ void store_eight(T* target, const Eight<T>& raw) {
#pragma unroll
  for (int p = 0; p < int(sizeof(T) / 2); ++p) {
    store_words(target + p * (16 / sizeof(T)), raw.part[p]);
  }
}

/// Calls `call` with a value of the type that `type` names.
template <class Call>
void with_element_type(ElementType type, const Call& call) {
  switch (type) {
    case ElementType::float32:
      call(float{});
      break;
    case ElementType::float16:
      call(Half{});
      break;
    case ElementType::bfloat16:
      call(Bfloat16{});
      break;
  }
}

}  // namespace mosaic::kernels::device
