#include "stores/inspect.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "forecast_samples.hpp"
#include "stores/store_kind.hpp"
#include "support/golden.hpp"
#include "zarr_test_store.hpp"

namespace mosaic::test {
namespace {

namespace fs = std::filesystem;

TEST(Inspect, ForecastsInEveryFormat) {
  const fs::path folder = scratch_dir("inspect_forecasts");
  const SampleFile file = forecast_sample::file(forecast_sample::weatherbench());
  write_zarr_sample((folder / "sample.zarr").string(), file);
  write_netcdf_sample((folder / "sample.nc").string(), file);
  for (const char* name : {"sample.zarr", "sample.nc"}) {
    const std::string path = (folder / name).string();
    EXPECT_EQ(kind_of_store(path), StoreKind::forecasts);
    const std::string text = inspect(path, InspectFormat::text);
    for (const char* line :
         {"forecasts on 3 latitudes x 4 longitudes\n", "2 initial times, 2020-02-28T12 to 2020-03-01T00\n",
          "3 leads, 6h to 30h\n", "3 members: 7, 2, 5\n", "  geopotential  [850, 500] hPa\n"}) {
      EXPECT_NE(text.find(line), std::string::npos) << line << " in: " << text;
    }
    const auto json = nlohmann::json::parse(inspect(path, InspectFormat::json));
    EXPECT_EQ(json["kind"], "forecasts");
    EXPECT_EQ(json["leads"], (std::vector<std::string>{"6h", "24h", "30h"}));
    EXPECT_EQ(json["variables"]["geopotential"], (std::vector<int>{850, 500}));
  }
}

TEST(Inspect, Climatologies) {
  const std::string path = (scratch_dir("inspect_climatology") / "sample.nc").string();
  write_netcdf_sample(path, climatology_sample::file(climatology_sample::weatherbench()));
  EXPECT_EQ(kind_of_store(path), StoreKind::climatology);
  const std::string text = inspect(path, InspectFormat::text);
  for (const char* line : {"4 days of the year, 1 to 366\n", "2 hours: 0, 12\n", "2 quantiles: 0.1, 0.9\n",
                           "mean\n  2m_temperature\n  temperature  [850, 500] hPa\ndeviation\n",
                           "quantile\n  2m_temperature\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in: " << text;
  }
  const auto json = nlohmann::json::parse(inspect(path, InspectFormat::json));
  EXPECT_EQ(json["kind"], "climatology");
  EXPECT_EQ(json["hours"], (std::vector<int>{0, 12}));
}

TEST(Inspect, FieldsByValidTimeStayFields) {
  const SampleStore sample = write_sample("inspect");
  EXPECT_EQ(kind_of_store(sample.path), StoreKind::fields);
  const std::string text = inspect(sample.path, InspectFormat::text);
  for (const char* line : {"fields on 4 latitudes", "  geopotential  [500, 850] hPa\n", "  2m_temperature\n",
                           "  land_sea_mask  without time\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << " in: " << text;
  }
}

}  // namespace
}  // namespace mosaic::test
