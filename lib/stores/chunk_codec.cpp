#include "stores/chunk_codec.hpp"

#include <blosc.h>
#include <lz4.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/error.hpp"

namespace mosaic {
namespace {

using Bytes = std::vector<std::byte>;

/// Streams grow their output by pieces of this size, so that a false size in the metadata costs no memory.
constexpr std::size_t piece_size = std::size_t{1} << 18;

/// What one encoded byte decodes to at most: LZ4 counts runs in bytes of 255, blosc holds zstd, which stores
/// a run of 128 KiB in 4 bytes. A claim beyond that costs no memory either.
constexpr std::size_t largest_lz4_ratio = 255;
constexpr std::size_t largest_blosc_ratio = std::size_t{1} << 15;

[[noreturn]] void damaged(std::string_view where, std::string_view reason) {
  fail(ExitCode::corrupt_input, "{}: damaged chunk: {}; fetch the store again", where, reason);
}

void check_claim(std::size_t claimed, std::size_t encoded, std::size_t ratio, std::string_view where) {
  if (claimed / ratio > encoded) {
    damaged(where, fmt::format("its header claims {} bytes, which {} bytes cannot hold", claimed, encoded));
  }
}

void append(Bytes& out, std::span<const std::byte> piece, std::size_t limit, std::string_view where) {
  if (piece.size() > limit - out.size()) {
    damaged(where, fmt::format("decodes to more than the {} bytes that the metadata promise", limit));
  }
  out.insert(out.end(), piece.begin(), piece.end());
}

/// zlib (RFC 1950) or gzip (RFC 1952, members may follow each other).
Bytes inflate_stream(std::span<const std::byte> encoded, bool gzip, std::size_t limit,
                     std::string_view where) {
  z_stream stream{};
  require(inflateInit2(&stream, gzip ? 15 + 16 : 15) == Z_OK, "zlib cannot be initialised");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, &inflateEnd);
  require(encoded.size() <= UINT32_MAX, ExitCode::corrupt_input, "{}: {} bytes are too many for one chunk",
          where, encoded.size());
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(encoded.data()));
  stream.avail_in = static_cast<uInt>(encoded.size());
  Bytes out;
  Bytes piece(std::min(piece_size, limit + 1));
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = static_cast<uInt>(piece.size());
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) {
      damaged(where, stream.msg != nullptr ? stream.msg : "the compressed stream ends too early");
    }
    append(out, std::span(piece).first(piece.size() - stream.avail_out), limit, where);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) {
        return out;
      }
      if (!gzip || inflateReset(&stream) != Z_OK) {
        damaged(where, "bytes follow the end of the compressed stream");
      }
    }
  }
}

Bytes decode_zstd(std::span<const std::byte> encoded, std::size_t limit, std::string_view where) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  require(context != nullptr, "zstd cannot be initialised");
  ZSTD_inBuffer in{encoded.data(), encoded.size(), 0};
  Bytes out;
  Bytes piece(std::min(piece_size, limit + 1));
  for (;;) {
    ZSTD_outBuffer target{piece.data(), piece.size(), 0};
    const std::size_t status = ZSTD_decompressStream(context.get(), &target, &in);
    if (ZSTD_isError(status)) {
      damaged(where, ZSTD_getErrorName(status));
    }
    append(out, std::span(piece).first(target.pos), limit, where);
    if (status == 0 && in.pos == in.size) {
      return out;
    }
    if (in.pos == in.size && target.pos == 0) {
      damaged(where, "the zstd frame ends too early");
    }
  }
}

/// numcodecs' LZ4: the decoded size as little-endian int32, then one LZ4 block.
Bytes decode_lz4(std::span<const std::byte> encoded, std::size_t limit, std::string_view where) {
  constexpr std::size_t header = 4;
  if (encoded.size() < header || encoded.size() > INT32_MAX) {
    damaged(where, "no LZ4 size header");
  }
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < header; ++i) {
    size |= std::to_integer<std::uint32_t>(encoded[i]) << (8 * i);
  }
  if (size > limit || size > INT32_MAX) {
    damaged(where, fmt::format("its LZ4 header claims {} bytes, the metadata promise {}", size, limit));
  }
  check_claim(size, encoded.size(), largest_lz4_ratio, where);
  Bytes out(size);
  const int written = LZ4_decompress_safe(reinterpret_cast<const char*>(encoded.data() + header),
                                          reinterpret_cast<char*>(out.data()),
                                          static_cast<int>(encoded.size() - header), static_cast<int>(size));
  if (written < 0 || static_cast<std::uint32_t>(written) != size) {
    damaged(where, "the LZ4 block does not decode to the size in its header");
  }
  return out;
}

Bytes decode_blosc(std::span<const std::byte> encoded, std::size_t limit, std::string_view where) {
  std::size_t size = 0;
  if (encoded.size() < BLOSC_MIN_HEADER_LENGTH ||
      blosc_cbuffer_validate(encoded.data(), encoded.size(), &size) != 0) {
    damaged(where, fmt::format("no valid blosc header in its {} bytes", encoded.size()));
  }
  if (size > limit) {
    damaged(where, fmt::format("its blosc header claims {} bytes, the metadata promise {}", size, limit));
  }
  check_claim(size, encoded.size(), largest_blosc_ratio, where);
  Bytes out(size);
  constexpr int threads = 1;  // chunks are what is shared among threads
  const int written = blosc_decompress_ctx(encoded.data(), out.data(), out.size(), threads);
  if (written < 0 || static_cast<std::size_t>(written) != size) {
    damaged(where, fmt::format("blosc status {}", written));
  }
  return out;
}

}  // namespace

Bytes decode_chunk(ChunkCodec codec, std::span<const std::byte> encoded, std::size_t limit,
                   std::string_view where) {
  switch (codec) {
    case ChunkCodec::none: {
      Bytes out;
      append(out, encoded, limit, where);
      return out;
    }
    case ChunkCodec::zlib:
      return inflate_stream(encoded, false, limit, where);
    case ChunkCodec::gzip:
      return inflate_stream(encoded, true, limit, where);
    case ChunkCodec::zstd:
      return decode_zstd(encoded, limit, where);
    case ChunkCodec::lz4:
      return decode_lz4(encoded, limit, where);
    case ChunkCodec::blosc:
      return decode_blosc(encoded, limit, where);
  }
  fail(ExitCode::internal, "unknown chunk codec {}", static_cast<int>(codec));
}

Bytes encode_blosc(std::span<const std::byte> values, std::size_t item_size, BloscCompressor compressor) {
  constexpr int level = 5;
  constexpr int threads = 1;
  constexpr std::size_t automatic_block = 0;
  require(values.size() <= largest_chunk, "a chunk of {} bytes is more than blosc can hold", values.size());
  Bytes out(values.size() + BLOSC_MAX_OVERHEAD);
  const char* name = compressor == BloscCompressor::lz4 ? BLOSC_LZ4_COMPNAME : BLOSC_ZSTD_COMPNAME;
  const int size = blosc_compress_ctx(level, BLOSC_SHUFFLE, item_size, values.size(), values.data(),
                                      out.data(), out.size(), name, automatic_block, threads);
  require(size > 0, "blosc could not compress {} bytes: status {}", values.size(), size);
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace mosaic
