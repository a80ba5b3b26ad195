#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/mapped_file.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

/// More dimensions than any array format writes; a header that claims more is damaged.
constexpr std::size_t max_tensor_dimensions = 64;

/// Bytes of a contiguous array, or nothing if a size is negative, there are too many dimensions or the
/// product overflows.
std::optional<std::size_t> tensor_bytes(TensorType type, std::span<const std::int64_t> shape);

/// Reads a little-endian number; the caller has checked that it lies inside `bytes`.
template <class T>
T load_little(std::span<const std::byte> bytes, std::size_t position) {
  T value;
  std::memcpy(&value, bytes.data() + position, sizeof(T));
  return value;
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Reverses the bytes of each item in place.
void swap_bytes(std::span<std::byte> bytes, std::size_t item_size);

/// The TensorFile that all readers fill: a mapping, decoded buffers and the table of names.
class TensorTable final : public TensorFile {
 public:
  explicit TensorTable(std::shared_ptr<const MappedFile> file) : file_(std::move(file)) {}

  const std::string& path() const override { return file_->path(); }
  const std::map<std::string, TensorView>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string>& metadata() const override { return metadata_; }

  std::span<const std::byte> mapped() const { return file_->bytes(); }
  /// Takes over decoded bytes; the span is valid as long as the table.
  std::span<const std::byte> keep(std::vector<std::byte> buffer);
  /// Errors: corrupt_input if the name is taken.
  void add(const std::string& name, TensorView view);
  void set_metadata(const std::string& key, std::string value) { metadata_[key] = std::move(value); }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::vector<std::vector<std::byte>> buffers_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace mosaic
