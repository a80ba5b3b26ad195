#include "stores/zarr.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <type_traits>

#include "base/error.hpp"
#include "base/short_floats.hpp"
#include "stores/zarr_chunks.hpp"
#include "stores/zarr_metadata.hpp"
#include "stores/zarr_text.hpp"

namespace mosaic {
namespace {

/// Calls visit with a zero of the C++ type of the items; halves are visited as std::uint16_t of kind
/// floating.
template <class Visit>
void visit_items(const ZarrType& type, Visit&& visit) {
  const bool is_signed = type.kind == ZarrKind::signed_integer;
  switch (type.item_size) {
    case 1:
      return is_signed ? visit(std::int8_t{}) : visit(std::uint8_t{});
    case 2:
      return is_signed ? visit(std::int16_t{}) : visit(std::uint16_t{});
    case 4:
      return type.kind == ZarrKind::floating ? visit(float{})
             : is_signed                     ? visit(std::int32_t{})
                                             : visit(std::uint32_t{});
    default:
      return type.kind == ZarrKind::floating ? visit(double{})
             : is_signed                     ? visit(std::int64_t{})
                                             : visit(std::uint64_t{});
  }
}

template <class Item>
Item item_at(const std::vector<std::byte>& bytes, std::size_t i) {
  Item item;
  std::memcpy(&item, bytes.data() + i * sizeof(Item), sizeof(Item));
  return item;
}

}  // namespace

std::string ZarrArray::attribute(const std::string& key) const {
  const auto found = text_attributes.find(key);
  return found == text_attributes.end() ? "" : found->second;
}

ZarrStore::ZarrStore(std::string path, std::optional<ChecksumManifest> checksums)
    : path_(std::move(path)), checksums_(std::move(checksums)) {
  if (checksums_) {
    for (const std::string& file : zarr_metadata_files(path_)) {
      checksums_->check_file(file, path_ + "/" + file);
    }
  }
  for (const auto& [name, texts] : load_zarr_texts(path_)) {
    metadata_text_ += name + "\n" + texts.array + "\n" + texts.attributes + "\n";
    try {
      arrays_.emplace(name, parse_zarr_array(path_, name, texts));
    } catch (const Error& error) {
      refused_.emplace(name, error.what());
    }
  }
}

std::vector<std::string> ZarrStore::names() const {
  std::vector<std::string> result;
  for (const auto& [name, array] : arrays_) {
    result.push_back(name);
  }
  for (const auto& [name, reason] : refused_) {
    result.push_back(name);
  }
  std::sort(result.begin(), result.end());
  return result;
}

const ZarrArray& ZarrStore::array(const std::string& name) const {
  if (const auto refused = refused_.find(name); refused != refused_.end()) {
    throw Error(ExitCode::corrupt_input, refused->second);
  }
  const auto found = arrays_.find(name);
  require(found != arrays_.end(), ExitCode::missing_input, "{}: no array {}; there are: {}", path_, name,
          fmt::join(names(), ", "));
  return found->second;
}

std::vector<std::byte> ZarrStore::read_bytes(const std::string& name, const ZarrBox& box, int threads) const {
  const ZarrArray& source = array(name);
  require(source.type.kind != ZarrKind::variable_text, "{}: array {} has no items of fixed size", path_,
          name);
  check_box(path_, source, box);
  return read_box(path_, source, box, threads, checksums());
}

template <class Value>
std::vector<Value> ZarrStore::read_values(const std::string& name, const ZarrBox& box, int threads) const {
  const ZarrArray& source = array(name);
  require(!is_text(source.type.kind), ExitCode::corrupt_input, "{}: array {} holds text, not numbers", path_,
          name);
  const std::vector<std::byte> bytes = read_bytes(name, box, threads);
  std::vector<Value> values(box.elements());
  const bool packed = source.scale_factor || source.add_offset;
  const double scale = source.scale_factor.value_or(1.0);
  const double offset = source.add_offset.value_or(0.0);
  const bool half = source.type.kind == ZarrKind::floating && source.type.item_size == sizeof(std::uint16_t);
  visit_items(source.type, [&](auto type) {
    using Item = decltype(type);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto item = item_at<Item>(bytes, i);
      Value value = static_cast<Value>(item);
      if constexpr (std::is_same_v<Item, std::uint16_t>) {
        value = half ? static_cast<Value>(float_from_half(item)) : value;
      }
      const bool missing = std::any_of(source.missing_values.begin(), source.missing_values.end(),
                                       [&](double marker) { return value == static_cast<Value>(marker); });
      if (missing) {
        values[i] = std::numeric_limits<Value>::quiet_NaN();
      } else {
        values[i] = packed ? static_cast<Value>(static_cast<double>(value) * scale + offset) : value;
      }
    }
  });
  return values;
}

std::vector<float> ZarrStore::read_float(const std::string& name, const ZarrBox& box, int threads) const {
  return read_values<float>(name, box, threads);
}

std::vector<double> ZarrStore::read_double(const std::string& name, const ZarrBox& box, int threads) const {
  return read_values<double>(name, box, threads);
}

std::vector<std::int64_t> ZarrStore::read_int64(const std::string& name) const {
  const ZarrArray& source = array(name);
  const bool packed = source.scale_factor || source.add_offset;
  require(!is_text(source.type.kind) && source.type.kind != ZarrKind::floating && !packed,
          ExitCode::corrupt_input, "{}: array {} does not hold integers", path_, name);
  const ZarrBox box = ZarrBox::all(source);
  const std::vector<std::byte> bytes = read_bytes(name, box, 1);
  std::vector<std::int64_t> values(box.elements());
  visit_items(source.type, [&](auto type) {
    using Item = decltype(type);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto item = item_at<Item>(bytes, i);
      if constexpr (std::is_same_v<Item, std::uint64_t>) {
        require(item <= INT64_MAX, ExitCode::corrupt_input, "{}: array {}: {} is too large", path_, name,
                item);
      }
      values[i] = static_cast<std::int64_t>(item);
    }
  });
  return values;
}

std::vector<std::string> ZarrStore::read_strings(const std::string& name) const {
  const ZarrArray& source = array(name);
  const std::string where = path_ + ": array " + name;
  require(is_text(source.type.kind), ExitCode::corrupt_input, "{} does not hold text", where);
  const ZarrBox box = ZarrBox::all(source);
  require(box.elements() <= largest_text_chunk, ExitCode::corrupt_input, "{}: {} texts are too many", where,
          box.elements());
  if (source.type.kind == ZarrKind::variable_text) {
    return read_variable_text(path_, source, checksums());
  }
  return texts_of_items(source.type, read_bytes(name, box, 1), box.elements(), where);
}

std::vector<std::string> ZarrStore::absent_chunks(const std::string& name, const ZarrBox& box,
                                                  std::size_t most) const {
  const ZarrArray& source = array(name);
  check_box(path_, source, box);
  std::vector<std::string> result;
  const ZarrChunks chunks(source, box);
  for (std::size_t i = 0; i < chunks.size() && result.size() < most; ++i) {
    const std::string file = chunk_file(source, chunks[i]);
    if (!std::filesystem::exists(path_ + "/" + file)) {
      result.push_back(file);
    }
  }
  return result;
}

}  // namespace mosaic
