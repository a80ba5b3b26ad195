#include <span>

#include "fuzz/one_input.hpp"
#include "stores/chunk_codec.hpp"

/// The first byte chooses codec and promised size, the rest is a chunk.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace mosaic;
  if (size == 0) {
    return 0;
  }
  constexpr ChunkCodec codecs[] = {ChunkCodec::none, ChunkCodec::zlib, ChunkCodec::gzip,
                                   ChunkCodec::zstd, ChunkCodec::lz4,  ChunkCodec::blosc};
  constexpr std::size_t sizes[] = {1, 64, 4096, std::size_t{1} << 20, largest_chunk};
  const ChunkCodec codec = codecs[data[0] % std::size(codecs)];
  const std::size_t limit = sizes[data[0] / std::size(codecs) % std::size(sizes)];
  return test::read_input("input.chunk", data, size, [&](const std::string& path) {
    decode_chunk(codec, std::as_bytes(std::span(data + 1, size - 1)), limit, path);
  });
}
