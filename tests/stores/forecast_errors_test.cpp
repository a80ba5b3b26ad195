#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "base/files.hpp"
#include "forecast_samples.hpp"
#include "stores/checksums.hpp"
#include "stores/forecast_store.hpp"
#include "support/errors.hpp"
#include "support/golden.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;
namespace sample = forecast_sample;

/// What opening and reading all of a store raises: its code and words of its message.
void expect_error(const std::string& path, ExitCode code, const std::vector<std::string>& words,
                  const ForecastStoreOptions& options = {}) {
  std::string message;
  const ExitCode found = code_of(
      [&] {
        const auto store = open_forecast_store(path, options);
        for (const Duration lead : store->leads()) {
          store->read(store->initial_times().front(), lead, sample::channels);
        }
      },
      &message);
  EXPECT_EQ(found, code) << message;
  for (const std::string& word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << word << " in: " << message;
  }
}

/// A change of the sample and the error that it must give, in both formats.
struct Damage {
  const char* what;
  void (*change)(SampleFile& file);
  ExitCode code;
  std::vector<std::string> words;
};

const std::vector<Damage>& damages() {
  using F = SampleFile;
  static const std::vector<Damage> list = {
      {"no lead",
       [](F& f) { f.erase("prediction_timedelta"); },
       ExitCode::missing_input,
       {"no lead time", "prediction_timedelta", "Rename", "2m_temperature"}},
      {"no initial time", [](F& f) { f.erase("time"); }, ExitCode::missing_input, {"no initial time"}},
      {"no grid",
       [](F& f) {
         f.erase("latitude");
         f.erase("longitude");
       },
       ExitCode::missing_input,
       {"latitude, longitude", "absent"}},
      {"same lead",
       [](F& f) {
         f.array("prediction_timedelta").values = {6, 24, 6};
       },
       ExitCode::corrupt_input,
       {"lead time", "6h occurs twice"}},
      {"same time",
       [](F& f) {
         f.array("time").values = {0, 0};
       },
       ExitCode::corrupt_input,
       {"initial time", "2020-01-01T00 occurs twice"}},
      {"same member",
       [](F& f) {
         f.array("number").values = {7, 2, 7};
       },
       ExitCode::corrupt_input,
       {"member", "7 occurs twice"}},
      {"same level",
       [](F& f) {
         f.array("level").values = {500, 500};
       },
       ExitCode::corrupt_input,
       {"level", "500 hPa occurs twice"}},
      {"same latitude",
       [](F& f) {
         f.array("latitude").values = {-60, 0, 0};
       },
       ExitCode::corrupt_input,
       {"latitude", "0 degrees occurs twice"}},
      {"latitude in metres",
       [](F& f) {
         f.array("latitude").values = {-60, 0, 600};
       },
       ExitCode::corrupt_input,
       {"latitude", "600"}},
      {"fraction of a member",
       [](F& f) {
         f.array("number").values = {0, 0.5, 1};
       },
       ExitCode::corrupt_input,
       {"number", "0.5"}},
      {"negative lead",
       [](F& f) {
         f.array("prediction_timedelta").values = {-6, 0, 6};
       },
       ExitCode::corrupt_input,
       {"prediction_timedelta", "-6"}},
      {"unknown unit",
       [](F& f) {
         f.array("prediction_timedelta").attributes = {{"units", "months"}};
       },
       ExitCode::corrupt_input,
       {"prediction_timedelta", "months", "use"}},
      {"no unit",
       [](F& f) { f.array("prediction_timedelta").attributes.clear(); },
       ExitCode::corrupt_input,
       {"prediction_timedelta", "units", "hours"}},
      {"time without unit",
       [](F& f) { f.array("time").attributes.clear(); },
       ExitCode::corrupt_input,
       {"time", "hours since"}},
      {"other calendar",
       [](F& f) {
         f.array("time").attributes = {{"units", "days since 2020-01-01"}, {"calendar", "noleap"}};
       },
       ExitCode::corrupt_input,
       {"noleap"}},
      {"unknown dimension",
       [](F& f) {
         f.erase("number");
         for (auto& [name, length] : f.dimensions) {
           name = name == "number" ? "perturbation" : name;
         }
         for (const char* name : {"geopotential", "2m_temperature"}) {
           for (auto& dimension : f.array(name).dimensions) {
             dimension = dimension == "number" ? "perturbation" : dimension;
           }
         }
       },
       ExitCode::missing_input,
       {"perturbation", "rename", "geopotential_500", "2m_temperature"}},
      {"no variable",
       [](F& f) { f.erase("geopotential"); },
       ExitCode::missing_input,
       {"geopotential_500 (no such variable)", "geopotential_850"}},
      {"other levels",
       [](F& f) {
         f.array("level").values = {850, 700};
       },
       ExitCode::missing_input,
       {"geopotential_500 (no such level)"}},
      {"level in metres",
       [](F& f) {
         f.array("level").attributes = {{"units", "m"}};
       },
       ExitCode::corrupt_input,
       {"level", "\"m\"", "hPa"}},
      {"two of one name",
       [](F& f) {
         f.arrays.push_back(f.array("2m_temperature"));
         f.arrays.back().name = "t2m";
       },
       ExitCode::corrupt_input,
       {"t2m", "2m_temperature", "rename"}}};
  return list;
}

TEST(ForecastErrors, EveryDamageIsNamedInBothFormats) {
  const fs::path folder = scratch_dir("forecast_errors");
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.what);
    SampleFile file = sample::file(sample::weatherbench());
    damage.change(file);
    std::vector<std::string> words = damage.words;
    words.push_back((folder / "sample").string());
    write_zarr_sample((folder / "sample.zarr").string(), file);
    expect_error((folder / "sample.zarr").string(), damage.code, words);
    write_netcdf_sample((folder / "sample.nc").string(), file);
    expect_error((folder / "sample.nc").string(), damage.code, words);
  }
}

