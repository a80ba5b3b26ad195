#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "stores/tensor_file.hpp"

namespace mosaic {

struct Conversion {
  std::size_t tensors = 0;
  std::size_t bytes = 0;  ///< of tensor data
};

/// Writes every tensor of a tensor file, and those of `more`, as safetensors under its name. Metadata: that
/// of the source, then `source` (file name), `source_sha256`, `metadata` and the file's own checksum (see
/// verify_tensors). Errors: those of
/// open_tensor_file and write_safetensors; usage if `metadata` sets a key that is written here; corrupt_input
/// if there is no tensor.
Conversion convert_to_safetensors(const std::string& from, const std::string& to,
                                  const std::map<std::string, std::string>& metadata,
                                  const std::map<std::string, TensorSource>& more = {});

}  // namespace mosaic
