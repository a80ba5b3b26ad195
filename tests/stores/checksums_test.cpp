#include "stores/checksums.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/chunk_codec.hpp"
#include "stores/field_store.hpp"
#include "stores/netcdf_document.hpp"
#include "stores/zarr_test_store.hpp"
#include "support/errors.hpp"
#include "support/job.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

void flip_bit(const std::string& path, std::size_t position) {
  std::string bytes = read_text(path);
  bytes.at(position) = static_cast<char>(bytes.at(position) ^ 4);
  write_text_atomically(path, bytes);
}

/// A store whose field `land_sea_mask` is not compressed: a flipped bit is another number.
SampleStore uncompressed_sample(const std::string& name) {
  SampleStore sample = write_sample(name);
  const std::vector<float> mask = sample_static(sample);
  std::vector<float> stored(mask.size());  // [lon, lat]
  const std::size_t columns = sample.grid->longitude.size();
  const std::size_t rows = sample.grid->latitude.size();
  for (std::size_t j = 0; j < rows; ++j) {
    for (std::size_t i = 0; i < columns; ++i) {
      stored[i * rows + j] = mask[j * columns + i];
    }
  }
  write_text_atomically(sample.path + "/land_sea_mask/0.0",
                        {reinterpret_cast<const char*>(stored.data()), stored.size() * sizeof(float)});
  std::string text = read_text(sample.path + "/.zmetadata");
  const std::size_t mask_at = text.find("land_sea_mask/.zarray");
  const std::size_t start = text.find('{', text.find("\"compressor\"", mask_at));
  text.replace(start, text.find('}', start) + 1 - start, "null");
  write_text_atomically(sample.path + "/.zmetadata", text);
  return sample;
}

void write_manifest(const std::string& path) {
  ChecksumManifest::of(path, 2).write(ChecksumManifest::default_path(path));
}

FieldStoreOptions verifying() {
  FieldStoreOptions options;
  options.verify_checksums = true;
  return options;
}

TEST(Checksums, MissingExtraAndDifferingFilesAreAllListed) {
  const SampleStore sample = write_sample("checksums");
  write_manifest(sample.path);
  EXPECT_NE(verify_checksums(sample.path, "", 2).find("all as"), std::string::npos);
  EXPECT_EQ(ChecksumManifest::of(sample.path, 1).differences(ChecksumManifest::of(sample.path, 3)),
            std::vector<std::string>{});
  flip_bit(sample.path + "/level/0", 20);
  fs::remove(sample.path + "/temperature/1.0.0.0");
  fs::resize_file(sample.path + "/time/0", 5);
  write_text_atomically(sample.path + "/geopotential/9.0.0.0", "new");
  std::string message;
  EXPECT_EQ(code_of([&] { verify_checksums(sample.path, "", 2); }, &message), ExitCode::corrupt_input);
  for (const char* line : {"differs: level/0", "missing: temperature/1.0.0.0", "differs: time/0 (5 bytes",
                           "extra: geopotential/9.0.0.0", "4 files"}) {
    EXPECT_NE(message.find(line), std::string::npos) << line << " in " << message;
  }
}

TEST(Checksums, AFlippedBitOfUncompressedDataIsAnErrorWhereAskedFor) {
  const SampleStore sample = uncompressed_sample("checksums_bit");
  write_manifest(sample.path);
  const std::vector<float> good = open_field_store(sample.path, verifying())->read_static("land_sea_mask");
  EXPECT_EQ(good, sample_static(sample));
  flip_bit(sample.path + "/land_sea_mask/0.0", 42);
  // The twin: without the manifest another number is read.
  EXPECT_NE(open_field_store(sample.path, {})->read_static("land_sea_mask"), good);
  std::string message;
  const auto store = open_field_store(sample.path, verifying());
  EXPECT_EQ(code_of([&] { store->read_static("land_sea_mask"); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find("land_sea_mask/0.0"), std::string::npos) << message;
  EXPECT_NE(message.find("fetch it again"), std::string::npos) << message;
  EXPECT_NO_THROW(store->read(sample.times[1], sample.channels));
}

TEST(Checksums, MetadataCoordinatesAndAbsentChunksCountToo) {
  const SampleStore sample = write_sample("checksums_metadata");
  EXPECT_EQ(code_of([&] { open_field_store(sample.path, verifying()); }), ExitCode::missing_input);
  write_manifest(sample.path);
  std::string message;
  fs::remove(sample.path + "/temperature/1.0.0.0");  // NaN where nobody asks
  EXPECT_EQ(
      code_of([&] { open_field_store(sample.path, verifying())->read(sample.times[1], sample.channels); },
              &message),
      ExitCode::missing_input);
  EXPECT_NE(message.find("temperature/1.0.0.0"), std::string::npos) << message;
  std::string text = read_text(sample.path + "/.zmetadata");
  text.replace(text.find("m2 s-2"), 6, "m2 s-1");
  write_text_atomically(sample.path + "/.zmetadata", text);
  EXPECT_NO_THROW(open_field_store(sample.path, {}));
  EXPECT_EQ(code_of([&] { open_field_store(sample.path, verifying()); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find(".zmetadata"), std::string::npos) << message;
}

TEST(Checksums, DamagedManifestsAreRefused) {
  const std::string path = (scratch_dir("checksums_manifest") / "manifest.json").string();
  for (const char* text :
       {"", "[]", "{", R"({"format":"other","files":{}})", R"({"format":"mosaic checksums 1"})",
        R"({"format":"mosaic checksums 1","files":{"a":7}})",
        R"({"format":"mosaic checksums 1","files":{"a":{"bytes":-1,"sha256":"x"}}})"}) {
    write_text_atomically(path, text);
    std::string message;
    EXPECT_EQ(code_of([&] { ChecksumManifest::load(path); }, &message), ExitCode::corrupt_input) << text;
    EXPECT_NE(message.find(path), std::string::npos) << message;
  }
}

TEST(Checksums, TheProgramWritesAndComparesManifests) {
  const std::string program = std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_data";
  const fs::path folder = scratch_dir("checksums_program");
  const std::string file = (folder / "data.nc").string();
  write_text_atomically(file, "some bytes");
  const Job written = run_job({program, "verify", file, "--write-checksums"});
  EXPECT_EQ(written.code, 0) << written.output;
  EXPECT_EQ(run_job({program, "verify", file, "--checksums"}).code, 0);
  flip_bit(file, 3);
  const Job job = run_job({program, "verify", file, "--checksums"});
  EXPECT_EQ(job.code, static_cast<int>(ExitCode::corrupt_input)) << job.output;
  EXPECT_NE(job.output.find("differs: data.nc"), std::string::npos) << job.output;
  const std::string other = (folder / "other.json").string();
  EXPECT_EQ(run_job({program, "verify", file, "--write-checksums", other}).code, 0);
  EXPECT_EQ(run_job({program, "verify", file, "--checksums", other}).code, 0);
}

}  // namespace
}  // namespace mosaic::test
