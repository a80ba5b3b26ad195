#include "stores/convert.hpp"

#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/tensor_checksum.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

Conversion convert_to_safetensors(const std::string& from, const std::string& to,
                                  const std::map<std::string, std::string>& metadata,
                                  const std::map<std::string, TensorSource>& more) {
  for (const char* key : {"source", "source_sha256", checksum_key}) {
    require(!metadata.contains(key), ExitCode::usage,
            "metadata {}: is set by the conversion; choose another key", key);
  }
  const auto file = open_tensor_file(from);
  require(!file->tensors().empty(), ExitCode::corrupt_input, "{}: holds no tensor that could be converted",
          from);
  verify_tensors(*file);
  auto all_metadata = file->metadata();
  all_metadata["source"] = std::filesystem::path(from).filename().string();
  all_metadata["source_sha256"] = sha256_of_file(from);
  for (const auto& [key, value] : metadata) {
    all_metadata[key] = value;
  }
  std::map<std::string, TensorSource> tensors = more;
  for (const auto& [name, view] : file->tensors()) {
    tensors[name] = {view.type, view.shape, view.bytes};
  }
  Conversion result{tensors.size(), 0};
  for (const auto& [name, tensor] : tensors) {
    result.bytes += tensor.bytes.size();
  }
  all_metadata[checksum_key] = tensor_checksum(tensors, all_metadata);
  write_safetensors(to, tensors, all_metadata);
  return result;
}

}  // namespace mosaic
