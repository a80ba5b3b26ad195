#pragma once

#include <map>
#include <string>
#include <vector>

#include "stores/zarr.hpp"

namespace mosaic {

/// The JSON texts of one array: .zarray and .zattrs.
struct ZarrTexts {
  std::string array;
  std::string attributes = "{}";
};

/// The texts of all arrays of the group at `path`, by name, from .zmetadata or, without it, from the folders.
/// Errors: missing_input if there is no Zarr v2 group; corrupt_input naming the file.
std::map<std::string, ZarrTexts> load_zarr_texts(const std::string& path);

/// The files that load_zarr_texts() reads, relative to `path`. Errors: missing_input if there is no folder.
std::vector<std::string> zarr_metadata_files(const std::string& path);

/// Checks and interprets the metadata of an array. Errors: corrupt_input naming store, array and reason.
ZarrArray parse_zarr_array(const std::string& path, const std::string& name, const ZarrTexts& texts);

}  // namespace mosaic
