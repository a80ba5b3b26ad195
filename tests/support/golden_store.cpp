#include "support/golden_store.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "stores/cf_time.hpp"

namespace mosaic::test {
namespace {

bool is_member(const std::string& dimension) { return dimension == "number" || dimension == "realization"; }

template <class List, class Value>
std::size_t place(const List& list, const Value& value, const std::string& what) {
  const auto found = std::find(list.begin(), list.end(), value);
  require(found != list.end(), ExitCode::missing_input, "a golden store lacks a {}", what);
  return static_cast<std::size_t>(found - list.begin());
}

}  // namespace

GoldenStore::GoldenStore(const std::filesystem::path& path) : store_(path.string()) {
  const auto axis = [&](const std::string& name) {
    return store_.read_double(name, ZarrBox::all(store_.array(name)), 1);
  };
  grid = std::make_shared<LatLonGrid>(LatLonGrid{axis("latitude"), axis("longitude")});
  const ZarrArray& time = store_.array("time");
  times = decode_cf_times(axis("time"), time.attribute("units"), time.attribute("calendar"), store_.path());
  if (store_.has("level")) {
    levels_ = store_.read_int64("level");
  }
  if (store_.has("prediction_timedelta")) {
    for (const std::int64_t hours : store_.read_int64("prediction_timedelta")) {
      leads.push_back(Duration::hours(hours));
    }
  }
  for (const std::string& name : store_.names()) {
    const std::vector<std::string>& dimensions = store_.array(name).dimensions;
    if (is_member(name)) {
      members = store_.array(name).elements();
    }
    if (name == "time" || std::find(dimensions.begin(), dimensions.end(), "time") == dimensions.end()) {
      continue;
    }
    if (std::find(dimensions.begin(), dimensions.end(), "level") == dimensions.end()) {
      channels.push_back({name, std::nullopt});
      continue;
    }
    for (const std::int64_t level : levels_) {
      channels.push_back({name, static_cast<int>(level)});
    }
  }
}

std::size_t GoldenStore::time_index(Time time) const { return place(times, time, to_string(time)); }

std::vector<float> GoldenStore::read(const Channel& channel, std::size_t time, std::size_t lead) const {
  const ZarrArray& array = store_.array(channel.variable);
  ZarrBox box{std::vector<std::size_t>(array.shape.size(), 0),
              std::vector<std::size_t>(array.shape.size(), 1)};
  bool longitude_first = false;
  for (std::size_t d = 0; d < array.shape.size(); ++d) {
    const std::string& dimension = array.dimensions[d];
    if (dimension == "time") {
      box.start[d] = time;
    } else if (dimension == "prediction_timedelta") {
      box.start[d] = lead;
    } else if (dimension == "level") {
      box.start[d] = place(levels_, *channel.level, "level");
    } else {
      box.count[d] = array.shape[d];
      longitude_first = longitude_first || (dimension == "longitude" && d + 2 == array.shape.size());
    }
  }
  const std::vector<float> values = store_.read_float(channel.variable, box, 1);
  if (!longitude_first) {
    return values;
  }
  std::vector<float> fields(values.size());
  const std::size_t points = grid->points();
  const std::size_t n_lat = grid->latitude.size();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t point = i % points;
    fields[i - point + point % n_lat * grid->longitude.size() + point / n_lat] = values[i];
  }
  return fields;
}

}  // namespace mosaic::test
