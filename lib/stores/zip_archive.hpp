#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "stores/mapped_file.hpp"

namespace mosaic {

struct ZipEntry {
  std::string name;
  bool deflated = false;
  std::uint32_t crc = 0;
  std::size_t stored_size = 0;  ///< bytes in the file
  std::size_t size = 0;         ///< bytes after decoding
  std::size_t local_header = 0;
  std::size_t data = 0;  ///< position of the stored bytes
};

/// The directory of a zip file (zip64 included), checked as a whole: every entry stored or deflated,
/// unencrypted, inside the file, without overlap, its decoded size within what deflate can reach.
class ZipArchive {
 public:
  /// Errors: corrupt_input naming file, entry and reason.
  explicit ZipArchive(std::shared_ptr<const MappedFile> file);

  const std::string& path() const { return file_->path(); }
  const std::map<std::string, ZipEntry>& entries() const { return entries_; }
  /// nullptr if absent.
  const ZipEntry* find(const std::string& name) const;

  /// The decoded bytes: a view on the file for a stored entry, else `buffer` filled. The checksum is
  /// verified. Errors: corrupt_input.
  std::span<const std::byte> read(const ZipEntry& entry, std::vector<std::byte>& buffer) const;

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, ZipEntry> entries_;
};

}  // namespace mosaic
