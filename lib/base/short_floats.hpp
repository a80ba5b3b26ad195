#pragma once

#include <cstdint>

namespace mosaic {

/// IEEE 754 binary16 bits to float, exactly (subnormals, infinities and NaN included).
float float_from_half(std::uint16_t half);

/// float to the nearest binary16, ties to even; too large becomes infinity.
std::uint16_t half_from_float(float value);

/// bfloat16 (the upper half of a float) to float, exactly.
float float_from_bfloat16(std::uint16_t bits);

/// float to the nearest bfloat16, ties to even; too large becomes infinity.
std::uint16_t bfloat16_from_float(float value);

}  // namespace mosaic
