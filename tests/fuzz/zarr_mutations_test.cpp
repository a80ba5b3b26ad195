#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "base/files.hpp"
#include "fuzz/campaign.hpp"
#include "stores/chunk_codec.hpp"
#include "stores/forecast_samples.hpp"
#include "stores/zarr_test_store.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

const std::string folder_name = "sample.zarr/";
const std::vector<std::string> channels = {"2m_temperature", "geopotential_500", "geopotential_850",
                                           "temperature_500", "temperature_850"};

bool is_metadata(const std::string& name) { return name.find("/.z") != std::string::npos; }

Files files_below(const std::string& path) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) {
      files[folder_name + fs::relative(entry.path(), path).string()] = read_text(entry.path().string());
    }
  }
  return files;
}

std::string zlib_stream(const std::string& bytes) {
  uLongf size = compressBound(bytes.size());
  std::string out(size, '\0');
  compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
           bytes.size());
  out.resize(size);
  return out;
}

/// The sample with its blosc chunks stored otherwise.
Files recoded(Files files, bool compressed) {
  for (auto& [name, bytes] : files) {
    if (is_metadata(name)) {
      for (std::size_t at = bytes.find("\"compressor\""); at != std::string::npos;
           at = bytes.find("\"compressor\"", at + 1)) {
        const std::size_t start = bytes.find('{', at);
        const std::size_t null = bytes.find("null", at);
        if (start < null) {
          bytes.replace(start, bytes.find('}', start) + 1 - start,
                        compressed ? R"({"id":"zlib","level":1})" : "null");
        }
      }
      continue;
    }
    const auto* header = reinterpret_cast<const unsigned char*>(bytes.data());
    std::uint32_t size = 0;
    std::memcpy(&size, header + 4, sizeof(size));
    const auto decoded =
        decode_chunk(ChunkCodec::blosc, std::as_bytes(std::span(bytes)), size, "sample " + name);
    const std::string plain(reinterpret_cast<const char*>(decoded.data()), decoded.size());
    bytes = compressed ? zlib_stream(plain) : plain;
  }
  return files;
}

struct JsonEdit {
  const char* pointer;
  const char* value;
};

