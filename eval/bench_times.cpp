#include "eval/bench_times.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <random>

#include "base/machine.hpp"
#include "base/parallel_for.hpp"

namespace mosaic::eval {

BenchTimes best_times(int repeats, const std::function<void()>& body) {
  BenchTimes best;
  for (int i = 0; i < repeats; ++i) {
    const double processor = processor_seconds();
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    best.elapsed = std::min(best.elapsed, elapsed.count());
    best.processor = std::min(best.processor, processor_seconds() - processor);
  }
  return best;
}

double best_time(int repeats, const std::function<void()>& body) { return best_times(repeats, body).elapsed; }

double copy_rate(int threads, int repeats) {
  const auto pieces = static_cast<std::size_t>(threads);
  const std::size_t piece = (std::size_t{128} << 20) / pieces;
  std::vector<char> from(piece * pieces, 1), to(piece * pieces, 0);
  const double seconds = best_time(repeats + 1, [&] {  // the first one may meet new pages
    parallel_for(pieces, threads,
                 [&](std::size_t i) { std::memcpy(to.data() + i * piece, from.data() + i * piece, piece); });
  });
  return 2.0 * static_cast<double>(from.size()) / seconds;
}

std::vector<float> random_field(std::size_t points, unsigned seed) {
  std::mt19937 bits(seed);
  std::vector<float> field(points);
  for (float& value : field) {
    value = static_cast<float>(bits() >> 8) * 0x1p-20F - 8.0F;
  }
  return field;
}

}  // namespace mosaic::eval
