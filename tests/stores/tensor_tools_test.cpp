#include <gtest/gtest.h>

#include "base/files.hpp"
#include "stores/convert.hpp"
#include "stores/inspect.hpp"
#include "stores/tensor_checksum.hpp"
#include "support/golden.hpp"
#include "tensor_samples.hpp"

namespace mosaic::test {
namespace {

std::string write_sample(const std::filesystem::path& dir) {
  return write_bytes(dir / "sample.npz",
                     zip_bytes({{"model.w.npy", npy_bytes("<f4", "(2, 3)", std::string(24, 'x'))},
                                {"count.npy", npy_bytes("<i8", "()", bytes_of<std::int64_t>(7))},
                                {"tag.npy", npy_bytes("<U1", "()", std::string(4, '\0'))}}));
}

TEST(Convert, KeepsNamesTypesShapesAndBytes) {
  const auto dir = scratch_dir("convert");
  const std::string from = write_sample(dir);
  const std::string to = (dir / "sample.safetensors").string();
  const auto result = convert_to_safetensors(from, to, {{"preset", "era5"}});
  EXPECT_EQ(result.tensors, 2u);
  EXPECT_EQ(result.bytes, 32u);

  const auto source = open_tensor_file(from);
  const auto written = open_tensor_file(to);
  ASSERT_EQ(written->tensors().size(), source->tensors().size());
  for (const auto& [name, view] : source->tensors()) {
    EXPECT_EQ(written->at(name).type, view.type);
    EXPECT_EQ(written->at(name).shape, view.shape);
    EXPECT_TRUE(std::ranges::equal(written->at(name).bytes, view.bytes)) << name;
  }
  EXPECT_EQ(written->metadata().at("source"), "sample.npz");
  EXPECT_EQ(written->metadata().at("source_sha256"), sha256_of_file(from));
  EXPECT_EQ(written->metadata().at("preset"), "era5");
  EXPECT_EQ(written->metadata().at("tag"), "NPY type <U1");
}

/// Every bit of a converted file counts: in the header, in the values, in the metadata.
TEST(Convert, AFlippedBitIsFoundByTheChecksum) {
  const auto dir = scratch_dir("convert_checksum");
  const std::string to = (dir / "sample.safetensors").string();
  convert_to_safetensors(write_sample(dir), to, {});
  EXPECT_NE(verify_tensors(*open_tensor_file(to)).find("as its metadata say"), std::string::npos);
  const std::string good = read_text(to);
  std::size_t read = 0;
  for (std::size_t bit = 0; bit < 8 * good.size(); bit += bit < 8 * 200 ? 1 : 7) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    write_bytes(to, bad);
    try {
      const std::string text = verify_tensors(*open_tensor_file(to));
      // The name of the checksum itself may be hit: then the file says that it carries none.
      EXPECT_NE(text.find("carries no checksum"), std::string::npos) << "bit " << bit;
      ++read;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::corrupt_input) << error.what();
      EXPECT_NE(std::string(error.what()).find(to), std::string::npos) << error.what();
    }
  }
  EXPECT_LT(read, 8 * std::string(checksum_key).size() + 1);
  write_bytes(to, good.substr(0, good.size() - 1) + static_cast<char>(good.back() ^ 1));
  EXPECT_NO_THROW(open_tensor_file(to));  // the twin: the format itself does not see it
  EXPECT_THROW(verify_tensors(*open_tensor_file(to)), Error);
  EXPECT_THROW(convert_to_safetensors(to, (dir / "again.safetensors").string(), {}), Error);
}

TEST(Convert, FilesWithoutAChecksumSaySo) {
  const std::string path = write_sample(scratch_dir("convert_none"));
  EXPECT_NE(verify_tensors(*open_tensor_file(path)).find("carries no checksum"), std::string::npos);
}

TEST(Convert, RefusesItsOwnKeysAndFilesWithoutTensors) {
  const auto dir = scratch_dir("convert_refuses");
  const std::string to = (dir / "out.safetensors").string();
  EXPECT_THROW(convert_to_safetensors(write_sample(dir), to, {{"source_sha256", "0"}}), Error);
  const std::string empty = write_bytes(dir / "empty.npz", zip_bytes({}));
  EXPECT_THROW(convert_to_safetensors(empty, to, {}), Error);
  EXPECT_FALSE(std::filesystem::exists(to));
}

TEST(InspectTensors, TextNamesEveryTensorAndCountsTheModel) {
  const std::string text = inspect_tensors(write_sample(scratch_dir("inspect")), InspectFormat::text);
  EXPECT_NE(text.find("2 tensors, 32 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("model.w  float32   [2, 3]  24 bytes"), std::string::npos) << text;
  EXPECT_NE(text.find("values under model.: 6"), std::string::npos) << text;
  EXPECT_NE(text.find("metadata tag = NPY type <U1"), std::string::npos) << text;
}

TEST(InspectTensors, JsonIsOneLine) {
  const std::string json = inspect_tensors(write_sample(scratch_dir("inspect_json")), InspectFormat::json);
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  EXPECT_NE(json.find(R"("model.w":{"type":"float32","shape":[2,3],"bytes":24})"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("model_values":6)"), std::string::npos) << json;
}

}  // namespace
}  // namespace mosaic::test
