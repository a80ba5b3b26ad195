#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mosaic {

/// Reproducible pseudo-random numbers of a key: FNV-1a-64 of the key seeds splitmix64, whose i-th output x
/// gives u = (x >> 11) 2^-52 - 1 in [-1, 1).
class FormulaNumbers {
 public:
  explicit FormulaNumbers(std::string_view key);
  double operator()(std::uint64_t i) const;

 private:
  std::uint64_t hash_;
};

/// `count` numbers of the key, scaled to variance 1.
std::vector<float> formula_values(const std::string& key, std::size_t count);

/// Pseudo-random weight matrix `name` of case `key`: float32(u(key/name, i) sqrt(3) / sqrt(columns))
/// row-major, variance 1 / columns. Untrained: for tests, timings and demonstrations. Shape: [rows, columns].
std::vector<float> formula_weight(const std::string& key, const std::string& name, std::int64_t rows,
                                  std::int64_t columns);

}  // namespace mosaic
