#include "stores/zarr_fields.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/parallel_for.hpp"
#include "stores/cf_time.hpp"
#include "stores/path_list.hpp"

namespace mosaic {
namespace {

/// The first of `candidates` that the store has, or an empty text.
std::string find_name(const ZarrStore& store, const std::vector<std::string>& candidates) {
  for (const std::string& name : candidates) {
    if (store.has(name)) {
      return name;
    }
  }
  return "";
}

/// A coordinate: one dimension, finite values. Errors: corrupt_input.
std::vector<double> read_coordinate(const ZarrStore& store, const std::string& name) {
  const ZarrArray& array = store.array(name);
  require(array.shape.size() == 1 && array.shape[0] > 0 && array.shape[0] <= longest_coordinate,
          ExitCode::corrupt_input,
          "{}: coordinate {} has the shape [{}], one dimension of 1 ... {} is needed", store.path(), name,
          fmt::join(array.shape, ", "), longest_coordinate);
  const ZarrBox all = ZarrBox::all(array);
  const std::vector<std::string> absent = store.absent_chunks(name, all, 1);
  require(absent.empty(), ExitCode::missing_input,
          "{}: coordinate {}: the chunk {} is absent, and a fill value is no coordinate", store.path(), name,
          absent.empty() ? "" : absent.front());
  std::vector<double> values = store.read_double(name, all, 1);
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(std::isfinite(values[i]), ExitCode::corrupt_input, "{}: coordinate {}[{}] is {}", store.path(),
            name, i, values[i]);
  }
  return values;
}

std::optional<ChecksumManifest> checksums_of(const std::string& path, const FieldStoreOptions& options) {
  if (!options.verify_checksums) {
    return std::nullopt;
  }
  return ChecksumManifest::load(ChecksumManifest::default_path(path));
}

std::size_t position(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return !name.empty() && position(names, name) < names.size();
}

std::string describe(const Channel& channel) {
  return channel.level ? fmt::format("{} at {} hPa", channel.variable, *channel.level) : channel.variable;
}

}  // namespace

ZarrFields::ZarrFields(const std::string& path, const FieldStoreOptions& options)
    : FieldStore(path),
      store_(path, checksums_of(path, options)),
      options_(options),
      cache_(options.chunk_cache) {
  latitude_name_ = find_name(store_, axis_names(AxisRole::latitude));
  longitude_name_ = find_name(store_, axis_names(AxisRole::longitude));
  std::vector<std::string> missing;
  for (const auto& [name, role] :
       {std::pair{latitude_name_, "latitude"}, std::pair{longitude_name_, "longitude"},
        std::pair{find_name(store_, {"time"}), "time"}}) {
    if (name.empty()) {
      missing.emplace_back(role);
    }
  }
  require(missing.empty(), ExitCode::missing_input, "{}: the coordinates {} are absent; there are: {}", path,
          fmt::join(missing, ", "), fmt::join(store_.names(), ", "));
  read_horizontal();
  read_times();
  read_levels();
  read_member();
  identity_ = make_identity();
}

void ZarrFields::read_horizontal() {
  axes_ = normalise_axes(path(), read_coordinate(store_, latitude_name_),
                         read_coordinate(store_, longitude_name_));
  grid_ = std::make_shared<const LatLonGrid>(axes_.grid);
}

void ZarrFields::read_times() {
  const ZarrArray& array = store_.array("time");
  const std::string where = path() + ": time";
  times_ = decode_cf_times(read_coordinate(store_, "time"), array.attribute("units"),
                           array.attribute("calendar"), where);
  for (std::size_t i = 1; i < times_.size(); ++i) {
    require(times_[i - 1] < times_[i], ExitCode::corrupt_input,
            "{} is not strictly ascending: {} is followed by {}; sort the store by time", where,
            to_string(times_[i - 1]), to_string(times_[i]));
  }
}

void ZarrFields::read_levels() {
  level_name_ = find_name(store_, axis_names(AxisRole::level));
  if (level_name_.empty()) {
    return;
  }
  levels_ = decode_levels(read_coordinate(store_, level_name_), store_.array(level_name_).attribute("units"),
                          path() + ": " + level_name_);
}

