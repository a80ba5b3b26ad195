#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mosaic {

/// Sizes and SHA-256 of the files of a store, or of one file, as they were when the manifest was made: what
/// turns a silent flip of a bit in uncompressed data into an error.
class ChecksumManifest {
 public:
  /// Reads every file below a folder (other manifests aside), or one file. Errors: missing_input, io_error.
  static ChecksumManifest of(const std::string& path, int threads);
  /// Errors: missing_input saying how to make one, corrupt_input.
  static ChecksumManifest load(const std::string& manifest);
  /// `<folder>/.mosaic_checksums.json` or `<file>.mosaic_checksums.json`.
  static std::string default_path(const std::string& path);

  /// Errors: cannot_create, io_error.
  void write(const std::string& manifest) const;
  std::size_t size() const { return files_.size(); }
  bool lists(const std::string& file) const { return files_.contains(file); }

  /// One line for each file that is missing from `now`, is extra there or differs, by name.
  std::vector<std::string> differences(const ChecksumManifest& now) const;
  /// Compares the bytes of one file, named relative to the folder; `where` names it in the message. Errors:
  /// corrupt_input with what to do.
  void check(const std::string& file, std::string_view bytes, const std::string& where) const;
  /// The same for the file itself, below `folder` (or, for a manifest of one file, that file).
  void check_file(const std::string& file, const std::string& path) const;

 private:
  struct Entry {
    std::uint64_t bytes = 0;
    std::string sha256;
    bool operator==(const Entry&) const = default;
  };

  std::map<std::string, Entry> files_;
};

/// Compares a store or file with a manifest (empty: the default one). Returns a line for a person. Errors:
/// corrupt_input listing every missing, extra and differing file; missing_input.
std::string verify_checksums(const std::string& path, const std::string& manifest, int threads);

}  // namespace mosaic
