#include <gtest/gtest.h>

#include <algorithm>

#include "support/golden.hpp"
#include "tensor_samples.hpp"

namespace mosaic::test {
namespace {

std::string write_npz(const std::vector<ZipItem>& items, ZipKind kind = ZipKind::stored) {
  return write_bytes(scratch_dir("npz") / "case.npz", zip_bytes(items, kind));
}

std::vector<ZipItem> good_items() {
  return {{"a.npy", npy_bytes("<f4", "(2, 3)", bytes_of_all<float>({1, 2, 3, 4, 5, 6}))},
          {"b.npy", npy_bytes("<i8", "()", bytes_of<std::int64_t>(-9))},
          {"c.npy", npy_bytes("|b1", "(2,)", std::string("\x01\x00", 2))}};
}

TEST(Npz, ReadsStoredDeflatedAndZip64) {
  for (const ZipKind kind : {ZipKind::stored, ZipKind::deflated, ZipKind::zip64}) {
    const auto file = open_tensor_file(write_npz(good_items(), kind));
    ASSERT_EQ(file->tensors().size(), 3u);
    EXPECT_EQ(file->at("a").shape, (std::vector<std::int64_t>{2, 3}));
    EXPECT_EQ(file->at("a").to_float(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_TRUE(file->at("b").shape.empty());
    EXPECT_EQ(file->at("b").to_int64(), std::vector<std::int64_t>{-9});
    EXPECT_EQ(file->at("c").type, TensorType::boolean);
  }
}

TEST(Npz, BringsFortranOrderToCOrder) {
  // Value 100 i + 10 j + k at [i][j][k], first dimension fastest.
  std::vector<double> values;
  for (int k = 0; k < 4; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) {
        values.push_back(100 * i + 10 * j + k);
      }
    }
  }
  const auto file =
      open_tensor_file(write_npz({{"f.npy", npy_bytes("<f8", "(2, 3, 4)", bytes_of_all(values), true)}}));
  std::vector<double> expected = values;
  std::ranges::sort(expected);  // C order of these values is ascending
  EXPECT_EQ(file->at("f").to_double(), expected);
  EXPECT_NE(file->at("f").to_double(), values);
}

TEST(Npz, BringsBigEndianToLittleEndian) {
  std::string big = bytes_of_all<std::int32_t>({1, -70000});
  std::reverse(big.begin(), big.begin() + 4);
  std::reverse(big.begin() + 4, big.end());
  const auto file = open_tensor_file(write_npz({{"big.npy", npy_bytes(">i4", "(2,)", big)}}));
  EXPECT_EQ(file->at("big").to_int64(), (std::vector<std::int64_t>{1, -70000}));
}

TEST(Npz, ReadsEveryNpyVersionAndSingleFiles) {
  for (const int version : {1, 2, 3}) {
    const std::string npy = npy_bytes("<f2", "(1,)", bytes_of<std::uint16_t>(0x3c00), false, version);
    EXPECT_EQ(open_tensor_file(write_npz({{"v.npy", npy}}))->at("v").to_float(), std::vector<float>{1});
    const auto single = open_tensor_file(write_bytes(scratch_dir("npy") / "single.npy", npy));
    EXPECT_EQ(single->at("data").to_float(), std::vector<float>{1});
  }
  EXPECT_NE(open_error(write_npz({{"v.npy", npy_bytes("<f4", "(0,)", "", false, 4)}})).find("version 4"),
            std::string::npos);
}

TEST(Npz, OtherTypesAreLeftOutAndNamed) {
  const auto file =
      open_tensor_file(write_npz({{"text.npy", npy_bytes("<U3", "()", std::string(12, 'x'))},
                                  {"object.npy", npy_bytes("|O", "()", "cos\nsystem\n")},
                                  {"time.npy", npy_bytes("<M8[ns]", "()", bytes_of<std::int64_t>(5))}}));
  EXPECT_EQ(file->tensors().size(), 1u);
  EXPECT_EQ(file->at("time").to_int64(), std::vector<std::int64_t>{5});
  EXPECT_EQ(file->metadata().at("time"), "NPY type <M8[ns]");
  try {
    file->at("object");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("|O"), std::string::npos);
  }
}

TEST(Npz, RefusesBadHeaders) {
  const std::string data = bytes_of_all<float>({1, 2});
  for (const auto& npy :
       {npy_bytes("<f4", "(3,)", data), npy_bytes("<f4", "(4611686018427387904, 4)", data),
        npy_bytes("<f4", "(-2,)", data), npy_bytes("<f4", "(2", data),
        npy_bytes("<f4', 'x': '", "(2,)", data), npy_bytes("<f4", "(99999999999999999999,)", data),
        std::string("\x93NUMPY\x01\x00\xff\xff", 10), std::string("not npy at all")}) {
    EXPECT_NE(open_error(write_npz({{"x.npy", npy}})).find("x.npy"), std::string::npos);
  }
}

TEST(Npz, AFlippedBitIsFoundByTheChecksum) {
  std::string bytes = zip_bytes(good_items());
  const auto path = scratch_dir("crc") / "crc.npz";
  bytes[bytes.find(bytes_of(3.f))] ^= 1;
  EXPECT_NE(open_error(write_bytes(path, bytes)).find("checksum"), std::string::npos);
}

TEST(Npz, RefusesDamagedDirectories) {
  const auto dir = scratch_dir("directory");
  const std::string good = zip_bytes(good_items(), ZipKind::deflated);
  EXPECT_NE(open_error(write_bytes(dir / "cut", good.substr(0, good.size() - 30))).find("truncated"),
            std::string::npos);
  std::string bomb = good;
  const std::size_t record = bomb.find("PK\x01\x02");
  bomb.replace(record + 24, 4, bytes_of<std::uint32_t>(0x7fffffff));
  EXPECT_NE(open_error(write_bytes(dir / "bomb", bomb)).find("cannot come out"), std::string::npos);
  std::string encrypted = good;
  encrypted[record + 8] |= 1;
  EXPECT_NE(open_error(write_bytes(dir / "encrypted", encrypted)).find("encrypted"), std::string::npos);
  EXPECT_NE(open_error(write_npz({good_items()[0], good_items()[0]})).find("twice"), std::string::npos);
}

TEST(Npz, MutatedArchivesAreReadOrRefused) {
  const auto path = scratch_dir("mutated_npz") / "mutated.npz";
  for (const ZipKind kind : {ZipKind::stored, ZipKind::deflated, ZipKind::zip64}) {
    const std::string good = zip_bytes(good_items(), kind);
    const int refused = count_refused(path, 1000, [&](std::uint32_t seed) { return mutate(good, seed); });
    EXPECT_GT(refused, 500);
    EXPECT_LT(refused, 1000);
  }
}

TEST(Npz, MutatedArraysWithTrueChecksumsAreReadOrRefused) {
  const auto path = scratch_dir("mutated_npy") / "mutated.npz";
  const std::string good = npy_bytes(">f4", "(2, 3)", std::string(24, 'x'), true);
  const int refused = count_refused(path, 1000, [&](std::uint32_t seed) {
    return zip_bytes({{"a.npy", mutate(good, seed)}});
  });
  EXPECT_GT(refused, 300);
  EXPECT_LT(refused, 1000);
}

}  // namespace
}  // namespace mosaic::test
