#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace mosaic {

/// Compressors of Zarr v2 chunks (numcodecs ids). blosc covers blosclz, lz4, lz4hc, zlib and zstd inside.
enum class ChunkCodec { none, zlib, gzip, zstd, lz4, blosc };

/// Largest decoded chunk that is believed [bytes]: the limit of blosc itself.
inline constexpr std::size_t largest_chunk = (std::size_t{1} << 31) - 17;

/// Decodes one chunk. Sizes that the bytes claim are checked against `limit` before memory is allocated.
/// `where` names array and file in messages. Errors: corrupt_input for damaged bytes or more than `limit`
/// bytes.
std::vector<std::byte> decode_chunk(ChunkCodec codec, std::span<const std::byte> encoded, std::size_t limit,
                                    std::string_view where);

enum class BloscCompressor { lz4, zstd };

/// A blosc frame, level 5, byte shuffle over items of `item_size` bytes. Errors: internal.
std::vector<std::byte> encode_blosc(std::span<const std::byte> values, std::size_t item_size,
                                    BloscCompressor compressor);

}  // namespace mosaic
