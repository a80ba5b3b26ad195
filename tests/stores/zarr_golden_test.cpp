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
#include "support/golden_store.hpp"

namespace mosaic {
namespace {

using nlohmann::json;

/// The golden data allow a clear refusal of what they note as optional.
bool may_be_refused(const json& expected) {
  return expected.value("note", "").find("optional") != std::string::npos;
}

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
      EXPECT_TRUE(may_be_refused(entry)) << error.what();
      EXPECT_EQ(error.code(), ExitCode::corrupt_input);
      EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
    }
  }
}

/// Numbers that are stated as numbers: not packed, not optional, sum and ends finite.
bool has_plain_numbers(const json& expected) {
  return expected.contains("sum") && expected["sum"].is_number() && !expected["first"].empty() &&
         expected["first"].front().is_number() && expected["last"].back().is_number() &&
         !expected.contains("unpacked") && !may_be_refused(expected);
}

TEST(ZarrGolden, ValuesAreConvertedByType) {
  GOLDEN_OR_SKIP(path, "eval/encodings");
  const json expected = json::parse(read_text((path / "expected.json").string()));
  const ZarrStore store((path / "zoo.zarr").string());
  std::set<std::string> types;
  for (const auto& [name, entry] : expected.items()) {
    if (!has_plain_numbers(entry)) {
      continue;
    }
    SCOPED_TRACE(name);
    types.insert(entry["dtype"].get<std::string>());
    const std::vector<double> values = store.read_double(name, ZarrBox::all(store.array(name)), 2);
    double sum = 0.0;
    double largest = 0.0;
    std::size_t nans = 0;
    for (const double value : values) {
      nans += std::isnan(value) ? 1 : 0;
      sum += std::isnan(value) ? 0.0 : value;
      largest = std::isnan(value) ? largest : std::max(largest, std::fabs(value));
    }
    // n roundings of a running sum that never exceeds n max|x|.
    const double n = static_cast<double>(values.size());
    EXPECT_NEAR(sum, entry["sum"].get<double>(), n * n * largest * 0x1p-53);
    EXPECT_EQ(nans, entry["nan_count"].get<std::size_t>());
    EXPECT_EQ(values.front(), entry["first"].front().get<double>());
    EXPECT_EQ(values.back(), entry["last"].back().get<double>());
  }
  EXPECT_GT(types.size(), 1U);
}

/// Must fail: one changed item changes the digest that the test above compares.
TEST(ZarrGolden, AChangedItemIsNoticed) {
  GOLDEN_OR_SKIP(path, "eval/encodings");
  const json expected = json::parse(read_text((path / "expected.json").string()));
  const ZarrStore store((path / "zoo.zarr").string());
  for (const auto& [name, entry] : expected.items()) {
    if (has_plain_numbers(entry)) {
      std::vector<std::byte> bytes = store.read_bytes(name, ZarrBox::all(store.array(name)), 1);
      bytes[bytes.size() / 2] ^= std::byte{1};
      EXPECT_NE(sha256(bytes), entry["sha256_le_c_order"]) << name;
    }
  }
}

TEST(ZarrGolden, AnotherLayoutOfTheSameTruthIsTheSame) {
  GOLDEN_OR_SKIP(path, "eval/medium/truth_alt_layout.zarr");
  GOLDEN_OR_SKIP(usual, "eval/medium/truth.zarr");
  ZarrFields truth(usual.string(), {});
  FieldStoreOptions two_threads;
  two_threads.threads = 2;
  ZarrFields other(path.string(), two_threads);
  EXPECT_EQ(truth.grid(), other.grid());
  EXPECT_NE(truth.identity(), other.identity());
  const auto channels = std::make_shared<const ChannelSet>(test::GoldenStore(path).channels);
  ASSERT_FALSE(channels->empty());
  ASSERT_FALSE(other.times().empty());
  for (const Time time : other.times()) {
    EXPECT_EQ(truth.read(time, channels).values, other.read(time, channels).values) << to_string(time);
  }
  EXPECT_EQ(truth.read_static("land_sea_mask"), other.read_static("land_sea_mask"));
}

}  // namespace
}  // namespace mosaic