TEST(ForecastErrors, RequestsThatCannotBeMet) {
  const std::string path = (scratch_dir("forecast_requests") / "sample.zarr").string();
  write_zarr_sample(path, sample::file(sample::weatherbench()));
  ForecastStoreOptions options;
  options.members = {2, 9};
  expect_error(path, ExitCode::missing_input, {path, "9", "2, 5, 7"}, options);
  options.members = {2, 2};
  expect_error(path, ExitCode::bad_configuration, {"2", "twice"}, options);
  options = {};
  options.rename = {{"tmeprature", "temperature"}};
  expect_error(path, ExitCode::missing_input, {path, "tmeprature"}, options);
  const auto store = open_forecast_store(path, {});
  std::string message;
  EXPECT_EQ(code_of(
                [&] {
                  store->read(parse_time("2021-01-01"), sample::leads[0], {{"temperature", 500}});
                },
                &message),
            ExitCode::missing_input);
  for (const char* word : {"2021-01-01T00", "2020-02-28T12", "temperature_500 (no such variable)"}) {
    EXPECT_NE(message.find(word), std::string::npos) << message;
  }
  EXPECT_EQ(code_of([&] { store->read(sample::times[0], Duration::hours(7), {}); }, &message),
            ExitCode::missing_input);
  EXPECT_NE(message.find("lead 7h"), std::string::npos) << message;
  EXPECT_FALSE(store->has({"geopotential", {}}));
  EXPECT_FALSE(store->has({"2m_temperature", 500}));
  EXPECT_FALSE(store->has({"geopotential", 700}));
  EXPECT_FALSE(store->has_time(sample::times[0], Duration::hours(7)));
}

TEST(ForecastErrors, PathsThatAreNoForecast) {
  const fs::path folder = scratch_dir("forecast_paths");
  expect_error((folder / "absent.nc").string(), ExitCode::missing_input, {"absent.nc"});
  expect_error((folder / "absent*.zarr").string(), ExitCode::missing_input, {"absent*.zarr"});
  expect_error(folder.string(), ExitCode::missing_input, {folder.string(), "Zarr", "*.nc"});
  write_text((folder / "text.nc").string(), "no NetCDF");
  expect_error((folder / "text.nc").string(), ExitCode::corrupt_input, {"text.nc"});
  write_netcdf_sample((folder / "text.nc").string(), sample::file(sample::weatherbench()));
  write_text((folder / "other.npz").string(), "no zip");
  expect_error((folder / "*.n*").string(), ExitCode::corrupt_input, {"npz"});
}

TEST(ForecastErrors, FilesThatDoNotFitTogether) {
  const fs::path folder = scratch_dir("forecast_together");
  const SampleFile file = sample::file(sample::weatherbench());
  write_netcdf_sample((folder / "a.nc").string(), file);
  write_netcdf_sample((folder / "b.nc").string(), file);
  expect_error((folder / "*.nc").string(), ExitCode::corrupt_input,
               {"a.nc", "b.nc", "lead 6h", "member 7", "2020-02-28T12"});
  SampleFile other = file;
  other.array("latitude").values = {-61, 0, 60};
  write_netcdf_sample((folder / "b.nc").string(), other);
  expect_error((folder / "*.nc").string(), ExitCode::corrupt_input, {"a.nc", "b.nc", "grids"});
}

TEST(ForecastErrors, AbsentChunksFollowTheRule) {
  const std::string path = (scratch_dir("forecast_chunks") / "sample.zarr").string();
  write_zarr_sample(path, sample::file(sample::weatherbench()), {{"time", 1}, {"prediction_timedelta", 2}});
  fs::remove(path + "/2m_temperature/0.0.0.0.0");
  const ChannelSet channels = {{"2m_temperature", {}}};
  const auto values = open_forecast_store(path, {})->read(sample::times[0], sample::leads[1], channels);
  EXPECT_TRUE(std::isnan(values.front()));
  std::string metadata = read_text(path + "/2m_temperature/.zarray");
  metadata.replace(metadata.find("\"NaN\""), 5, "7.5");
  write_text(path + "/2m_temperature/.zarray", metadata);
  expect_error(path, ExitCode::missing_input, {path, "2m_temperature/0.0.0.0.0", "allow_missing_chunks"});
  ForecastStoreOptions allow;
  allow.allow_missing_chunks = true;
  EXPECT_EQ(open_forecast_store(path, allow)->read(sample::times[0], sample::leads[1], channels).front(),
            7.5F);
  EXPECT_NO_THROW(open_forecast_store(path, {})->read(sample::times[0], sample::leads[2], channels));
}

TEST(ForecastErrors, DamagedChunksAndChecksums) {
  const std::string path = (scratch_dir("forecast_damaged") / "sample.zarr").string();
  write_zarr_sample(path, sample::file(sample::weatherbench()));
  const std::string chunk = path + "/geopotential/0.0.0.0.0.0";
  const std::string good = read_text(chunk);
  ChecksumManifest::of(path, 1).write(ChecksumManifest::default_path(path));
  ForecastStoreOptions verify;
  verify.verify_checksums = true;
  EXPECT_NO_THROW(
      open_forecast_store(path, verify)->read(sample::times[0], sample::leads[0], sample::channels));
  write_text(chunk, good.substr(1));
  expect_error(path, ExitCode::corrupt_input, {"geopotential"});
  std::string flipped = good;
  flipped[0] = static_cast<char>(flipped[0] ^ 1);
  write_text(chunk, flipped);
  expect_error(path, ExitCode::corrupt_input, {"geopotential"}, verify);
}

}  // namespace
}  // namespace mosaic::test