void ZarrFields::read_member() {
  member_name_ = find_name(store_, axis_names(AxisRole::member));
  if (member_name_.empty()) {
    require(!options_.member, ExitCode::missing_input,
            "{}: member {} was asked for, but there is neither number nor realization", path(),
            options_.member.value_or(0));
    return;
  }
  const std::vector<double> members = read_coordinate(store_, member_name_);
  members_ = members.size();
  require(options_.member.has_value(), ExitCode::missing_input,
          "{}: has {} members ({}); choose one of {} by its value", path(), members.size(), member_name_,
          fmt::join(members, ", "));
  const auto found = std::find(members.begin(), members.end(), static_cast<double>(*options_.member));
  require(found != members.end(), ExitCode::missing_input, "{}: no member {}; {} has {}", path(),
          *options_.member, member_name_, fmt::join(members, ", "));
  member_ = static_cast<std::size_t>(found - members.begin());
}

std::string ZarrFields::make_identity() const {
  std::string text = store_.metadata_text();
  for (const double value : grid_->latitude) {
    text += fmt::format("{} ", value);
  }
  for (const double value : grid_->longitude) {
    text += fmt::format("{} ", value);
  }
  for (const Time time : times_) {
    text += to_string(time) + " ";
  }
  text += fmt::format("levels {} member {}", fmt::join(levels_, " "), member_);
  return sha256_of_text(text);
}

bool ZarrFields::has(const Channel& channel) const { return obstacle(channel).empty(); }

/// Why a channel cannot be read, in a few words; empty if it can.
std::string ZarrFields::obstacle(const Channel& channel) const {
  if (!store_.has(channel.variable)) {
    return describe(channel) + " (no such variable)";
  }
  const ZarrArray& array = store_.array(channel.variable);
  const bool with_levels = contains(array.dimensions, level_name_);
  if (!contains(array.dimensions, "time")) {
    return describe(channel) + " (has no time)";
  }
  if (with_levels != channel.level.has_value()) {
    return describe(channel) + (with_levels ? " (needs a level)" : " (has no levels)");
  }
  if (with_levels && std::find(levels_.begin(), levels_.end(), *channel.level) == levels_.end()) {
    return describe(channel) + " (no such level)";
  }
  return "";
}

StoreContents ZarrFields::contents() const {
  StoreContents contents;
  for (const std::string& name : store_.names()) {
    try {
      const ZarrArray& array = store_.array(name);
      if (contains(array.dimensions, latitude_name_) && contains(array.dimensions, longitude_name_)) {
        check_dimensions(array);
        list(array, contents);
      }
    } catch (const Error& error) {
      const std::string_view what = error.what();
      const std::size_t known = what.starts_with(path() + ": ") ? path().size() + 2 : 0;
      contents.others.push_back(fmt::format("{} ({})", name, what.substr(known)));
    }
  }
  return contents;
}

/// Adds the channels of a gridded array, or the array without time, to the contents.
void ZarrFields::list(const ZarrArray& array, StoreContents& contents) const {
  const bool with_levels = contains(array.dimensions, level_name_);
  if (!contains(array.dimensions, "time")) {
    const bool is_static = array.dimensions.size() == 2;
    (is_static ? contents.statics : contents.others)
        .push_back(is_static ? array.name : array.name + " (has levels or members, but no time)");
  } else if (!with_levels) {
    contents.channels.push_back({array.name, std::nullopt});
  } else {
    std::vector<int> levels = levels_;
    std::sort(levels.begin(), levels.end());
    for (const int level : levels) {
      contents.channels.push_back({array.name, level});
    }
  }
}

