#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace mosaic {

/// A whole file mapped read-only into memory. The mapping lives as long as the object.
class MappedFile {
 public:
  /// Errors: missing_input, io_error.
  explicit MappedFile(std::string path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  std::string path_;
  std::span<const std::byte> bytes_;
};

}  // namespace mosaic
