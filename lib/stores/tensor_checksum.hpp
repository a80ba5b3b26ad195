#pragma once

#include <map>
#include <string>

#include "stores/tensor_file.hpp"

namespace mosaic {

/// The metadata key under which a converted file carries its own checksum.
inline constexpr const char* checksum_key = "mosaic.sha256";

/// SHA-256 over name, type, shape and bytes of every tensor by name, then all metadata but the checksum.
std::string tensor_checksum(const std::map<std::string, TensorSource>& tensors,
                            const std::map<std::string, std::string>& metadata);

/// Compares a file with the checksum in its metadata. A line for a person: what was compared, or that the
/// file carries none (entries of .pt and .npz have checksums of their own, which reading compares). Errors:
/// corrupt_input naming the file.
std::string verify_tensors(const TensorFile& file);

}  // namespace mosaic
