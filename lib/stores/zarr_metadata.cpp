#include "stores/zarr_metadata.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/short_floats.hpp"

namespace mosaic {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Largest dimension length and rank that are believed.
constexpr std::uint64_t longest_dimension = std::uint64_t{1} << 40;
constexpr std::size_t highest_rank = 32;

json parse_json(const std::string& text, const std::string& where) {
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  const bool whole = text.find('\0') == std::string::npos;  // which the parser takes for the end
  require(whole && parsed.is_object(), ExitCode::corrupt_input, "{}: not a JSON object; the store is damaged",
          where);
  return parsed;
}

/// One array's metadata with the words that every message starts with.
struct Metadata {
  std::string where;
  json array;
  json attributes;

  template <class... Args>
  void check(bool ok, LocatedFormat<std::type_identity_t<Args>...> text, Args&&... args) const {
    if (!ok) {
      throw Error(ExitCode::corrupt_input, where + ": " + fmt::format(text.text, std::forward<Args>(args)...),
                  text.where);
    }
  }
  const json& at(const char* key) const {
    const auto found = array.find(key);
    check(found != array.end(), "the key {} is absent from .zarray", key);
    return *found;
  }
};

std::vector<std::size_t> parse_lengths(const Metadata& metadata, const char* key, std::uint64_t smallest) {
  const json& list = metadata.at(key);
  metadata.check(list.is_array() && list.size() <= highest_rank, "{} is no list of at most {} lengths", key,
                 highest_rank);
  std::vector<std::size_t> lengths;
  for (const json& item : list) {
    const bool ok = item.is_number_unsigned() && item.get<std::uint64_t>() >= smallest &&
                    item.get<std::uint64_t>() <= longest_dimension;
    metadata.check(ok, "{} holds {}, lengths are {} ... {}", key, item.dump(), smallest, longest_dimension);
    lengths.push_back(item.get<std::size_t>());
  }
  return lengths;
}

ZarrKind parse_kind(const Metadata& metadata, char letter, std::size_t size, const std::string& text) {
  const bool power = std::has_single_bit(size) && size <= 8;
  switch (letter) {
    case 'b':
      metadata.check(size == 1, "dtype {} is not known", text);
      return ZarrKind::boolean;
    case 'i':
      metadata.check(power, "dtype {} is not known", text);
      return ZarrKind::signed_integer;
    case 'u':
      metadata.check(power, "dtype {} is not known", text);
      return ZarrKind::unsigned_integer;
    case 'f':
      metadata.check(power && size > 1, "dtype {} is not known", text);
      return ZarrKind::floating;
    case 'S':
      return ZarrKind::bytes;
    case 'U':
      return ZarrKind::unicode;
    default:
      metadata.check(false, "dtype {} is not read; convert the array to a number or text", text);
      return ZarrKind::bytes;
  }
}

ZarrType parse_type(const Metadata& metadata) {
  const json& value = metadata.at("dtype");
  metadata.check(value.is_string(), "dtype {} is not a plain type; structured types are not read",
                 value.dump());
  const auto text = value.get<std::string>();
  if (text == "|O") {
    return {ZarrKind::variable_text, 0, false};
  }
  constexpr std::size_t longest_text = 1 << 16;
  std::size_t number = 0;
  const bool order = text.size() >= 3 && std::string_view("<>|").find(text[0]) != std::string_view::npos;
  const char* end = text.data() + text.size();
  metadata.check(order && std::from_chars(text.data() + 2, end, number).ptr == end && number > 0 &&
                     number <= longest_text,
                 "dtype {} is not known", text);
  const ZarrKind kind = parse_kind(metadata, text[1], number, text);
  constexpr std::size_t code_point = 4;
  return {kind, kind == ZarrKind::unicode ? number * code_point : number, text[0] == '>'};
}

ChunkCodec parse_codec(const Metadata& metadata) {
  const json& compressor = metadata.at("compressor");
  if (compressor.is_null()) {
    return ChunkCodec::none;
  }
  const std::string id = compressor.is_object() ? compressor.value("id", json("?")).dump() : "?";
  static const std::map<std::string, ChunkCodec> known{{"\"zlib\"", ChunkCodec::zlib},
                                                       {"\"gzip\"", ChunkCodec::gzip},
                                                       {"\"zstd\"", ChunkCodec::zstd},
                                                       {"\"lz4\"", ChunkCodec::lz4},
                                                       {"\"blosc\"", ChunkCodec::blosc}};
  const auto found = known.find(id);
  metadata.check(found != known.end(),
                 "compressor {} is not read; known are zlib, gzip, zstd, lz4, blosc and null", id);
  return found->second;
}

void check_filters(const Metadata& metadata, const ZarrType& type) {
  const auto filters = metadata.array.find("filters");
  const bool none = filters == metadata.array.end() || filters->is_null() || filters->empty();
  if (type.kind == ZarrKind::variable_text) {
    metadata.check(!none && filters->is_array() && filters->size() == 1 && filters->front().is_object() &&
                       filters->front().value("id", json()) == "vlen-utf8",
                   "dtype |O is read with the filter vlen-utf8 only");
  } else {
    metadata.check(none, "filters {} are not read; store the array without filters",
                   none ? "" : filters->dump());
  }
}

double parse_fill_number(const Metadata& metadata, const json& fill) {
  if (fill.is_number() || fill.is_boolean()) {
    return fill.is_boolean() ? static_cast<double>(fill.get<bool>()) : fill.get<double>();
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  static const std::map<std::string, double> words{
      {"NaN", std::numeric_limits<double>::quiet_NaN()}, {"Infinity", infinity}, {"-Infinity", -infinity}};
  const auto found = fill.is_string() ? words.find(fill.get<std::string>()) : words.end();
  metadata.check(found != words.end(), "fill_value {} is not a number", fill.dump());
  return found->second;
}

std::vector<std::byte> to_little_endian(std::uint64_t bits, std::size_t size) {
  std::vector<std::byte> item(size);
  for (std::size_t i = 0; i < size; ++i) {
    item[i] = static_cast<std::byte>(bits >> (8 * i));
  }
  return item;
}

/// Sets fill and fill_is_nan. Text arrays fill with zeros, which is the empty text.
void parse_fill(const Metadata& metadata, ZarrArray& array) {
  const json fill = metadata.array.value("fill_value", json());
  const std::size_t size = array.type.item_size;
  array.fill.assign(size, std::byte{0});
  const bool text = array.type.kind == ZarrKind::bytes || array.type.kind == ZarrKind::unicode ||
                    array.type.kind == ZarrKind::variable_text;
  if (fill.is_null()) {
    return;
  }
  if (text) {
    metadata.check(fill == "" || fill == 0, "fill_value {} of a text array is not read", fill.dump());
    return;
  }
  if (array.type.kind == ZarrKind::floating) {
    const double value = parse_fill_number(metadata, fill);
    array.fill_is_nan = std::isnan(value);
    const auto single = static_cast<float>(value);
    array.fill = to_little_endian(size == 8   ? std::bit_cast<std::uint64_t>(value)
                                  : size == 4 ? std::bit_cast<std::uint32_t>(single)
                                              : half_from_float(single),
                                  size);
    return;
  }
  metadata.check(fill.is_number_integer() || fill.is_boolean(), "fill_value {} is not an integer",
                 fill.dump());
  const auto bits = fill.is_boolean()           ? static_cast<std::uint64_t>(fill.get<bool>())
                    : fill.is_number_unsigned() ? fill.get<std::uint64_t>()
                                                : static_cast<std::uint64_t>(fill.get<std::int64_t>());
  array.fill = to_little_endian(bits, size);
}

void parse_attributes(const Metadata& metadata, ZarrArray& array) {
  const json& attributes = metadata.attributes;
  if (const auto found = attributes.find("_ARRAY_DIMENSIONS"); found != attributes.end()) {
    const bool ok = found->is_array() && found->size() == array.shape.size() &&
                    std::all_of(found->begin(), found->end(), [](const json& d) { return d.is_string(); });
    metadata.check(ok, "_ARRAY_DIMENSIONS {} does not name the {} dimensions of its shape", found->dump(),
                   array.shape.size());
    array.dimensions = found->get<std::vector<std::string>>();
  }
  const auto number = [&](const char* key) -> std::optional<double> {
    const auto found = attributes.find(key);
    if (found == attributes.end()) {
      return std::nullopt;
    }
    metadata.check(found->is_number(), "attribute {} = {} is not a number", key, found->dump());
    return found->get<double>();
  };
  array.scale_factor = number("scale_factor");
  array.add_offset = number("add_offset");
  for (const char* key : {"_FillValue", "missing_value"}) {
    const auto found = attributes.find(key);
    if (found != attributes.end() && found->is_number()) {
      array.missing_values.push_back(found->get<double>());
    }
  }
  for (const auto& [key, value] : attributes.items()) {
    if (value.is_string()) {
      array.text_attributes[key] = value.get<std::string>();
    }
  }
}

/// Products of lengths and item size stay far below 2^63, a chunk below what can be decoded.
void check_sizes(const Metadata& metadata, const ZarrArray& array) {
  constexpr std::size_t largest_array = std::size_t{1} << 60;
  const auto bytes = [&](const std::vector<std::size_t>& lengths, std::size_t limit, const char* what) {
    std::size_t product = std::max<std::size_t>(array.type.item_size, 1);
    for (const std::size_t length : lengths) {
      metadata.check(length == 0 || product <= limit / length, "its {} has more than {} bytes", what, limit);
      product *= length;
    }
  };
  if (std::find(array.shape.begin(), array.shape.end(), 0) == array.shape.end()) {
    bytes(array.shape, largest_array, "shape");
  }
  bytes(array.chunks, largest_chunk, "chunk");
}

/// A name becomes a folder below the store: nothing may lead out of it.
void check_name(const std::string& path, const std::string& name) {
  const fs::path relative(name);
  const bool ok = !name.empty() && relative.is_relative() && name.find('\0') == std::string::npos &&
                  std::find(relative.begin(), relative.end(), "..") == relative.end();
  require(ok, ExitCode::corrupt_input, "{}: the array name \"{}\" leads out of the store", path, name);
}

std::map<std::string, ZarrTexts> texts_from_consolidated(const std::string& path) {
  const std::string file = path + "/.zmetadata";
  const json consolidated = parse_json(read_text(file), file);
  const auto entries = consolidated.find("metadata");
  require(entries != consolidated.end() && entries->is_object(), ExitCode::corrupt_input,
          "{}: the key metadata is absent; remove the file to read the metadata of each array", file);
  std::map<std::string, ZarrTexts> texts;
  constexpr std::string_view suffix = "/.zarray";
  for (const auto& [key, value] : entries->items()) {
    if (key.ends_with(suffix)) {
      const std::string name = key.substr(0, key.size() - suffix.size());
      check_name(path, name);
      const auto attributes = entries->find(name + "/.zattrs");
      texts[name] = {value.dump(), attributes == entries->end() ? "{}" : attributes->dump()};
    }
  }
  return texts;
}

std::map<std::string, ZarrTexts> texts_from_folders(const std::string& path) {
  std::map<std::string, ZarrTexts> texts;
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string folder = entry.path().string();
    if (fs::exists(folder + "/.zarray")) {
      ZarrTexts& found = texts[entry.path().filename().string()];
      found.array = parse_json(read_text(folder + "/.zarray"), folder + "/.zarray").dump();
      if (fs::exists(folder + "/.zattrs")) {
        found.attributes = parse_json(read_text(folder + "/.zattrs"), folder + "/.zattrs").dump();
      }
    }
  }
  return texts;
}

}  // namespace

