#pragma once

#include <memory>

#include "stores/mapped_file.hpp"
#include "stores/tensor_file.hpp"
#include "stores/zip_archive.hpp"

namespace mosaic {

/// True if the zip is what torch.save writes: it holds one `<folder>/data.pkl`.
bool is_torch_archive(const ZipArchive& archive);

/// Reads the tensors of `model_state_dict` or, if absent, of the dict itself. Nothing is executed: an entry
/// that is not a tensor is left out and metadata() says what it is. Strided tensors are copied to C order;
/// tensors may share a storage. Errors: corrupt_input.
std::unique_ptr<TensorFile> read_pt(const std::shared_ptr<const MappedFile>& file, const ZipArchive& archive);

}  // namespace mosaic
