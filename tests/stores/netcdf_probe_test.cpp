#include "stores/netcdf_probe.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "base/files.hpp"
#include "forecast_samples.hpp"
#include "stores/netcdf_document.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"
#include "support/job.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

std::string program() { return std::string(std::getenv("MOSAIC_BIN")) + "/mosaic_data"; }

std::string write_sample(const std::string& name) {
  NetcdfDocument file;
  file.dimensions = {{"time", 3}, {"latitude", 2}, {"longitude", 2}};
  file.variables = {{"time",
                     {"time"},
                     std::vector<std::int64_t>{0, 6, 12},
                     {{"units", std::string("hours since 2020-01-01")}}},
                    {"latitude", {"latitude"}, std::vector<double>{0, 10}, {}},
                    {"longitude", {"longitude"}, std::vector<double>{0, 180}, {}},
                    {"t2m", {"time", "latitude", "longitude"}, std::vector<float>(12, 280.0F), {}}};
  const std::string path = (scratch_dir("probe_" + name) / "sample.nc").string();
  write_netcdf(path, file);
  return path;
}

/// A program that answers a probe with these lines of shell.
ProbeLimits answering(const std::string& lines) {
  const fs::path script = scratch_dir("probe_program") / "program.sh";
  std::ofstream(script) << "#!/bin/sh\n" << lines << "\n";
  fs::permissions(script, fs::perms::owner_all);
  ProbeLimits limits;
  limits.program = script.string();
  limits.seconds = 0.5;
  return limits;
}

TEST(NetcdfProbe, AnUndamagedFilePasses) {
  ProbeLimits limits;
  limits.program = program();
  std::string message;
  EXPECT_EQ(code_of([&] { probe_netcdf(write_sample("good"), {}, limits); }, &message), ExitCode::complete)
      << message;
}

TEST(NetcdfProbe, ErrorsOfTheChildAreOurs) {
  ProbeLimits limits;
  limits.program = program();
  const std::string path = write_sample("short");
  fs::resize_file(path, fs::file_size(path) / 2);
  std::string message;
  EXPECT_EQ(code_of([&] { probe_netcdf(path, {}, limits); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find(path), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { probe_netcdf("no/such.nc", {}, limits); }, &message), ExitCode::missing_input);
  FieldStoreOptions options;
  options.member = 3;
  EXPECT_EQ(code_of([&] { probe_netcdf(write_sample("member"), options, limits); }, &message),
            ExitCode::missing_input);
  EXPECT_NE(message.find("member 3"), std::string::npos) << message;
}

struct Ending {
  const char* lines;
  const char* word;
};

TEST(NetcdfProbe, CrashesAndHangsBecomeErrorsThatNameTheFile) {
  for (const Ending& ending : {Ending{"echo file some.nc\nkill -SEGV $$", "signal 11"},
                               Ending{"echo file some.nc\nkill -ABRT $$", "signal 6"},
                               Ending{"echo file some.nc\nexit 1", "exit code 1"},
                               Ending{"echo file some.nc\nkill -XCPU $$", "did not end"},
                               Ending{"echo file some.nc\nexec sleep 100", "did not end"},
                               Ending{"echo file some.nc\nexec >&-\nexec sleep 100", "did not end"}}) {
    const auto start = std::chrono::steady_clock::now();
    std::string message;
    EXPECT_EQ(code_of([&] { probe_netcdf("all*.nc", {}, answering(ending.lines)); }, &message),
              ExitCode::corrupt_input);
    EXPECT_NE(message.find(ending.word), std::string::npos) << message;
    EXPECT_TRUE(message.starts_with("some.nc: ")) << message;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  }
}

TEST(NetcdfProbe, OnlyNetcdfIsTried) {
  const auto fails = answering("exit 1");
  EXPECT_NO_THROW(probe_netcdf(scratch_dir("probe_folder").string(), {}, fails));
  EXPECT_NO_THROW(probe_netcdf("some.zarr", {}, fails));
}

TEST(NetcdfProbe, ForecastsAndClimatologiesAreTriedAsWhatTheyAre) {
  ProbeLimits limits;
  limits.program = program();
  const fs::path folder = scratch_dir("probe_forecasts");
  const std::string forecast = (folder / "forecast.nc").string();
  SampleFile file = forecast_sample::file(forecast_sample::weatherbench());
  file.array("geopotential").name = "Z";
  write_netcdf_sample(forecast, file);
  ForecastStoreOptions options;
  options.rename = {{"Z", "geopotential"}, {"in_another_file", "temperature"}};
  EXPECT_NO_THROW(probe_forecasts(forecast, options, limits));
  EXPECT_NO_THROW(probe_forecasts(folder.string(), {}, limits));
  EXPECT_NO_THROW(probe_store(forecast, limits));
  const std::string climatology = (folder / "climatology.nc").string();
  write_netcdf_sample(climatology, climatology_sample::file(climatology_sample::weatherbench()));
  EXPECT_NO_THROW(probe_climatology(climatology, {}, limits));
  EXPECT_NO_THROW(probe_store(climatology, limits));
  std::string message;
  EXPECT_EQ(code_of([&] { probe_forecasts(climatology, {}, limits); }, &message), ExitCode::missing_input);
  EXPECT_NE(message.find("no lead time"), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { probe_climatology(forecast, {}, limits); }, &message), ExitCode::missing_input);
  EXPECT_NE(message.find("dayofyear"), std::string::npos) << message;
  EXPECT_EQ(code_of([&] { probe_forecasts("no/such.nc", {}, limits); }, &message), ExitCode::missing_input);
  fs::resize_file(forecast, fs::file_size(forecast) - 300);
  EXPECT_EQ(code_of([&] { probe_forecasts(forecast, {}, limits); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find(forecast), std::string::npos) << message;
}

TEST(NetcdfProbe, OtherFormatsOfForecastsAreLeftAlone) {
  const auto fails = answering("exit 1");
  const std::string path = (scratch_dir("probe_zarr") / "sample.zarr").string();
  write_zarr_sample(path, forecast_sample::file(forecast_sample::weatherbench()));
  EXPECT_NO_THROW(probe_forecasts(path, {}, fails));
  EXPECT_NO_THROW(probe_store(path, fails));
  EXPECT_NO_THROW(probe_forecasts("some.zarr", {}, fails));
}

/// A file on which HDF5 1.10.8 crashes: the program survives and says so.
TEST(NetcdfProbe, TheProgramOutlivesAFileThatCrashesTheLibrary) {
  const fs::path folder = fs::path(std::getenv("MOSAIC_SOURCE")) / "tests/fuzz/corpus/netcdf";
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("crash")) {
      continue;
    }
    const Job job = run_job({program(), "inspect", entry.path().string()});
    EXPECT_EQ(job.code, static_cast<int>(ExitCode::corrupt_input)) << job.output;
    EXPECT_NE(job.output.find(entry.path().filename().string()), std::string::npos) << job.output;
    ++files;
  }
  EXPECT_GT(files, 0U);
}

