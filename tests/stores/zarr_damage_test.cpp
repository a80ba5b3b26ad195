#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/chunk_codec.hpp"
#include "stores/zarr.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

/// A store with one array `a`: four uncompressed float32, one chunk.
std::string make_store(const std::string& name, const std::string& key = "", const std::string& value = "") {
  const std::string path = (scratch_dir("zarr_damage_" + name) / "store.zarr").string();
  std::map<std::string, std::string> metadata{
      {"zarr_format", "2"}, {"shape", "[4]"},      {"chunks", "[4]"},   {"dtype", "\"<f4\""},
      {"order", "\"C\""},   {"fill_value", "0.0"}, {"filters", "null"}, {"compressor", "null"}};
  if (!key.empty()) {
    metadata[key] = value;
  }
  std::string text;
  for (const auto& [k, v] : metadata) {
    text += fmt::format("{}\"{}\":{}", text.empty() ? "{" : ",", k, v);
  }
  fs::create_directories(path + "/a");
  write_text_atomically(path + "/.zgroup", R"({"zarr_format":2})");
  write_text_atomically(path + "/a/.zarray", text + "}");
  const float values[] = {1.0F, 2.0F, 3.0F, 4.0F};
  write_text_atomically(path + "/a/0", {reinterpret_cast<const char*>(values), sizeof(values)});
  return path;
}

std::vector<float> read_all(const std::string& path) {
  const ZarrStore store(path);
  return store.read_float("a", ZarrBox::all(store.array("a")), 1);
}

void expect_refused(const std::string& path, const std::string& word) {
  try {
    read_all(path);
    ADD_FAILURE() << "not refused: " << word;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::corrupt_input) << error.what();
    EXPECT_NE(std::string(error.what()).find(word), std::string::npos) << word << " in: " << error.what();
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
  }
}

/// The twin of all refusals: without damage the store is read.
TEST(ZarrDamage, TheUndamagedStoreIsRead) {
  EXPECT_EQ(read_all(make_store("none")), (std::vector<float>{1.0F, 2.0F, 3.0F, 4.0F}));
}

TEST(ZarrDamage, HostileMetadataAreRefused) {
  const std::vector<std::array<std::string, 3>> cases{
      {"zarr_format", "3", "zarr_format"},
      {"shape", "[-4]", "shape"},
      {"shape", "[4.5]", "shape"},
      {"shape", "\"4\"", "shape"},
      {"shape", "[4,4]", "dimensions"},
      {"shape", "[18446744073709551615]", "shape"},
      {"chunks", "[0]", "chunks"},
      {"chunks", "[1099511627776]", "chunk"},
      {"dtype", "\"<f3\"", "dtype"},
      {"dtype", "\"<f16\"", "dtype"},
      {"dtype", "\"<c8\"", "dtype"},
      {"dtype", "\"<f\"", "dtype"},
      {"dtype", "\"<f99999999999999999999\"", "dtype"},
      {"dtype", R"([["x","<f4"]])", "dtype"},
      {"dtype", "\"|O\"", "vlen-utf8"},
      {"order", "\"K\"", "order"},
      {"fill_value", "\"zero\"", "fill_value"},
      {"fill_value", "[]", "fill_value"},
      {"filters", R"([{"id":"delta"}])", "delta"},
      {"compressor", R"({"id":"bz2"})", "bz2"},
      {"compressor", "7", "compressor"},
      {"dimension_separator", "\"..\"", "dimension_separator"}};
  for (const auto& [key, value, word] : cases) {
    SCOPED_TRACE(key + " " + value);
    expect_refused(make_store("metadata", key, value), word);
  }
}

TEST(ZarrDamage, OverflowingProductsAreRefused) {
  const std::string path = make_store("overflow", "shape", "[1099511627776,1099511627776,1099511627776]");
  std::string text = read_text(path + "/a/.zarray");
  text.replace(text.find("\"chunks\":[4]"), 12, "\"chunks\":[4,4,4]");
  write_text_atomically(path + "/a/.zarray", text);
  expect_refused(path, "shape");
}

TEST(ZarrDamage, UnparsableAndEscapingMetadata) {
  const std::string path = make_store("json");
  write_text_atomically(path + "/a/.zarray", "{\"zarr_format\":2");
  EXPECT_THROW(ZarrStore{path}, Error);
  write_text_atomically(path + "/.zmetadata", R"({"metadata":{"../b/.zarray":{}}})");
  try {
    ZarrStore{path};
    ADD_FAILURE() << "a name that leads out of the store was accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("../b"), std::string::npos);
  }
}

TEST(ZarrDamage, ChunksOfAnotherSizeAreRefused) {
  for (const std::size_t size : {0, 15, 17, 1000}) {
    const std::string path = make_store("size");
    write_text_atomically(path + "/a/0", std::string(size, 'x'));
    expect_refused(path, "a/0");
  }
}

