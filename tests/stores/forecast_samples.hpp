#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/time.hpp"
#include "fields/channel.hpp"
#include "grid/lat_lon_grid.hpp"
#include "stores/axes.hpp"

namespace mosaic::test {

struct SampleArray {
  std::string name;
  std::vector<std::string> dimensions;
  std::vector<double> values;
  bool is_field = false;  ///< float32, otherwise float64
  std::vector<std::pair<std::string, std::string>> attributes;
};

/// A file of small arrays, to be written as Zarr or NetCDF.
struct SampleFile {
  std::vector<std::pair<std::string, std::size_t>> dimensions;
  std::vector<SampleArray> arrays;

  SampleArray& array(const std::string& name);
  void erase(const std::string& name);
};

/// Uncompressed; `chunks` by dimension, whole where it says nothing.
void write_zarr_sample(const std::string& path, const SampleFile& file,
                       const std::map<std::string, std::size_t>& chunks = {});
void write_netcdf_sample(const std::string& path, const SampleFile& file);

/// How a file says what a forecast or climatology is made of.
struct Spelling {
  std::map<AxisRole, std::string> names;
  std::vector<AxisRole> order;  ///< of dimensions, slowest first; a field leaves out what it has not
  bool north_first = false;
  bool from_minus_180 = false;
  std::string lead_units = "hours";
  double leads_per_hour = 1.0;
};

/// 2 initial times, members 7 2 5, leads 6 24 30 h, levels 850 500, 3 x 4 points; 2m_temperature has no
/// level.
namespace forecast_sample {
Spelling weatherbench();
inline const std::vector<Time> times = {parse_time("2020-02-28T12"), parse_time("2020-03-01T00")};
inline const std::vector<std::int64_t> members = {7, 2, 5};
inline const std::vector<Duration> leads = {Duration::hours(6), Duration::hours(24), Duration::hours(30)};
inline const std::vector<int> levels = {850, 500};
inline const LatLonGrid grid = {{-60.0, 0.0, 60.0}, {0.0, 90.0, 180.0, 270.0}};
inline const ChannelSet channels = {{"geopotential", 500}, {"2m_temperature", {}}, {"geopotential", 850}};

SampleFile file(const Spelling& spelling);
/// A number of its own for every place.
float value(std::size_t time, std::size_t lead, std::size_t member, const Channel& channel, std::size_t row,
            std::size_t column);
/// What a store must read: [M, C, lat, lon]; `chosen` are positions in `members`.
std::vector<float> expected(std::size_t time, std::size_t lead, const ChannelSet& channels,
                            const std::vector<std::size_t>& chosen);
}  // namespace forecast_sample

/// Days 1 59 60 366, hours 0 and 12, quantiles 0.1 0.9, the levels and grid above: temperature,
/// 2m_temperature, 2m_temperature_std, 2m_temperature_quantile.
namespace climatology_sample {
Spelling weatherbench();
inline const std::vector<int> days = {1, 59, 60, 366};
inline const std::vector<int> hours = {0, 12};
inline const std::vector<double> quantiles = {0.1, 0.9};

SampleFile file(const Spelling& spelling);
float value(const std::string& variable, std::size_t level, std::size_t day, std::size_t hour,
            std::size_t quantile, std::size_t row, std::size_t column);
std::vector<float> expected(const std::string& variable, std::size_t level, std::size_t day, std::size_t hour,
                            std::size_t quantile = 0);
}  // namespace climatology_sample

}  // namespace mosaic::test