/// A forecast with one damaged length, for which HDF5 1.10.8 asks for gigabytes. NetCDF goes on where it is
/// refused them, so that a mere limit lets the file pass.
TEST(NetcdfProbe, AFileThatAsksForGigabytesIsRefused) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "address space has no limit under AddressSanitizer";
#endif
  const Job job =
      run_job({program(), "inspect",
               std::string(std::getenv("MOSAIC_SOURCE")) + "/tests/stores/damaged/length_of_gigabytes.nc"});
  EXPECT_EQ(job.code, static_cast<int>(ExitCode::corrupt_input)) << job.output;
  EXPECT_NE(job.output.find("4 GiB of memory or more at once"), std::string::npos) << job.output;
}

std::string damaged(const std::string& name) {
  return (fs::path(std::getenv("MOSAIC_SOURCE")) / "tests/stores/damaged" / name).string();
}

/// An attribute whose header leads behind the block that HDF5 1.10.8 has read it into. What lies there
/// depends on what the process did before: zeros, with which the file passes, or something on which NetCDF
/// crashes.
TEST(NetcdfProbe, AFileThatLeadsBehindABlockOfTheLibraryIsRefused) {
  ProbeLimits limits;
  limits.program = program();
  const std::string file = damaged("attribute_beyond_its_header.nc");
  std::string message;
  EXPECT_EQ(code_of([&] { probe_climatology(file, {}, limits); }, &message), ExitCode::corrupt_input);
  EXPECT_NE(message.find("crashed the NetCDF library"), std::string::npos) << message;
}

/// The number of a dimension, or the place of its coordinate, is what a block held that nothing was read
/// into.
TEST(NetcdfProbe, FilesThatAreTakenFromUnreadMemoryAreRefused) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "AddressSanitizer does not watch what memory held before";
#endif
  ProbeLimits limits;
  limits.program = program();
  const std::string state = damaged("dimension_from_unread_memory.nc");
  const std::string forecast = damaged("dimension_list_without_elements.nc");
  std::string message;
  EXPECT_EQ(code_of([&] { probe_netcdf(state, {}, limits); }, &message), ExitCode::corrupt_input);
  EXPECT_TRUE(message.starts_with(state)) << message;
  EXPECT_EQ(code_of([&] { probe_forecasts(forecast, {}, limits); }, &message), ExitCode::corrupt_input);
  EXPECT_TRUE(message.starts_with(forecast)) << message;
}

/// Each has a small part of the time, and what it takes to open them says nothing about their contents.
TEST(NetcdfProbe, ManySmallFilesPassInLittleTime) {
  const fs::path folder = scratch_dir("probe_many");
  const std::string first = (folder / "0.nc").string();
  write_netcdf_sample(first, forecast_sample::file(forecast_sample::weatherbench()));
  constexpr int files = 20;
  for (int i = 1; i < files; ++i) {
    fs::copy_file(first, folder / (std::to_string(i) + ".nc"));
  }
  ProbeLimits limits;
  limits.program = program();
  limits.reading_seconds = 0;
  EXPECT_NO_THROW(probe_forecasts(folder.string(), {}, limits));
}

}  // namespace
}  // namespace mosaic::test
