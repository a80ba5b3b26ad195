#pragma once

#include <cstddef>
#include <string>

namespace mosaic::kernels {

/// What the numbers of an array are stored as.
enum class ElementType { float32, float16, bfloat16 };

std::string to_string(ElementType type);

/// Bytes of one number.
std::size_t size_of(ElementType type);

}  // namespace mosaic::kernels
