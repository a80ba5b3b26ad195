#pragma once

#include <memory>
#include <set>
#include <string>

#include "stores/mapped_file.hpp"
#include "stores/tensor_file.hpp"
#include "stores/zip_archive.hpp"

namespace mosaic {

/// Reads a zip of NPY entries (format 1.0, 2.0, 3.0); names lose their ".npy". Fortran order becomes C order,
/// big endian becomes little endian. datetime64 and timedelta64 become int64. Entries whose type is no
/// TensorType (text, objects, complex and unsigned numbers wider than 8 bits) are left out. For both kinds
/// metadata() has the NPY type, e.g. "NPY type <M8[ns]", under the entry's name; a single text is there
/// as "<name>.text". With `only` the other entries are not touched. Errors: corrupt_input.
std::unique_ptr<TensorFile> read_npz(const std::shared_ptr<const MappedFile>& file, const ZipArchive& archive,
                                     const std::set<std::string>& only = {});

/// Reads a single `.npy`; the tensor is named "data". Errors: corrupt_input.
std::unique_ptr<TensorFile> read_npy(const std::shared_ptr<const MappedFile>& file);

}  // namespace mosaic
