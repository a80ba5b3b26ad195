#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "stores/zarr.hpp"

namespace mosaic {

/// Largest decoded chunk of variable-length text [bytes], and most texts that are read at once.
inline constexpr std::size_t largest_text_chunk = std::size_t{1} << 24;

bool is_text(ZarrKind kind);

/// `count` texts from items of kind bytes or unicode, in UTF-8; zeros at the end do not count. `where` names
/// store and array in messages. Errors: corrupt_input for what is no Unicode code point.
std::vector<std::string> texts_of_items(const ZarrType& type, std::span<const std::byte> items,
                                        std::size_t count, const std::string& where);

/// A whole array of kind variable_text in the store at path `store`. Errors: corrupt_input, io_error.
std::vector<std::string> read_variable_text(const std::string& store, const ZarrArray& array,
                                            const ChecksumManifest* checksums);

}  // namespace mosaic
