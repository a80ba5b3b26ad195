#pragma once

#include <cstdint>
#include <random>
#include <vector>

namespace mosaic::kernels {

/// Normal numbers of a seed, the same everywhere.
template <class T>
std::vector<T> normal_numbers(std::size_t count, unsigned seed, double scale = 1.0) {
  std::mt19937_64 bits(seed);
  std::vector<T> values(count);
  for (T& value : values) {
    double sum = 0;  // of twelve uniform numbers: variance 1, and no library's own distribution
    for (int i = 0; i < 12; ++i) {
      sum += static_cast<double>(bits() >> 11) * 0x1p-53;
    }
    value = static_cast<T>(scale * (sum - 6));
  }
  return values;
}

/// Multiples of 1/2 in [-1, 1]: block means and products of them are exact in float32 for up to 128 tokens
/// and 64 channels, so that every order of summation gives the same scores, ties included.
template <class T>
std::vector<T> exact_numbers(std::size_t count, unsigned seed) {
  std::mt19937_64 bits(seed);
  std::vector<T> values(count);
  for (T& value : values) {
    value = static_cast<T>(static_cast<int>(bits() % 5) - 2) / 2;
  }
  return values;
}

}  // namespace mosaic::kernels