TEST(ZarrDamage, MissingStoresAndArraysAreMissingInput) {
  try {
    ZarrStore{"no/such/store.zarr"};
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::missing_input);
  }
  try {
    ZarrStore(make_store("absent")).array("b");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::missing_input);
  }
}

/// Every byte of small blosc frames is changed in turn: an error or 64 bytes, never a crash or another size.
TEST(ChunkCodec, ChangedBloscBytesNeverChangeTheSize) {
  std::vector<std::byte> values(64);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<std::byte>(i / 7);
  }
  for (const BloscCompressor compressor : {BloscCompressor::lz4, BloscCompressor::zstd}) {
    const std::vector<std::byte> frame = encode_blosc(values, 4, compressor);
    EXPECT_EQ(decode_chunk(ChunkCodec::blosc, frame, values.size(), "frame"), values);
    for (std::size_t i = 0; i < frame.size(); ++i) {
      for (const int bit : {0, 3, 7}) {
        std::vector<std::byte> changed = frame;
        changed[i] ^= static_cast<std::byte>(1 << bit);
        try {
          EXPECT_LE(decode_chunk(ChunkCodec::blosc, changed, values.size(), "frame").size(), values.size());
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ExitCode::corrupt_input);
        }
      }
    }
  }
}

/// A header that claims 2 GB is refused by its claim, for every codec that has one.
TEST(ChunkCodec, FalseSizesAreRefusedBeforeAllocation) {
  const std::vector<std::byte> values(64, std::byte{1});
  std::vector<std::byte> frame = encode_blosc(values, 4, BloscCompressor::lz4);
  const std::uint32_t claim = 0x7ffffff0;
  constexpr std::size_t blosc_size_at = 4;
  std::memcpy(frame.data() + blosc_size_at, &claim, sizeof(claim));
  EXPECT_THROW(decode_chunk(ChunkCodec::blosc, frame, values.size(), "frame"), Error);
  std::memcpy(frame.data(), &claim, sizeof(claim));
  EXPECT_THROW(decode_chunk(ChunkCodec::lz4, frame, values.size(), "frame"), Error);
}

/// A promise of 2 GB does not make a claim of 1.5 GB in a few bytes believable; the best possible compression
/// is.
TEST(ChunkCodec, ClaimsThatTheBytesCannotHoldAreRefused) {
  std::vector<std::byte> frame = encode_blosc(std::vector<std::byte>(64), 4, BloscCompressor::zstd);
  const std::uint32_t claim = 1'500'000'000;
  std::memcpy(frame.data() + 4, &claim, sizeof(claim));
  EXPECT_THROW(decode_chunk(ChunkCodec::blosc, frame, largest_chunk, "frame"), Error);
  std::memcpy(frame.data(), &claim, sizeof(claim));
  EXPECT_THROW(decode_chunk(ChunkCodec::lz4, frame, largest_chunk, "frame"), Error);
  const std::vector<std::byte> zeros(std::size_t{1} << 26);
  for (const BloscCompressor compressor : {BloscCompressor::lz4, BloscCompressor::zstd}) {
    EXPECT_EQ(decode_chunk(ChunkCodec::blosc, encode_blosc(zeros, 4, compressor), largest_chunk, "frame"),
              zeros);
  }
}

TEST(ChunkCodec, ShortenedStreamsAreRefused) {
  const auto path = find_golden("eval/encodings/zoo.zarr");
  if (!path) {
    GTEST_SKIP() << "golden data absent: eval/encodings/zoo.zarr";
  }
  const std::vector<std::pair<std::string, ChunkCodec>> cases{{"zlib", ChunkCodec::zlib},
                                                              {"gzip", ChunkCodec::gzip},
                                                              {"zstd", ChunkCodec::zstd},
                                                              {"raw_lz4", ChunkCodec::lz4},
                                                              {"lz4_shuffle", ChunkCodec::blosc}};
  const std::size_t size = 3 * 20 * 27 * sizeof(float);  // chunks of the array
  for (const auto& [name, codec] : cases) {
    SCOPED_TRACE(name);
    const std::string text = read_text((*path / name / "0.0.0").string());
    const auto encoded = std::as_bytes(std::span(text));
    EXPECT_EQ(decode_chunk(codec, encoded, size, name).size(), size);
    for (const std::size_t length :
         {std::size_t{0}, std::size_t{3}, encoded.size() / 2, encoded.size() - 1}) {
      EXPECT_THROW(decode_chunk(codec, encoded.first(length), size, name), Error) << length;
    }
    EXPECT_THROW(decode_chunk(codec, encoded, size - 1, name), Error);
  }
}

}  // namespace
}  // namespace mosaic::test
