#pragma once

#include <memory>

#include "stores/mapped_file.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

/// Reads a safetensors file: u64 header length, JSON header, data; tensors are views on the mapping and cover
/// the data without gaps or overlaps. Errors: corrupt_input.
std::unique_ptr<TensorFile> read_safetensors(const std::shared_ptr<const MappedFile>& file);

}  // namespace mosaic