/// Each makes metadata that cannot be true of the sample.
constexpr JsonEdit impossible_metadata[] = {{"/geopotential~1.zarray/shape", "(remove)"},
                                            {"/geopotential~1.zarray/chunks", "(remove)"},
                                            {"/geopotential~1.zarray/dtype", "(remove)"},
                                            {"/geopotential~1.zarray/order", "(remove)"},
                                            {"/geopotential~1.zarray/compressor", "(remove)"},
                                            {"/geopotential~1.zarray/zarr_format", "3"},
                                            {"/geopotential~1.zarray/shape/0", "4"},
                                            {"/geopotential~1.zarray/shape/0", "1099511627776"},
                                            {"/geopotential~1.zarray/shape/1", "-2"},
                                            {"/geopotential~1.zarray/shape/2", "6.0"},
                                            {"/geopotential~1.zarray/chunks/0", "0"},
                                            {"/geopotential~1.zarray/chunks/0", "1000000000000"},
                                            {"/geopotential~1.zarray/chunks/2", "7"},
                                            {"/geopotential~1.zarray/chunks", "[1]"},
                                            {"/geopotential~1.zarray/chunks", "\"all\""},
                                            {"/geopotential~1.zarray/dtype", "\"<f8\""},
                                            {"/geopotential~1.zarray/dtype", "\"<i2\""},
                                            {"/geopotential~1.zarray/dtype", "\"|S1000\""},
                                            {"/geopotential~1.zarray/dtype", "\"<f4096\""},
                                            {"/geopotential~1.zarray/dtype", "[[\"a\",\"<f4\"]]"},
                                            {"/geopotential~1.zarray/compressor", "{\"id\":\"bz2\"}"},
                                            {"/geopotential~1.zarray/compressor", "{\"id\":\"gzip\"}"},
                                            {"/geopotential~1.zarray/compressor", "{\"id\":\"lz4\"}"},
                                            {"/geopotential~1.zarray/order", "\"A\""},
                                            {"/geopotential~1.zarray/order", "1"},
                                            {"/geopotential~1.zarray/filters", "[{\"id\":\"delta\"}]"},
                                            {"/geopotential~1.zarray/filters", "7"},
                                            {"/geopotential~1.zarray/filters", "\"none\""},
                                            {"/geopotential~1.zarray/fill_value", "\"nothing\""},
                                            {"/geopotential~1.zarray/fill_value", "[0]"},
                                            {"/geopotential~1.zarray/dimension_separator", "\"-\""},
                                            {"/geopotential~1.zattrs/_ARRAY_DIMENSIONS", "[\"time\"]"},
                                            {"/geopotential~1.zattrs/_ARRAY_DIMENSIONS/0", "\"week\""},
                                            {"/geopotential~1.zattrs/_ARRAY_DIMENSIONS/1", "7"},
                                            {"/geopotential~1.zattrs/scale_factor", "\"two\""},
                                            {"/geopotential~1.zattrs/add_offset", "[1]"},
                                            {"/time~1.zarray/shape/0", "2"},
                                            {"/time~1.zarray/shape/0", "1000000"},
                                            {"/time~1.zarray/shape/0", "0"},
                                            {"/time~1.zarray", "(remove)"},
                                            {"/time~1.zattrs/units", "\"fortnights since 2020-01-01\""},
                                            {"/time~1.zattrs/units", "\"hours\""},
                                            {"/time~1.zattrs/units", "1"},
                                            {"/time~1.zattrs/calendar", "\"360_day\""},
                                            {"/latitude~1.zarray/shape", "[4,1]"},
                                            {"/latitude~1.zarray/shape/0", "3"},
                                            {"/latitude~1.zarray/dtype", "\"<i4\""},
                                            {"/longitude~1.zarray", "(remove)"},
                                            {"/longitude~1.zarray/shape/0", "5"},
                                            {"/level~1.zattrs/units", "\"fathoms\""},
                                            {"/level~1.zarray/shape/0", "1"}};

/// An edit of the consolidated metadata that cannot be true.
Mutation impossible(Mutator& mutator, const Files& sample) {
  const JsonEdit& edit = impossible_metadata[mutator.below(std::size(impossible_metadata))];
  Files files = sample;
  std::string& text = files.at(folder_name + ".zmetadata");
  text = with_json(text, "/metadata" + std::string(edit.pointer), edit.value);
  return {files, Allowed::nothing, std::string(edit.pointer) + " " + edit.value};
}

/// Without the consolidated metadata those of each array count.
Files unconsolidated(Files files) {
  files.erase(folder_name + ".zmetadata");
  return files;
}

std::string any_name(Mutator& mutator, const Files& files, bool metadata) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : files) {
    if (is_metadata(name) == metadata) {
      names.push_back(name);
    }
  }
  return names[mutator.below(names.size())];
}

bool is_coordinate(const std::string& chunk) {
  const std::string array = chunk.substr(folder_name.size(), chunk.rfind('/') - folder_name.size());
  return array == "time" || array == "level" || array == "latitude" || array == "longitude";
}

/// Whether damage to the values of a chunk can be seen at all: coordinates are numbers like any others.
Allowed allowed_for(const std::string& chunk) {
  return is_coordinate(chunk) ? Allowed::reading : Allowed::same_structure;
}

