#include "base/short_floats.hpp"

#include <bit>
#include <cmath>
#include <limits>

namespace mosaic {
namespace {

constexpr int fraction_bits = 10;
constexpr int smallest_exponent = -14;  ///< of normal numbers
constexpr std::uint16_t infinity_bits = 0x7c00;

}  // namespace

float float_from_half(std::uint16_t half) {
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  const int exponent = (half >> fraction_bits) & 0x1f;
  const int fraction = half & 0x3ff;
  if (exponent == 0x1f) {
    return fraction == 0 ? sign * std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  }
  const bool normal = exponent != 0;
  const int integer = normal ? fraction + (1 << fraction_bits) : fraction;
  const int power = (normal ? exponent - 1 : 0) + smallest_exponent - fraction_bits;
  return sign * std::ldexp(static_cast<float>(integer), power);
}

std::uint16_t half_from_float(float value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value)) {
    return sign | 0x7e00;
  }
  if (std::isinf(value)) {
    return sign | infinity_bits;
  }
  if (value == 0.0F) {
    return sign;
  }
  int exponent = std::ilogb(value);
  exponent = exponent < smallest_exponent ? smallest_exponent : exponent;
  // The significand as an integer; rounding up to the next power of two carries into the exponent by itself.
  const auto integer =
      static_cast<std::uint32_t>(std::nearbyint(std::ldexp(std::fabs(value), fraction_bits - exponent)));
  const std::uint32_t bits =
      integer + (static_cast<std::uint32_t>(exponent - smallest_exponent) << fraction_bits);
  return sign | static_cast<std::uint16_t>(bits < infinity_bits ? bits : infinity_bits);
}

float float_from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t bfloat16_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) {
    return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  }
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

}  // namespace mosaic
