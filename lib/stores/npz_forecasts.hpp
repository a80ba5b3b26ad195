#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stores/forecast_store.hpp"
#include "stores/tensor_file.hpp"

namespace mosaic {

/// Forecasts in `.npz` files of Mosaic's published inference script, one initial time each:
/// forecasts [member, step, lon, lat S->N, channel] float32 on a grid with poles, channels in the order of
/// mosaic_channels(); lead_time_hours [step]; init_time, a datetime64 or a text. Members count from 0.
/// Opening reads times only, and the first file's sizes. An uncompressed file is mapped and checked whole
/// when it is first read; a compressed one is decoded whole. One file is held at a time.
class NpzForecasts final : public ForecastStore {
 public:
  /// Errors: missing_input naming absent entries, corrupt_input.
  NpzForecasts(const std::vector<std::string>& files, const std::string& name,
               const ForecastStoreOptions& options);

  bool has_time(Time initial_time, Duration lead) const override;
  bool has(const Channel& channel) const override;
  ChannelSet channels() const override { return channels_; }
  std::vector<float> read(Time initial_time, Duration lead, const ChannelSet& channels) override;

 private:
  struct File {
    std::string path;
    std::vector<Duration> leads;
  };

  void add_file(const std::string& path, const ForecastStoreOptions& options);
  const TensorView& load(const File& file);
  void choose_members(const ForecastStoreOptions& options, std::size_t stored);
  void check_request(Time initial_time, Duration lead, const ChannelSet& channels) const;

  std::map<Time, File> files_;
  ChannelSet channels_ = mosaic_channels();
  std::vector<std::int64_t> shape_;  // without steps: members, lon, lat, channels; of the first file
  std::unique_ptr<TensorFile> loaded_;
  std::string loaded_path_;
};

}  // namespace mosaic