Mutation mutate_zarr(Mutator& mutator, const Files& sample) {
  Files files = mutator.one_in(3) ? unconsolidated(sample) : sample;
  const std::string metadata = any_name(mutator, files, true);
  const std::string chunk = any_name(mutator, files, false);
  switch (mutator.below(9)) {
    case 0:
    case 1:
      return impossible(mutator, sample);
    case 2:
      files[metadata] = mutator.json_edited(files[metadata]);
      return {files, Allowed::reading, "JSON of " + metadata};
    case 3:
      files[metadata] = mutator.changed(files[metadata]);
      return {files, Allowed::reading, "bytes of " + metadata};
    case 4:
      files[chunk] = mutator.changed(files[chunk]);
      return {files, allowed_for(chunk), "bytes of " + chunk};
    case 5:
      files[chunk] = mutator.inflated(files[chunk]);
      return {files, allowed_for(chunk), "lengths in " + chunk};
    case 6:
      files[chunk] = mutator.cut(files[chunk]);
      return {files, Allowed::nothing, "cut off: " + chunk};
    case 7:
      files.erase(chunk);
      return {files, is_coordinate(chunk) ? Allowed::nothing : Allowed::same_structure, "absent: " + chunk};
    default: {
      const std::string other = any_name(mutator, files, false);
      std::swap(files[chunk], files[other]);
      return {files, Allowed::reading, "exchanged: " + chunk + " and " + other};
    }
  }
}

/// Damage that needs no knowledge of the sample.
Mutation mutate_any_zarr(Mutator& mutator, const Files& sample) {
  Files files = sample;
  const std::string metadata = any_name(mutator, files, true);
  const std::string chunk = any_name(mutator, files, false);
  switch (mutator.below(5)) {
    case 0:
    case 1:
      files[metadata] = mutator.json_edited(files[metadata]);
      return {files, Allowed::reading, "JSON of " + metadata};
    case 2:
      files[metadata] = mutator.changed(files[metadata]);
      return {files, Allowed::reading, "bytes of " + metadata};
    case 3:
      files[chunk] = mutator.cut(files[chunk]);
      return {files, Allowed::nothing, "cut off: " + chunk};
    default:
      files[chunk] = mutator.changed(files[chunk]);
      return {files, Allowed::reading, "bytes of " + chunk};
  }
}

void run_sample(const std::string& name, const SampleFile& file,
                const std::function<Contents(const std::string& path)>& read) {
  const std::string path = (scratch_dir(name) / "sample.zarr").string();
  write_zarr_sample(path, file, {{"time", 1}, {"prediction_timedelta", 2}, {"dayofyear", 3}});
  const Tally tally = run_campaign({.name = name,
                                    .opened = "sample.zarr",
                                    .sample = files_below(path),
                                    .read = read,
                                    .mutate = mutate_any_zarr},
                                   mutation_count() / 2);
  EXPECT_GT(tally.refused, tally.files / 3);
}

void run(const std::string& name, const Files& sample) {
  const HostileFormat format{.name = name,
                             .opened = "sample.zarr",
                             .sample = sample,
                             .read = [](const std::string& path) { return read_zarr(path, channels); },
                             .mutate = mutate_zarr};
  const Tally tally =
      run_campaign(format, mutation_count() / 2);  // three kinds of store are 1.5 times as many
  EXPECT_GT(tally.refused, tally.files / 2);
  EXPECT_GT(tally.other_values, 0U);
}

TEST(HostileZarr, Blosc) { run("zarr_blosc", files_below(write_sample("hostile").path)); }

TEST(HostileZarr, Zlib) { run("zarr_zlib", recoded(files_below(write_sample("hostile").path), true)); }

TEST(HostileZarr, Uncompressed) {
  run("zarr_uncompressed", recoded(files_below(write_sample("hostile").path), false));
}

TEST(HostileZarr, Forecasts) {
  run_sample("zarr_forecasts", forecast_sample::file(forecast_sample::weatherbench()), read_forecasts);
}

TEST(HostileZarr, Climatologies) {
  run_sample("zarr_climatology", climatology_sample::file(climatology_sample::weatherbench()),
             read_climatology);
}

}  // namespace
}  // namespace mosaic::test
