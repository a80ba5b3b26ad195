#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "stores/checksums.hpp"
#include "stores/zarr.hpp"

namespace mosaic {

/// One number per dimension, slowest first.
using ZarrIndex = std::vector<std::size_t>;

/// Errors: internal if the box is not inside the array's shape, corrupt_input if it is too large to be read
/// at once. `store` is the path of the store, for messages.
void check_box(const std::string& store, const ZarrArray& array, const ZarrBox& box);

/// The chunks that a box touches, C order; made one by one, since metadata can claim any number of them.
class ZarrChunks {
 public:
  ZarrChunks(const ZarrArray& array, const ZarrBox& box);

  std::size_t size() const { return size_; }
  ZarrIndex operator[](std::size_t i) const;

 private:
  ZarrBox box_;  // in units of chunks
  std::size_t size_;
};

/// The file of a chunk relative to the store: name/0.1.2; name/0 for an array without dimensions.
std::string chunk_file(const ZarrArray& array, const ZarrIndex& chunk);

/// The stored bytes of a chunk's file, or nothing if it is absent; compared with `checksums` unless that is
/// null. Errors: corrupt_input, missing_input where only the manifest has it, io_error.
std::optional<std::string> stored_chunk(const std::string& store, const std::string& file,
                                        const ChecksumManifest* checksums);

/// Items of a checked box, little endian, C order; absent chunks are the fill value. Not for variable_text.
/// Errors: corrupt_input naming array and file of a damaged chunk, io_error.
std::vector<std::byte> read_box(const std::string& store, const ZarrArray& array, const ZarrBox& box,
                                int threads, const ChecksumManifest* checksums);

}  // namespace mosaic
