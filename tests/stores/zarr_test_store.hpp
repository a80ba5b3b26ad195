#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stores/zarr_fields.hpp"
#include "stores/zarr_writer.hpp"
#include "support/golden.hpp"

namespace mosaic::test {

/// A small store whose values tell channel, time and place apart.
struct SampleStore {
  std::string path;
  std::shared_ptr<const LatLonGrid> grid;
  std::shared_ptr<const ChannelSet> channels;
  std::vector<Time> times;
};

/// The description only; nothing is written.
inline SampleStore describe_sample(const std::string& name) {
  SampleStore sample;
  sample.path = (scratch_dir("zarr_" + name) / "sample.zarr").string();
  sample.grid = std::make_shared<const LatLonGrid>(
      LatLonGrid{{-60.0, -20.0, 20.0, 60.0}, {0.0, 60.0, 120.0, 180.0, 240.0, 300.0}});
  sample.channels = std::make_shared<const ChannelSet>(ChannelSet{{"2m_temperature", {}},
                                                                  {"geopotential", 500},
                                                                  {"geopotential", 850},
                                                                  {"temperature", 850},
                                                                  {"temperature", 500}});
  sample.times = {parse_time("2020-02-28T12"), parse_time("2020-02-29T00"), parse_time("2020-03-01T06")};
  return sample;
}

/// 1000 channel + 100 time + 10 row + column + 1/4
inline State sample_state(const SampleStore& sample, Time time) {
  State state{time, sample.grid, sample.channels,
              std::vector<float>(sample.channels->size() * sample.grid->points())};
  const std::size_t columns = sample.grid->longitude.size();
  const auto hours = static_cast<double>((time - sample.times.front()).seconds) / 3600.0;
  for (std::size_t i = 0; i < state.values.size(); ++i) {
    const std::size_t point = i % sample.grid->points();
    const std::size_t channel = i / sample.grid->points();
    state.values[i] = static_cast<float>(1000.0 * static_cast<double>(channel) + 100.0 * hours +
                                         10.0 * static_cast<double>(point / columns) +
                                         static_cast<double>(point % columns) + 0.25);
  }
  return state;
}

inline std::vector<float> sample_static(const SampleStore& sample) {
  std::vector<float> field(sample.grid->points());
  for (std::size_t i = 0; i < field.size(); ++i) {
    field[i] = static_cast<float>(i) / 64.0F;
  }
  return field;
}

inline SampleStore write_sample(const std::string& name, BloscCompressor compressor = BloscCompressor::lz4) {
  SampleStore sample = describe_sample(name);
  ZarrWriterOptions options;
  options.compressor = compressor;
  ZarrWriter writer(sample.path, sample.grid, sample.channels, sample.times, options);
  for (const Time time : sample.times) {
    writer.write(sample_state(sample, time));
  }
  writer.write_static("land_sea_mask", sample_static(sample), {{"units", "1"}});
  writer.close();
  return sample;
}

}  // namespace mosaic::test
