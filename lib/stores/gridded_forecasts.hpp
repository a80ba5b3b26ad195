#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stores/forecast_source.hpp"
#include "stores/forecast_store.hpp"

namespace mosaic {

/// Forecasts in one or many Zarr stores and NetCDF files. The last dozens of files that were read stay open.
class GriddedForecasts final : public ForecastStore {
 public:
  /// Reads the coordinates of all files. Files of ensemble means and spreads are left out where there are
  /// members. Errors: as open_forecast_store().
  GriddedForecasts(const std::vector<std::string>& files, const std::string& name,
                   const ForecastStoreOptions& options);

  bool has_time(Time initial_time, Duration lead) const override;
  bool has(const Channel& channel) const override;
  ChannelSet channels() const override;
  std::vector<float> read(Time initial_time, Duration lead, const ChannelSet& channels) override;

 private:
  /// Where an initial time is.
  struct Part {
    std::size_t file = 0;
    std::size_t time = 0;  // index in the file
  };
  /// What one file gives to one read.
  struct Piece {
    std::size_t file = 0;
    FieldPlace place;
  };

  void open(const std::vector<std::string>& files);
  void keep_one_product();
  void check_renames() const;
  void index();
  void check_overlap(Time initial_time, const std::vector<Part>& parts) const;
  void choose_members();
  void make_identity();
  std::vector<Piece> find(Time initial_time, Duration lead, std::vector<std::int64_t>& missing) const;
  std::string obstacle(const ForecastSource& file, const Channel& channel) const;
  std::string describe_absence(Time initial_time, Duration lead,
                               const std::vector<std::int64_t>& missing) const;
  void touch(std::size_t file);

  ForecastStoreOptions options_;
  std::vector<std::unique_ptr<ForecastSource>> files_;
  std::vector<std::size_t> layouts_;  // the first file of each set of equal ones
  std::map<Time, std::vector<Part>> parts_;
  std::list<std::size_t> open_files_;  // latest first
  BoxCache cache_{forecast_cache_bytes};
};

}  // namespace mosaic
