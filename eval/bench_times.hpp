#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

namespace mosaic::eval {

// What the benches of this folder measure with.

struct BenchTimes {
  double elapsed = INFINITY;
  double processor = INFINITY;  ///< of all threads together, in which other programs do not count
};

/// Seconds of the fastest of `repeats` calls.
BenchTimes best_times(int repeats, const std::function<void()>& body);
double best_time(int repeats, const std::function<void()>& body);

/// Bytes read and written per second: copies of 128 MiB, a piece per thread.
double copy_rate(int threads, int repeats);

/// Pseudo-random numbers between -8 and 8.
std::vector<float> random_field(std::size_t points, unsigned seed);

}  // namespace mosaic::eval
