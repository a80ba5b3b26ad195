#include "kernels/element_type.hpp"

namespace mosaic::kernels {

std::string to_string(ElementType type) {
  return type == ElementType::float32 ? "float32" : type == ElementType::float16 ? "float16" : "bfloat16";
}

std::size_t size_of(ElementType type) { return type == ElementType::float32 ? 4 : 2; }

}  // namespace mosaic::kernels
