#include "stores/tensor_checksum.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/sha256.hpp"

namespace mosaic {

namespace {

/// As the header of a file writes it, where bytes that are not UTF-8 have been replaced.
std::string as_written(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string tensor_checksum(const std::map<std::string, TensorSource>& tensors,
                            const std::map<std::string, std::string>& metadata) {
  Sha256 hash;
  for (const auto& [name, tensor] : tensors) {
    hash.add(fmt::format("tensor {} {} [{}] {}\n", as_written(name), to_string(tensor.type),
                         fmt::join(tensor.shape, ","), tensor.bytes.size()));
    hash.add(tensor.bytes.data(), tensor.bytes.size());
  }
  for (const auto& [key, value] : metadata) {
    if (key != checksum_key) {
      hash.add(fmt::format("metadata {} {}\n", as_written(key), as_written(value)));
    }
  }
  return hash.hex();
}

std::string verify_tensors(const TensorFile& file) {
  const auto stored = file.metadata().find(checksum_key);
  if (stored == file.metadata().end()) {
    return fmt::format("{}: {} tensors read; the file carries no checksum of its own ({})\n", file.path(),
                       file.tensors().size(), checksum_key);
  }
  std::map<std::string, TensorSource> tensors;
  for (const auto& [name, view] : file.tensors()) {
    tensors[name] = {view.type, view.shape, view.bytes};
  }
  const std::string found = tensor_checksum(tensors, file.metadata());
  require(found == stored->second, ExitCode::corrupt_input,
          "{}: its contents have the SHA-256 {}, its metadata say {}: a weight or an entry was changed; copy "
          "or convert it again",
          file.path(), found, stored->second);
  return fmt::format("{}: {} tensors, SHA-256 as its metadata say\n", file.path(), tensors.size());
}

}  // namespace mosaic