std::map<std::string, ZarrTexts> load_zarr_texts(const std::string& path) {
  require(fs::is_directory(path), ExitCode::missing_input, "{}: no such folder", path);
  if (fs::exists(path + "/.zmetadata")) {
    return texts_from_consolidated(path);
  }
  require(!fs::exists(path + "/zarr.json"), ExitCode::corrupt_input,
          "{}: a Zarr version 3 store; write it with zarr_format=2", path);
  require(fs::exists(path + "/.zgroup"), ExitCode::missing_input,
          "{}: no Zarr group here (neither .zmetadata nor .zgroup)", path);
  return texts_from_folders(path);
}

std::vector<std::string> zarr_metadata_files(const std::string& path) {
  require(fs::is_directory(path), ExitCode::missing_input, "{}: no such folder", path);
  if (fs::exists(path + "/.zmetadata")) {
    return {".zmetadata"};
  }
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(path)) {
    for (const char* name : {".zarray", ".zattrs"}) {
      if (fs::exists(entry.path() / name)) {
        files.push_back((entry.path().filename() / name).string());
      }
    }
  }
  return files;
}

ZarrArray parse_zarr_array(const std::string& path, const std::string& name, const ZarrTexts& texts) {
  const std::string where = path + ": array " + name;
  const Metadata metadata{where, parse_json(texts.array, where + ": .zarray"),
                          parse_json(texts.attributes, where + ": .zattrs")};
  metadata.check(metadata.at("zarr_format") == 2, "zarr_format {} is not read, only 2",
                 metadata.at("zarr_format").dump());
  ZarrArray array;
  array.name = name;
  array.shape = parse_lengths(metadata, "shape", 0);
  array.chunks = parse_lengths(metadata, "chunks", 1);
  metadata.check(array.shape.size() == array.chunks.size(), "shape has {} dimensions, chunks {}",
                 array.shape.size(), array.chunks.size());
  array.type = parse_type(metadata);
  array.codec = parse_codec(metadata);
  check_filters(metadata, array.type);
  const json& order = metadata.at("order");
  metadata.check(order == "C" || order == "F", "order {} is neither C nor F", order.dump());
  array.fortran_order = order == "F";
  const json separator = metadata.array.value("dimension_separator", json("."));
  metadata.check(separator == "." || separator == "/", "dimension_separator {} is neither . nor /",
                 separator.dump());
  array.separator = separator.get<std::string>();
  parse_fill(metadata, array);
  parse_attributes(metadata, array);
  const bool packed = array.scale_factor || array.add_offset;
  const bool integer =
      array.type.kind == ZarrKind::signed_integer || array.type.kind == ZarrKind::unsigned_integer;
  if (const json fill = metadata.array.value("fill_value", json()); packed && integer && fill.is_number()) {
    array.missing_values.push_back(fill.get<double>());  // where xarray keeps _FillValue of packed values
  }
  check_sizes(metadata, array);
  return array;
}

}  // namespace mosaic
