#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "stores/chunk_codec.hpp"

namespace mosaic {

/// What is to be done with a folder that is there.
enum class ExistingStore {
  refuse,
  go_on,  ///< fill an unfinished store of the same metadata
};

/// How a chunk that was written survives a crash of the machine. A kill of the process it survives anyway.
enum class ChunkSync {
  each,    ///< by an fsync of its own: some milliseconds each
  caller,  ///< by sync_file_system(), which the caller calls now and then
};

/// A Zarr v2 directory store in the making: little endian, C order, chunks by blosc. Every file appears whole
/// or not at all; .zgroup and .zmetadata are written last, by close(): without them readers find no store.
class ZarrFolder {
 public:
  using Attributes = std::map<std::string, std::string>;

  /// Creates the folder. Errors: cannot_create if it exists (unless it is to be filled) or cannot be made,
  /// io_error. With ExistingStore::go_on what is there stays as it is; here and below: bad_configuration if
  /// it has other metadata.
  ZarrFolder(std::string path, const Attributes& attributes, BloscCompressor compressor,
             ExistingStore existing = ExistingStore::refuse);

  const std::string& path() const { return path_; }

  /// Metadata of a float32 array with the fill value NaN; its chunks are written by write_zarr_chunk().
  /// Errors: io_error.
  void add_array(const std::string& name, const std::vector<std::string>& dimensions,
                 const std::vector<std::size_t>& shape, const std::vector<std::size_t>& chunks,
                 const Attributes& attributes);

  /// A coordinate of its own dimension, whole. Errors: io_error.
  void add_coordinate(const std::string& name, const std::vector<double>& values,
                      const Attributes& attributes);
  void add_coordinate(const std::string& name, const std::vector<std::int64_t>& values,
                      const Attributes& attributes);

  /// Writes .zgroup and .zmetadata. Errors: io_error.
  void close();

 private:
  void write_metadata(const std::string& file, const std::string& text);
  template <class Value>
  void write_coordinate(const std::string& name, const std::vector<Value>& values,
                        const Attributes& attributes);
  void write_array(const std::string& name, const std::string& metadata, const std::string& attributes);

  std::string path_;
  BloscCompressor compressor_;
  ExistingStore existing_;
  std::map<std::string, std::string> metadata_;  ///< file below the store -> JSON text
};

/// Encodes the items of a chunk and writes them as the file `array`/i.j.k below the store `path`; any process
/// may, once the array is there. Errors: io_error.
void write_zarr_chunk(const std::string& path, const std::string& array,
                      const std::vector<std::size_t>& place, std::span<const std::byte> values,
                      std::size_t item_size, BloscCompressor compressor, ChunkSync sync = ChunkSync::each);

}  // namespace mosaic
