#include "stores/zarr_folder.hpp"

#include <fmt/ranges.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic {
namespace {

using nlohmann::json;

json array_metadata(const std::vector<std::size_t>& shape, const std::vector<std::size_t>& chunks,
                    const std::string& dtype, const json& fill, BloscCompressor compressor) {
  return {{"zarr_format", 2},
          {"shape", shape},
          {"chunks", chunks},
          {"dtype", dtype},
          {"fill_value", fill},
          {"order", "C"},
          {"filters", nullptr},
          {"compressor",
           {{"id", "blosc"},
            {"cname", compressor == BloscCompressor::lz4 ? "lz4" : "zstd"},
            {"clevel", 5},
            {"shuffle", 1},
            {"blocksize", 0}}}};
}

std::string array_attributes(const std::vector<std::string>& dimensions,
                             const ZarrFolder::Attributes& attributes) {
  json result(attributes);
  result["_ARRAY_DIMENSIONS"] = dimensions;
  return result.dump(1);
}

}  // namespace

ZarrFolder::ZarrFolder(std::string path, const Attributes& attributes, BloscCompressor compressor,
                       ExistingStore existing)
    : path_(std::move(path)), compressor_(compressor), existing_(existing) {
  require(existing_ == ExistingStore::go_on || !std::filesystem::exists(path_), ExitCode::cannot_create,
          "{}: exists already; remove it or choose another name", path_);
  create_folder(path_);
  write_metadata(".zattrs", json(attributes).dump(1));
}

void ZarrFolder::write_metadata(const std::string& file, const std::string& text) {
  metadata_[file] = text;
  const std::string target = path_ + "/" + file;
  if (existing_ == ExistingStore::go_on && std::filesystem::exists(target)) {
    require(read_text(target) == text, ExitCode::bad_configuration,
            "{}: belongs to another store; remove {} or choose another name", target, path_);
    return;
  }
  write_text_atomically(target, text);
}

void ZarrFolder::add_array(const std::string& name, const std::vector<std::string>& dimensions,
                           const std::vector<std::size_t>& shape, const std::vector<std::size_t>& chunks,
                           const Attributes& attributes) {
  write_array(name, array_metadata(shape, chunks, "<f4", "NaN", compressor_).dump(1),
              array_attributes(dimensions, attributes));
}

template <class Value>
void ZarrFolder::write_coordinate(const std::string& name, const std::vector<Value>& values,
                                  const Attributes& attributes) {
  const std::vector<std::size_t> shape{values.size()};
  const char* dtype = std::is_floating_point_v<Value> ? "<f8" : "<i8";
  write_array(name, array_metadata(shape, shape, dtype, nullptr, compressor_).dump(1),
              array_attributes({name}, attributes));
  if (existing_ == ExistingStore::refuse || !std::filesystem::exists(path_ + "/" + name + "/0")) {
    write_zarr_chunk(path_, name, {0}, std::as_bytes(std::span(values)), sizeof(Value), compressor_);
  }
}

void ZarrFolder::add_coordinate(const std::string& name, const std::vector<double>& values,
                                const Attributes& attributes) {
  write_coordinate(name, values, attributes);
}

void ZarrFolder::add_coordinate(const std::string& name, const std::vector<std::int64_t>& values,
                                const Attributes& attributes) {
  write_coordinate(name, values, attributes);
}

void ZarrFolder::write_array(const std::string& name, const std::string& metadata,
                             const std::string& attributes) {
  create_folder(path_ + "/" + name);
  write_metadata(name + "/.zarray", metadata);
  write_metadata(name + "/.zattrs", attributes);
}

void ZarrFolder::close() {
  write_metadata(".zgroup", json{{"zarr_format", 2}}.dump(1));
  json entries = json::object();
  for (const auto& [file, text] : metadata_) {
    entries[file] = json::parse(text);
  }
  write_text_atomically(path_ + "/.zmetadata",
                        json{{"zarr_consolidated_format", 1}, {"metadata", entries}}.dump(1));
}

void write_zarr_chunk(const std::string& path, const std::string& array,
                      const std::vector<std::size_t>& place, std::span<const std::byte> values,
                      std::size_t item_size, BloscCompressor compressor, ChunkSync sync) {
  const std::vector<std::byte> encoded = encode_blosc(values, item_size, compressor);
  const std::string file = fmt::format("{}/{}/{}", path, array, fmt::join(place, "."));
  const std::string_view bytes(reinterpret_cast<const char*>(encoded.data()), encoded.size());
  sync == ChunkSync::each ? write_text_atomically(file, bytes) : write_text_unsynced(file, bytes);
}

}  // namespace mosaic
