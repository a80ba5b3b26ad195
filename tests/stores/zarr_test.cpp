#include "stores/zarr.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/short_floats.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

/// A store with the uncompressed array `a`; chunk files are written by the test.
std::string make_store(const std::string& name, const std::string& shape, const std::string& chunks,
                       const std::string& dtype, const std::string& fill, const std::string& order,
                       const std::string& attributes) {
  const std::string path = (scratch_dir("zarr_" + name) / "store.zarr").string();
  fs::create_directories(path + "/a");
  write_text_atomically(path + "/.zgroup", R"({"zarr_format":2})");
  write_text_atomically(path + "/a/.zarray", R"({"zarr_format":2,"filters":null,"compressor":null,"shape":)" +
                                                 shape + ",\"chunks\":" + chunks + ",\"dtype\":\"" + dtype +
                                                 "\",\"fill_value\":" + fill + ",\"order\":\"" + order +
                                                 "\"}");
  write_text_atomically(path + "/a/.zattrs", attributes);
  return path;
}

template <class Value>
void write_chunk(const std::string& path, const std::string& chunk, const std::vector<Value>& values) {
  write_text_atomically(path + "/a/" + chunk,
                        {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value)});
}

/// Every box of a 3 x 5 array in chunks of 2 x 3, in both orders, against an index formula.
TEST(Zarr, EveryBoxOfEdgeChunks) {
  for (const std::string order : {"C", "F"}) {
    const std::string path = make_store("boxes", "[3,5]", "[2,3]", "<i4", "-1", order, "{}");
    for (int ci = 0; ci < 2; ++ci) {
      for (int cj = 0; cj < 2; ++cj) {
        std::vector<std::int32_t> chunk(6);
        for (int i = 0; i < 2; ++i) {
          for (int j = 0; j < 3; ++j) {
            chunk[static_cast<std::size_t>(order == "C" ? i * 3 + j : j * 2 + i)] =
                10 * (2 * ci + i) + 3 * cj + j;
          }
        }
        write_chunk(path, std::to_string(ci) + "." + std::to_string(cj), chunk);
      }
    }
    const ZarrStore store(path);
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 5; ++j) {
        for (std::size_t ni = 0; ni <= 3 - i; ++ni) {
          for (std::size_t nj = 0; nj <= 5 - j; ++nj) {
            std::vector<double> expected;
            for (std::size_t k = 0; k < ni * nj; ++k) {
              expected.push_back(static_cast<double>(10 * (i + k / nj) + j + k % nj));
            }
            EXPECT_EQ(store.read_double("a", {{i, j}, {ni, nj}}, 2), expected);
          }
        }
      }
    }
    EXPECT_THROW(store.read_double("a", {{2, 0}, {2, 1}}, 1), Error);
    EXPECT_THROW(store.read_double("a", {{0}, {1}}, 1), Error);
  }
}

TEST(Zarr, AbsentChunksAreTheFillValue) {
  const std::string path = make_store("fill", "[4]", "[2]", "<f4", "\"-Infinity\"", "C", "{}");
  write_chunk<float>(path, "1", {1.0F, 2.0F});
  const ZarrStore store(path);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(store.read_float("a", {{0}, {4}}, 1), (std::vector<float>{-infinity, -infinity, 1.0F, 2.0F}));
  EXPECT_EQ(store.absent_chunks("a", {{0}, {4}}), std::vector<std::string>{"a/0"});
  EXPECT_TRUE(store.absent_chunks("a", {{2}, {2}}).empty());
  EXPECT_FALSE(store.array("a").fill_is_nan);
}

/// xarray keeps _FillValue of packed integers in fill_value; both mark missing values.
TEST(Zarr, PackedValuesAndMissingMarks) {
  const std::string path = make_store("packed", "[4]", "[4]", "<i2", "-9", "C",
                                      R"({"scale_factor":0.5,"add_offset":100,"missing_value":7})");
  write_chunk<std::int16_t>(path, "0", {4, -9, 7, -2});
  const std::vector<double> values = ZarrStore(path).read_double("a", {{0}, {4}}, 1);
  EXPECT_EQ(values[0], 102.0);
  EXPECT_TRUE(std::isnan(values[1]));
  EXPECT_TRUE(std::isnan(values[2]));
  EXPECT_EQ(values[3], 99.0);
  EXPECT_THROW(ZarrStore(path).read_int64("a"), Error);
}

TEST(Zarr, IntegersKeepAllBits) {
  const std::string path = make_store("integers", "[2]", "[2]", "<i8", "0", "C", "{}");
  write_chunk<std::int64_t>(path, "0", {INT64_MIN, (std::int64_t{1} << 53) + 1});
  EXPECT_EQ(ZarrStore(path).read_int64("a"),
            (std::vector<std::int64_t>{INT64_MIN, (std::int64_t{1} << 53) + 1}));
  EXPECT_THROW(ZarrStore(path).read_strings("a"), Error);
}

/// Every half converts to a float and back to itself; NaN stays NaN.
TEST(HalfFloat, AllBitsRoundTrip) {
  for (std::uint32_t bits = 0; bits <= 0xffff; ++bits) {
    const float value = float_from_half(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(float_from_half(half_from_float(value))));
    } else {
      EXPECT_EQ(half_from_float(value), bits);
    }
  }
  EXPECT_EQ(float_from_half(0x3555), 0.333251953125F);
  EXPECT_EQ(half_from_float(65520.0F), 0x7c00);         // half way to the first value that does not exist
  EXPECT_EQ(half_from_float(1.0F + 0x1p-11F), 0x3c00);  // tie to even
}

}  // namespace
}  // namespace mosaic::test