void ZarrFields::check_dimensions(const ZarrArray& array) const {
  const std::map<std::string, std::size_t> known{{"time", times_.size()},
                                                 {latitude_name_, axes_.grid.latitude.size()},
                                                 {longitude_name_, axes_.grid.longitude.size()},
                                                 {level_name_, levels_.size()},
                                                 {member_name_, members_}};
  for (const std::string& needed : {latitude_name_, longitude_name_}) {
    require(contains(array.dimensions, needed), ExitCode::corrupt_input,
            "{}: {} has the dimensions [{}], {} is needed", path(), array.name,
            fmt::join(array.dimensions, ", "), needed);
  }
  std::set<std::string> seen;
  for (std::size_t d = 0; d < array.dimensions.size(); ++d) {
    const std::string& name = array.dimensions[d];
    const auto found = known.find(name);
    require(found != known.end() && seen.insert(name).second, ExitCode::corrupt_input,
            "{}: dimension {} of {} is not one of time, level, number, latitude, longitude", path(), name,
            array.name);
    require(array.shape[d] == found->second, ExitCode::corrupt_input,
            "{}: dimension {} of {} has the length {}, its coordinate {}", path(), name, array.name,
            array.shape[d], found->second);
  }
}

/// Groups channels so that every chunk is decoded once.
std::vector<ZarrFields::Slab> ZarrFields::plan(const ChannelSet& channels) const {
  std::map<std::pair<std::string, std::size_t>, Slab> slabs;  // by variable and chunk of levels
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const ZarrArray& array = store_.array(channels[c].variable);
    std::size_t level = 0;
    std::size_t chunk = 0;
    if (channels[c].level) {
      level = static_cast<std::size_t>(std::find(levels_.begin(), levels_.end(), *channels[c].level) -
                                       levels_.begin());
      chunk = level / array.chunks[position(array.dimensions, level_name_)];
    }
    Slab& slab = slabs[{channels[c].variable, chunk}];
    slab.variable = channels[c].variable;
    slab.channels_of_level[level].push_back(c);
  }
  std::vector<Slab> result;
  for (auto& [key, slab] : slabs) {
    slab.first_level = slab.channels_of_level.begin()->first;
    slab.levels = slab.channels_of_level.rbegin()->first - slab.first_level + 1;
    result.push_back(std::move(slab));
  }
  return result;
}

ZarrBox ZarrFields::box_of(const ZarrArray& array, std::size_t time, const Slab& slab) const {
  ZarrBox box = ZarrBox::all(array);
  for (std::size_t d = 0; d < array.dimensions.size(); ++d) {
    const std::string& name = array.dimensions[d];
    if (name == "time") {
      box.start[d] = time;
      box.count[d] = 1;
    } else if (name == member_name_) {
      box.start[d] = member_;
      box.count[d] = 1;
    } else if (name == level_name_) {
      box.start[d] = slab.first_level;
      box.count[d] = slab.levels;
    }
  }
  return box;
}

/// Absent chunks that are an error: all unless their fill value is NaN or the options allow them.
std::vector<std::string> ZarrFields::absent_chunks(const ZarrArray& array, const ZarrBox& box) const {
  if (array.fill_is_nan || options_.allow_missing_chunks) {
    return {};
  }
  return store_.absent_chunks(array.name, box);
}

/// The box with all times of its chunks, if the cache holds that; otherwise the box itself.
ZarrBox ZarrFields::with_whole_chunks(const ZarrArray& array, ZarrBox box) const {
  const std::size_t d = position(array.dimensions, "time");
  ZarrBox whole = box;
  whole.start[d] -= whole.start[d] % array.chunks[d];
  whole.count[d] = std::min(array.chunks[d], array.shape[d] - whole.start[d]);
  return whole.count[d] > 1 && whole.elements() * sizeof(float) <= cache_.limit() ? whole : box;
}

/// Copies one time and level into a field. `values` is a box with one member in the order of the array's
/// dimensions; time and level are counted from its start; shape of field: [lat S->N][lon 0->360).
void ZarrFields::normalise(const ZarrArray& array, const ZarrBox& box, const std::vector<float>& values,
                           std::size_t time, std::size_t level, float* field) const {
  std::size_t latitude_stride = 0;
  std::size_t longitude_stride = 0;
  std::size_t first = 0;
  std::size_t step = 1;
  for (std::size_t d = array.dimensions.size(); d-- > 0;) {
    const std::string& name = array.dimensions[d];
    if (name == latitude_name_) {
      latitude_stride = step;
    } else if (name == longitude_name_) {
      longitude_stride = step;
    } else if (name == level_name_) {
      first += level * step;
    } else if (name == "time") {
      first += time * step;
    }
    step *= box.count[d];
  }
  axes_.gather(values.data() + first, latitude_stride, longitude_stride, field);
}

