#include "model/formula_numbers.hpp"

#include <cmath>

namespace mosaic {

FormulaNumbers::FormulaNumbers(std::string_view key) : hash_(0xcbf29ce484222325ULL) {
  for (const char c : key) {
    hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
}

double FormulaNumbers::operator()(std::uint64_t i) const {
  std::uint64_t z = hash_ + (i + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  z ^= z >> 31;
  return static_cast<double>(z >> 11) * 0x1p-52 - 1.0;
}

std::vector<float> formula_values(const std::string& key, std::size_t count) {
  const FormulaNumbers numbers(key);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    values[i] = static_cast<float>(std::sqrt(3.0) * numbers(i));
  }
  return values;
}

std::vector<float> formula_weight(const std::string& key, const std::string& name, std::int64_t rows,
                                  std::int64_t columns) {
  const FormulaNumbers u(key + "/" + name);
  const double scale = std::sqrt(3.0) * (1.0 / std::sqrt(static_cast<double>(columns)));
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(u(i) * scale);
  }
  return values;
}

}  // namespace mosaic
