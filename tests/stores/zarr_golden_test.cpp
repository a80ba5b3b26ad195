#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/zarr.hpp"
#include "stores/zarr_fields.hpp"
#include "support/golden.hpp"

namespace mosaic {
namespace {

using nlohmann::json;

/// The README of the golden data allows a clear refusal of these.
const std::set<std::string> may_be_refused{"bz2", "delta_filter", "shuffle_filter_zlib"};

std::string sha256(const std::vector<std::byte>& bytes) {
  return sha256_of_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string sha256(const std::vector<double>& values) {
  return sha256_of_text({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(double)});
}

/// b'text' -> text
std::string plain(std::string text) {
  return text.starts_with("b'") ? text.substr(2, text.size() - 3) : text;
}

void expect_decoded(const ZarrStore& store, const std::string& name, const json& expected) {
  const ZarrArray& array = store.array(name);
  if (expected.contains("shape")) {
    EXPECT_EQ(array.shape, expected["shape"].get<std::vector<std::size_t>>());
  }
  for (const int threads : {1, 3}) {
    if (expected.contains("sha256_le_c_order")) {
      EXPECT_EQ(sha256(store.read_bytes(name, ZarrBox::all(array), threads)), expected["sha256_le_c_order"]);
    }
    if (expected.contains("unpacked")) {
      EXPECT_EQ(sha256(store.read_double(name, ZarrBox::all(array), threads)),
                expected["unpacked"]["sha256_le_c_order"]);
    }
  }
  if (expected.contains("values")) {
    std::vector<std::string> texts;
    for (const json& text : expected["values"]) {
      texts.push_back(plain(text.get<std::string>()));
    }
    EXPECT_EQ(store.read_strings(name), texts);
  }
}

TEST(ZarrGolden, EveryEncodingDecodesToItsDigestOrIsRefused) {
  GOLDEN_OR_SKIP(path, "eval/encodings");
  const json expected = json::parse(read_text((path / "expected.json").string()));
  const ZarrStore store((path / "zoo.zarr").string());
  EXPECT_EQ(store.names().size(), expected.size());
  for (const auto& [name, entry] : expected.items()) {
    SCOPED_TRACE(name);
    try {
      expect_decoded(store, name, entry);
    } catch (const Error& error) {
      EXPECT_TRUE(may_be_refused.contains(name)) << error.what();
      EXPECT_EQ(error.code(), ExitCode::corrupt_input);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

TEST(ZarrGolden, ValuesAreConvertedByType) {
  GOLDEN_OR_SKIP(path, "eval/encodings");
  const json expected = json::parse(read_text((path / "expected.json").string()));
  const ZarrStore store((path / "zoo.zarr").string());
  for (const char* name : {"float16", "float64", "big_endian", "int64", "uint8_bool", "scalar"}) {
    SCOPED_TRACE(name);
    const std::vector<double> values = store.read_double(name, ZarrBox::all(store.array(name)), 2);
    double sum = 0.0;
    for (const double value : values) {
      sum += value;
    }
    // n roundings of a running sum that never exceeds n max|x|.
    const double n = static_cast<double>(values.size());
    double largest = 0.0;
    for (const double value : values) {
      largest = std::max(largest, std::fabs(value));
    }
    EXPECT_NEAR(sum, expected[name]["sum"].get<double>(), n * n * largest * 0x1p-53);
    EXPECT_EQ(values.front(), expected[name]["first"].front().get<double>());
    EXPECT_EQ(values.back(), expected[name]["last"].back().get<double>());
  }
}

/// Must fail: one changed item changes the digest that the test above compares.
TEST(ZarrGolden, AChangedItemIsNoticed) {
  GOLDEN_OR_SKIP(path, "eval/encodings");
  const json expected = json::parse(read_text((path / "expected.json").string()));
  const ZarrStore store((path / "zoo.zarr").string());
  std::vector<std::byte> bytes = store.read_bytes("zstd", ZarrBox::all(store.array("zstd")), 1);
  bytes[bytes.size() / 2] ^= std::byte{1};
  EXPECT_NE(sha256(bytes), expected["zstd"]["sha256_le_c_order"]);
}

TEST(ZarrGolden, AnotherLayoutOfTheSameTruthIsTheSame) {
  GOLDEN_OR_SKIP(path, "eval/medium/truth_alt_layout.zarr");
  ZarrFields truth((path.parent_path() / "truth.zarr").string(), {});
  FieldStoreOptions two_threads;
  two_threads.threads = 2;
  ZarrFields other(path.string(), two_threads);
  EXPECT_EQ(truth.grid(), other.grid());
  EXPECT_NE(truth.identity(), other.identity());
  const auto channels = std::make_shared<const ChannelSet>(ChannelSet{{"2m_temperature", {}},
                                                                      {"geopotential", 500},
                                                                      {"v_component_of_wind", 500},
                                                                      {"u_component_of_wind", 500}});
  ASSERT_FALSE(other.times().empty());
  for (const Time time : other.times()) {
    EXPECT_EQ(truth.read(time, channels).values, other.read(time, channels).values) << to_string(time);
  }
  EXPECT_EQ(truth.read_static("land_sea_mask"), other.read_static("land_sea_mask"));
}

}  // namespace
}  // namespace mosaic
