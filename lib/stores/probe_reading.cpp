#include "stores/probe_reading.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "stores/netcdf_fields.hpp"
#include "stores/store_kind.hpp"

namespace mosaic {

namespace {

using nlohmann::json;

/// How far a trial reading is, and when it ends.
class Trial {
 public:
  Trial(const std::string& file, double seconds)
      : file_(file), end_(Clock::now() + std::chrono::duration<double>(seconds)) {}

  /// Takes what was read.
  void add(const std::vector<float>& values) { bytes_ += values.size() * sizeof(float); }

  /// Errors: corrupt_input where the library needed so long for so little that it cannot have read an
  /// undamaged file: it would need as long again, or crash behind what was tried.
  bool is_over() const {
    if (Clock::now() < end_) {
      return false;
    }
    constexpr double slowest = 100e3;  // [bytes s-1] of CPU time
    constexpr double shortest = 1;     // [s] below which opening a file counts for too much
    const double seconds = static_cast<double>(std::clock() - cpu_start_) / CLOCKS_PER_SEC;
    require(seconds < shortest || static_cast<double>(bytes_) >= slowest * seconds, ExitCode::corrupt_input,
            "{}: reading {} bytes took {:.0f} s of CPU time; the file is damaged", file_, bytes_, seconds);
    return true;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const std::string& file_;
  std::chrono::time_point<Clock, std::chrono::duration<double>> end_;
  std::clock_t cpu_start_ = std::clock();
  std::size_t bytes_ = 0;
};

/// 0 ... count - 1: first, last, then ever finer between them.
std::vector<std::size_t> spread(std::size_t count) {
  std::vector<std::size_t> order;
  std::vector<bool> taken(count, false);
  const auto take = [&](std::size_t i) {
    if (i < count && !taken[i]) {
      taken[i] = true;
      order.push_back(i);
    }
  };
  take(0);
  take(count - 1);
  for (std::size_t step = count; step > 1; step = (step + 1) / 2) {
    for (std::size_t i = 0; i < count; i += step) {
      take(i);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    take(i);
  }
  return order;
}

/// One channel at a time: all channels of a large grid or ensemble would not fit the memory of a trial.
void read_states(FieldStore& store, Trial& trial) {
  const StoreContents contents = store.contents();
  for (const std::string& name : contents.statics) {
    trial.add(store.read_static(name));
  }
  for (const std::size_t i : spread(store.times().size())) {
    for (const Channel& channel : contents.channels) {
      trial.add(store.read(store.times()[i], std::make_shared<const ChannelSet>(ChannelSet{channel})).values);
      if (trial.is_over()) {
        return;
      }
    }
  }
}

void read_forecasts(ForecastStore& store, Trial& trial) {
  const std::size_t leads = store.leads().size();
  const ChannelSet channels = store.channels();
  for (const std::size_t i : spread(store.initial_times().size() * leads)) {
    const Time time = store.initial_times()[i / leads];
    const Duration lead = store.leads()[i % leads];
    for (const Channel& channel : store.has_time(time, lead) ? channels : ChannelSet{}) {
      trial.add(store.read(time, lead, {channel}));
      if (trial.is_over()) {
        return;
      }
    }
  }
}

/// Every part of a day and hour; false once the trial is over.
bool read_day(ClimatologyStore& store, int day, int hour, Trial& trial) {
  for (const ClimatologyPart part : {ClimatologyPart::mean, ClimatologyPart::deviation}) {
    for (const Channel& channel : store.channels(part)) {
      trial.add(store.read(day, hour, {channel}, part));
      if (trial.is_over()) {
        return false;
      }
    }
  }
  for (const Channel& channel : store.channels(ClimatologyPart::quantile)) {
    for (const double quantile : store.quantiles()) {
      trial.add(store.read_quantile(day, hour, channel, quantile));
      if (trial.is_over()) {
        return false;
      }
    }
  }
  return true;
}

void read_climatology(ClimatologyStore& store, Trial& trial) {
  for (const std::size_t day : spread(store.days_of_year().size())) {
    for (const int hour : store.hours().empty() ? std::vector<int>{0} : store.hours()) {
      if (!read_day(store, store.days_of_year()[day], hour, trial)) {
        return;
      }
    }
  }
}

StoreKind kind_in(const json& options, const std::string& file) {
  const std::string kind = options.at("kind");
  if (kind == "any") {
    return kind_of_store(file);
  }
  return kind == "forecasts"     ? StoreKind::forecasts
         : kind == "climatology" ? StoreKind::climatology
                                 : StoreKind::fields;
}

/// Those that this file has: others may be for other files.
std::map<std::string, std::string> renames_in(const json& options, const std::string& file) {
  const auto all = options.value("rename", std::map<std::string, std::string>());
  std::map<std::string, std::string> known;
  if (!all.empty()) {
    const auto arrays = open_labelled_arrays(file, {all, false});
    for (const std::string& name : arrays->renamed()) {
      known[name] = all.at(name);
    }
  }
  return known;
}

/// On one line; names that are no UTF-8 are not in any file.
std::string text_of(const json& options) {
  return options.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

ProbeRequest request_fields(const std::string& path, const FieldStoreOptions& options) {
  json text = {{"kind", "fields"}};
  if (options.member) {
    text["member"] = *options.member;
  }
  return {path, text_of(text)};
}

ProbeRequest request_forecasts(const std::string& path, const ForecastStoreOptions& options) {
  return {path, text_of({{"kind", "forecasts"}, {"rename", options.rename}})};
}

ProbeRequest request_climatology(const std::string& path, const ClimatologyOptions& options) {
  return {path, text_of({{"kind", "climatology"}, {"rename", options.rename}})};
}

ProbeRequest request_any(const std::string& path) { return {path, text_of({{"kind", "any"}})}; }

std::vector<std::string> files_to_probe(const ProbeRequest& request) {
  std::vector<std::string> files;
  for (const std::string& file : forecast_files(request.path)) {
    if (!std::filesystem::is_directory(file) && !file.ends_with(".zarr") && !file.ends_with(".npz")) {
      files.push_back(file);
    }
  }
  return files;
}

void read_for_probe(const ProbeRequest& request, const std::string& file, double seconds) {
  Trial trial(file, seconds);
  const json options = json::parse(request.options);
  const auto rename = renames_in(options, file);
  switch (kind_in(options, file)) {
    case StoreKind::forecasts: {
      ForecastStoreOptions forecast;
      forecast.rename = rename;
      read_forecasts(*open_forecast_store(file, forecast), trial);
      return;
    }
    case StoreKind::climatology: {
      ClimatologyOptions climatology;
      climatology.rename = rename;
      ClimatologyStore store(file, climatology);
      read_climatology(store, trial);
      return;
    }
    case StoreKind::fields:
      break;
  }
  FieldStoreOptions fields;
  if (options.contains("member")) {
    fields.member = options.at("member").get<std::int64_t>();
  }
  read_states(*open_netcdf_files({file}, file, fields), trial);
}

}  // namespace mosaic
