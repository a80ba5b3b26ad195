#include "kernels/window_statistics/sliding_quantiles.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/instruction_sets.hpp"

namespace mosaic::kernels {
namespace {

/// Ranks in a block: about the square root of the longest records (30 years x 366 days), so that finding a
/// block and finding a rank in it cost the same.
constexpr std::size_t block_size = 64;
constexpr std::uint32_t sign_bit = 0x80000000U;

/// Bits that order as the floats do.
std::uint32_t ordered_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value + 0.0F);  // -0 is 0
  return (bits & sign_bit) != 0 ? ~bits : bits | sign_bit;
}

float from_ordered_bits(std::uint32_t bits) {
  return std::bit_cast<float>((bits & sign_bit) != 0 ? bits & ~sign_bit : ~bits);
}

/// By the upper 32 bits; what is equal there keeps its order.
void radix_sort(std::vector<std::uint64_t>& keys, std::vector<std::uint64_t>& scratch) {
  constexpr int digit_bits = 11;
  constexpr std::size_t digits = std::size_t{1} << digit_bits;
  scratch.resize(keys.size());
  for (int shift = 32; shift < 64; shift += digit_bits) {
    std::array<std::size_t, digits + 1> starts{};
    const auto digit = [&](std::uint64_t key) { return (key >> shift) & (digits - 1); };
    for (const std::uint64_t key : keys) {
      ++starts[digit(key) + 1];
    }
    for (std::size_t d = 0; d < digits; ++d) {
      starts[d + 1] += starts[d];
    }
    for (const std::uint64_t key : keys) {
      scratch[starts[digit(key)]++] = key;
    }
    keys.swap(scratch);
  }
}

MOSAIC_EACH_INSTRUCTION_SET
void add_slopes(std::int64_t* weight, const std::int32_t* slope, std::size_t count) {
  for (std::size_t b = 0; b < count; ++b) {
    weight[b] += slope[b];
  }
}

}  // namespace

SlidingQuantiles::SlidingQuantiles(std::size_t days, std::size_t window)
    : days_(days), half_(std::max<std::size_t>(window / 2, 1)), blocks_of_day_(days) {
  for (std::size_t ahead = 0; ahead < 2 * days_; ++ahead) {
    const std::size_t apart = ahead % days_;
    const std::size_t distance = std::min(apart, days_ - apart);
    weight_ahead_.push_back(static_cast<std::int32_t>(half_ - std::min(half_, distance)));
  }
}

void SlidingQuantiles::sort(std::span<const float> record) {
  keys_.clear();
  for (std::size_t k = 0; k < record.size(); ++k) {
    if (!std::isnan(record[k])) {
      keys_.push_back(std::uint64_t{ordered_bits(record[k])} << 32 | k);
    }
  }
  radix_sort(keys_, scratch_);
  values_.resize(keys_.size());
  day_of_rank_.resize(keys_.size());
  for (auto& blocks : blocks_of_day_) {
    blocks.clear();
  }
  for (std::size_t r = 0; r < keys_.size(); ++r) {
    const std::size_t day = (keys_[r] & 0xFFFFFFFFU) % days_;
    values_[r] = from_ordered_bits(static_cast<std::uint32_t>(keys_[r] >> 32));
    day_of_rank_[r] = static_cast<std::uint16_t>(day);
    blocks_of_day_[day].push_back(static_cast<std::uint32_t>(r / block_size));
  }
}

void SlidingQuantiles::add_slope(std::size_t day, std::int32_t change) {
  for (const std::uint32_t block : blocks_of_day_[day % days_]) {
    slope_[block] += change;
  }
}

void SlidingQuantiles::start(std::span<const float> record) {
  sort(record);
  day_ = 0;
  weight_.assign((values_.size() + block_size - 1) / block_size, 0);
  slope_.assign(weight_.size(), 0);
  for (std::size_t r = 0; r < values_.size(); ++r) {
    weight_[r / block_size] += weight_of(day_of_rank_[r]);
  }
  for (std::size_t t = 0; t < half_; ++t) {
    add_slope(t + 1, 1);           // the window comes nearer to the days ahead
    add_slope(2 * days_ - t, -1);  // and leaves its own and those behind
  }
  sum_weights();
}

void SlidingQuantiles::advance() {
  add_slopes(weight_.data(), slope_.data(), weight_.size());
  ++day_;
  add_slope(day_ + half_, 1);
  add_slope(day_, -2);
  add_slope(day_ + 2 * days_ - half_, 1);
  day_ %= days_;
  sum_weights();
}

void SlidingQuantiles::sum_weights() {
  total_ = squares_ = 0.0;
  for (std::size_t k = 0; k + 1 < 2 * half_; ++k) {
    const std::size_t day = (day_ + days_ + k + 1 - half_) % days_;
    const auto weight = static_cast<double>(weight_of(day));
    const auto samples = static_cast<double>(blocks_of_day_[day].size());
    total_ += weight * samples;
    squares_ += weight * weight * samples;
  }
}

double SlidingQuantiles::quantile(double probability) const {
  if (total_ <= 0.0) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const double n = total_ * total_ / squares_;
  const double h = (n - 1.0) * probability + 1.0;
  const double lowest = (h - 1.0) / n;
  const double highest = h / n;
  std::int64_t sum = 0;
  std::size_t block = 0;
  while (block + 1 < weight_.size() && static_cast<double>(sum + weight_[block]) / total_ <= lowest) {
    sum += weight_[block++];
  }
  double first = 0.0;  // of those that count; differences to it keep equal values exact
  bool found = false;
  double result = 0.0;
  double before = lowest;
  for (std::size_t r = block * block_size; r < values_.size() && before < highest; ++r) {
    const std::int64_t weight = weight_of(day_of_rank_[r]);
    sum += weight;
    const double now = std::clamp(static_cast<double>(sum) / total_, lowest, highest);
    if (weight == 0 || now <= before) {
      continue;
    }
    if (!found) {
      first = values_[r];
      found = true;
    }
    result += (values_[r] - first) * ((now - before) * n);
    before = now;
  }
  return first + result;
}

}  // namespace mosaic::kernels
