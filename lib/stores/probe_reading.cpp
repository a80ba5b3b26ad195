#include "stores/probe_reading.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "stores/netcdf_fields.hpp"
#include "stores/store_kind.hpp"

namespace mosaic {

namespace {

using nlohmann::json;

/// The end of a trial reading.
class Deadline {
 public:
  explicit Deadline(double seconds) : end_(Clock::now() + std::chrono::duration<double>(seconds)) {}
  bool passed() const { return Clock::now() > end_; }

 private:
  using Clock = std::chrono::steady_clock;
  std::chrono::time_point<Clock, std::chrono::duration<double>> end_;
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

void read_states(FieldStore& store, const Deadline& deadline) {
  auto channels = std::make_shared<ChannelSet>();
  for (const Channel& channel : mosaic_channels()) {
    if (store.has(channel)) {
      channels->push_back(channel);
    }
  }
  if (const Channel orography{"geopotential_at_surface", std::nullopt}; store.has(orography)) {
    store.read_static(orography.variable);
  }
  for (const std::size_t i : spread(store.times().size())) {
    store.read(store.times()[i], channels);
    if (deadline.passed()) {
      return;
    }
  }
}

/// One channel at a time: all channels of a large ensemble would not fit the memory of a trial.
void read_forecasts(ForecastStore& store, const Deadline& deadline) {
  const std::size_t leads = store.leads().size();
  const ChannelSet channels = store.channels();
  for (const std::size_t i : spread(store.initial_times().size() * leads)) {
    const Time time = store.initial_times()[i / leads];
    const Duration lead = store.leads()[i % leads];
    for (const Channel& channel : store.has_time(time, lead) ? channels : ChannelSet{}) {
      store.read(time, lead, {channel});
      if (deadline.passed()) {
        return;
      }
    }
  }
}

void read_climatology(ClimatologyStore& store, const Deadline& deadline) {
  for (const std::size_t day : spread(store.days_of_year().size())) {
    for (const int hour : store.hours().empty() ? std::vector<int>{0} : store.hours()) {
      for (const ClimatologyPart part : {ClimatologyPart::mean, ClimatologyPart::deviation}) {
        for (const Channel& channel : store.channels(part)) {
          store.read(store.days_of_year()[day], hour, {channel}, part);
          if (deadline.passed()) {
            return;
          }
        }
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
  const Deadline deadline(seconds);
  const json options = json::parse(request.options);
  const auto rename = renames_in(options, file);
  switch (kind_in(options, file)) {
    case StoreKind::forecasts: {
      ForecastStoreOptions forecast;
      forecast.rename = rename;
      read_forecasts(*open_forecast_store(file, forecast), deadline);
      return;
    }
    case StoreKind::climatology: {
      ClimatologyOptions climatology;
      climatology.rename = rename;
      ClimatologyStore store(file, climatology);
      read_climatology(store, deadline);
      return;
    }
    case StoreKind::fields:
      break;
  }
  FieldStoreOptions fields;
  if (options.contains("member")) {
    fields.member = options.at("member").get<std::int64_t>();
  }
  read_states(*open_netcdf_files({file}, file, fields), deadline);
}

}  // namespace mosaic
