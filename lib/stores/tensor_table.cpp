#include "stores/tensor_table.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/error.hpp"

namespace mosaic {

static_assert(std::endian::native == std::endian::little, "tensor bytes are used in place as little endian");

std::optional<std::size_t> tensor_bytes(TensorType type, std::span<const std::int64_t> shape) {
  if (shape.size() > max_tensor_dimensions) {
    return std::nullopt;
  }
  // The product of the sizes that are not 0 must fit, too: readers step through the dimensions one by one.
  std::size_t product = item_size(type);
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty = empty || size == 0;
    if (size < 0 || (size > 0 && __builtin_mul_overflow(product, static_cast<std::size_t>(size), &product))) {
      return std::nullopt;
    }
  }
  return empty ? 0 : product;
}

void swap_bytes(std::span<std::byte> bytes, std::size_t item_size) {
  for (std::size_t start = 0; start + item_size <= bytes.size(); start += item_size) {
    std::ranges::reverse(bytes.subspan(start, item_size));
  }
}

std::span<const std::byte> TensorTable::keep(std::vector<std::byte> buffer) {
  buffers_.push_back(std::move(buffer));
  return buffers_.back();
}

void TensorTable::add(const std::string& name, TensorView view) {
  const bool added = tensors_.emplace(name, std::move(view)).second;
  require(added, ExitCode::corrupt_input, "{}: entry {}: the name occurs twice", path(), name);
}

}  // namespace mosaic
