#include "stores/tensor_file.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/error.hpp"
#include "base/short_floats.hpp"
#include "stores/npz.hpp"
#include "stores/pt.hpp"
#include "stores/safetensors.hpp"
#include "stores/tensor_table.hpp"
#include "stores/zip_archive.hpp"

namespace mosaic {

namespace {

template <class Stored, class Out, class Convert>
std::vector<Out> convert_items(std::span<const std::byte> bytes, Convert convert) {
  std::vector<Out> values(bytes.size() / sizeof(Stored));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<Out>(convert(load_little<Stored>(bytes, i * sizeof(Stored))));
  }
  return values;
}

template <class Stored, class Out>
std::vector<Out> cast_items(std::span<const std::byte> bytes) {
  return convert_items<Stored, Out>(bytes, [](Stored value) { return value; });
}

template <class Out>
std::vector<Out> integer_items(TensorType type, std::span<const std::byte> bytes) {
  switch (type) {
    case TensorType::int8:
      return cast_items<std::int8_t, Out>(bytes);
    case TensorType::uint8:
      return cast_items<std::uint8_t, Out>(bytes);
    case TensorType::int16:
      return cast_items<std::int16_t, Out>(bytes);
    case TensorType::int32:
      return cast_items<std::int32_t, Out>(bytes);
    case TensorType::int64:
      return cast_items<std::int64_t, Out>(bytes);
    case TensorType::boolean:
      return convert_items<std::uint8_t, Out>(bytes, [](std::uint8_t value) { return value != 0; });
    default:
      fail(ExitCode::corrupt_input, "a {} tensor where integers are expected", to_string(type));
  }
}

template <class Out>
std::vector<Out> real_items(TensorType type, std::span<const std::byte> bytes) {
  switch (type) {
    case TensorType::float16:
      return convert_items<std::uint16_t, Out>(bytes, float_from_half);
    case TensorType::bfloat16:
      return convert_items<std::uint16_t, Out>(bytes, float_from_bfloat16);
    case TensorType::float32:
      return cast_items<float, Out>(bytes);
    case TensorType::float64:
      return cast_items<double, Out>(bytes);
    default:
      return integer_items<Out>(type, bytes);
  }
}

}  // namespace

std::size_t item_size(TensorType type) {
  switch (type) {
    case TensorType::int8:
    case TensorType::uint8:
    case TensorType::boolean:
      return 1;
    case TensorType::float16:
    case TensorType::bfloat16:
    case TensorType::int16:
      return 2;
    case TensorType::float32:
    case TensorType::int32:
      return 4;
    case TensorType::float64:
    case TensorType::int64:
      return 8;
  }
  fail(ExitCode::internal, "unknown tensor type {}", static_cast<int>(type));
}

std::string to_string(TensorType type) {
  constexpr const char* names[] = {"float16", "bfloat16", "float32", "float64", "int8",
                                   "uint8",   "int16",    "int32",   "int64",   "boolean"};
  return names[static_cast<int>(type)];
}

std::size_t TensorView::elements() const { return bytes.size() / item_size(type); }
std::vector<float> TensorView::to_float() const { return real_items<float>(type, bytes); }
std::vector<double> TensorView::to_double() const { return real_items<double>(type, bytes); }
std::vector<std::int64_t> TensorView::to_int64() const { return integer_items<std::int64_t>(type, bytes); }

const TensorView& TensorFile::at(const std::string& name) const {
  const auto found = tensors().find(name);
  if (found != tensors().end()) {
    return found->second;
  }
  const auto note = metadata().find(name);
  require(note == metadata().end(), ExitCode::corrupt_input, "{}: entry {} is {}, but a tensor is expected",
          path(), name, note->second);
  fail(ExitCode::corrupt_input, "{}: has no tensor {} (it has {} tensors; see mosaic_data inspect)", path(),
       name, tensors().size());
}

std::unique_ptr<TensorFile> open_tensor_file(const std::string& path) {
  auto file = std::make_shared<const MappedFile>(path);
  const std::string_view start = as_text(file->bytes()).substr(0, 9);
  if (start.starts_with("PK\x03\x04") || start.starts_with("PK\x05\x06")) {
    const ZipArchive archive(file);
    return is_torch_archive(archive) ? read_pt(file, archive) : read_npz(file, archive);
  }
  if (start.starts_with("\x93NUMPY")) {
    return read_npy(file);
  }
  require(start.size() == 9 && start[8] == '{', ExitCode::corrupt_input,
          "{}: is neither safetensors, a torch.save zip, .npz nor .npy ({} bytes). Files of torch.save "
          "before 1.6 "
          "must be saved again with a newer torch",
          path, file->bytes().size());
  return read_safetensors(file);
}

}  // namespace mosaic