/// The index of `time`. Errors: missing_input naming the time and every channel that cannot be read.
std::size_t ZarrFields::find(Time time, const ChannelSet& channels) const {
  std::vector<std::string> missing;
  const auto found = std::lower_bound(times_.begin(), times_.end(), time);
  if (found == times_.end() || *found != time) {
    missing.push_back(fmt::format("time {} (the store has {} times from {} to {})", to_string(time),
                                  times_.size(), to_string(times_.front()), to_string(times_.back())));
  }
  for (const Channel& channel : channels) {
    if (std::string reason = obstacle(channel); !reason.empty()) {
      missing.push_back(std::move(reason));
    }
  }
  require(missing.empty(), ExitCode::missing_input, "{}: missing: {}", path(), fmt::join(missing, "; "));
  return static_cast<std::size_t>(found - times_.begin());
}

/// Errors: corrupt_input for unfit dimensions, missing_input naming the first chunks that are absent.
void ZarrFields::check_slabs(const std::vector<Slab>& slabs, std::size_t time) const {
  std::vector<std::string> missing;
  for (const Slab& slab : slabs) {
    const ZarrArray& array = store_.array(slab.variable);
    check_dimensions(array);
    const auto absent = absent_chunks(array, box_of(array, time, slab));
    missing.insert(missing.end(), absent.begin(), absent.end());
  }
  require(missing.empty(), ExitCode::missing_input,
          "{}: {} chunks of time {} are absent: {}; allow_missing_chunks takes their fill value", path(),
          missing.size(), to_string(times_[time]), some_of(missing));
}

State ZarrFields::read(Time time, const std::shared_ptr<const ChannelSet>& channels) {
  const std::size_t time_index = find(time, *channels);
  const std::vector<Slab> slabs = plan(*channels);
  check_slabs(slabs, time_index);
  State state{time, grid_, channels, std::vector<float>(channels->size() * grid_->points())};
  const int threads_inside = slabs.size() > 1 ? 1 : options_.threads;
  parallel_for(slabs.size(), options_.threads, [&](std::size_t s) {
    const Slab& slab = slabs[s];
    const ZarrArray& array = store_.array(slab.variable);
    const ZarrBox box = with_whole_chunks(array, box_of(array, time_index, slab));
    const std::size_t time_in_box = time_index - box.start[position(array.dimensions, "time")];
    const BoxCache::Key key{&store_, slab.variable, box.start, box.count};
    BoxCache::Values values = cache_.find(key);
    if (values == nullptr) {
      values =
          std::make_shared<const std::vector<float>>(store_.read_float(slab.variable, box, threads_inside));
      if (box.count[position(array.dimensions, "time")] > 1) {
        cache_.keep(key, values);
      }
    }
    for (const auto& [level, targets] : slab.channels_of_level) {
      for (const std::size_t channel : targets) {
        normalise(array, box, *values, time_in_box, level - slab.first_level, state.field(channel).data());
      }
    }
  });
  return state;
}

std::vector<float> ZarrFields::read_static(const std::string& variable) {
  const ZarrArray& array = store_.array(variable);
  check_dimensions(array);
  require(array.dimensions.size() == 2, ExitCode::corrupt_input,
          "{}: {} has the dimensions [{}], a field without time has latitude and longitude only", path(),
          variable, fmt::join(array.dimensions, ", "));
  const ZarrBox box = ZarrBox::all(array);
  const std::vector<std::string> absent = absent_chunks(array, box);
  require(absent.empty(), ExitCode::missing_input,
          "{}: chunks are absent: {}; allow_missing_chunks takes their fill value", path(),
          fmt::join(absent, ", "));
  const std::vector<float> values = store_.read_float(variable, box, options_.threads);
  std::vector<float> field(grid_->points());
  normalise(array, box, values, 0, 0, field.data());
  return field;
}

}  // namespace mosaic
