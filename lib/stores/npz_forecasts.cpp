#include "stores/npz_forecasts.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"
#include "stores/cf_time.hpp"
#include "stores/checksums.hpp"
#include "stores/mapped_file.hpp"
#include "stores/npz.hpp"
#include "stores/zip_archive.hpp"

namespace mosaic {

namespace {

constexpr const char* fields_entry = "forecasts";
constexpr const char* leads_entry = "lead_time_hours";
constexpr const char* time_entry = "init_time";

std::unique_ptr<TensorFile> read_entries(const std::string& path, const std::set<std::string>& names) {
  require(std::filesystem::exists(path), ExitCode::missing_input, "{}: there is no such file", path);
  const auto file = std::make_shared<const MappedFile>(path);
  const ZipArchive archive(file);
  std::vector<std::string> missing;
  std::vector<std::string> entries;
  for (const auto& [name, entry] : archive.entries()) {
    entries.push_back(name);
  }
  for (const char* name : {fields_entry, leads_entry, time_entry}) {
    if (archive.find(std::string(name) + ".npy") == nullptr) {
      missing.emplace_back(name);
    }
  }
  require(missing.empty(), ExitCode::missing_input,
          "{}: is no forecast of the published inference script: {} absent; there are: {}", path,
          fmt::join(missing, ", "), fmt::join(entries, ", "));
  return read_npz(file, archive, names);
}

Time time_of_text(const TensorFile& file, std::string instant) {
  std::replace(instant.begin(), instant.end(), ' ', 'T');
  try {
    return parse_time(instant.substr(0, instant.find('.')));  // whole seconds
  } catch (const Error& error) {
    fail(ExitCode::corrupt_input, "{}: {}: {}", file.path(), time_entry, error.what());
  }
}

/// From an NPY type such as <M8[ns] and its integer.
Time time_of_datetime(const TensorFile& file, const std::string& type) {
  struct Unit {
    std::int64_t seconds;  // in one
    std::int64_t parts;    // of a second
  };
  static const std::map<std::string, Unit> units = {{"[ns]", {1, 1'000'000'000}},
                                                    {"[us]", {1, 1'000'000}},
                                                    {"[ms]", {1, 1000}},
                                                    {"[s]", {1, 1}},
                                                    {"[m]", {60, 1}},
                                                    {"[h]", {3600, 1}},
                                                    {"[D]", {86400, 1}}};
  const std::size_t bracket = std::min(type.find('['), type.size());
  const auto unit = units.find(type.substr(bracket));
  require(type.find("M8") != std::string::npos && unit != units.end() && file.at(time_entry).elements() == 1,
          ExitCode::corrupt_input, "{}: {} is neither one datetime64 nor one text like 2020-01-01T00 ({})",
          file.path(), time_entry, type.empty() ? "but a number without a unit" : type);
  constexpr std::int64_t year_9999 = 253'402'300'799;
  const std::int64_t value = file.at(time_entry).to_int64().front();
  const std::int64_t whole = value / unit->second.parts;
  require(value >= 0 && whole <= year_9999 / unit->second.seconds, ExitCode::corrupt_input,
          "{}: {} is {} {} after 1970, no initial time", file.path(), time_entry, value, type);
  return {whole * unit->second.seconds};
}

Time initial_time_of(const TensorFile& file) {
  const auto& metadata = file.metadata();
  if (const auto text = metadata.find(std::string(time_entry) + ".text"); text != metadata.end()) {
    return time_of_text(file, text->second);
  }
  const auto type = metadata.find(time_entry);
  return time_of_datetime(file, type == metadata.end() ? "" : type->second);
}

}  // namespace

NpzForecasts::NpzForecasts(const std::vector<std::string>& files, const std::string& name,
                           const ForecastStoreOptions& options)
    : ForecastStore(name) {
  require(options.rename.empty(), ExitCode::bad_configuration,
          "{}: rename has no effect on .npz, whose channels have an order and no names", name);
  std::set<Duration> leads;
  for (const std::string& path : files) {
    add_file(path, options);
  }
  const TensorView& first = load(files_.begin()->second);
  choose_members(options, static_cast<std::size_t>(first.shape[0]));
  grid_ = std::make_shared<const LatLonGrid>(
      LatLonGrid::with_poles(static_cast<int>(first.shape[2]), static_cast<int>(first.shape[3])));
  std::string text =
      fmt::format("npz {} chosen {}\n", fmt::join(shape_, " "), fmt::join(member_numbers_, " "));
  for (const auto& [time, file] : files_) {
    initial_times_.push_back(time);
    leads.insert(file.leads.begin(), file.leads.end());
    text += to_string(time);
    for (const Duration lead : file.leads) {
      text += " " + to_string(lead);
    }
    text += fmt::format(" {} bytes\n", std::filesystem::file_size(file.path));
  }
  leads_.assign(leads.begin(), leads.end());
  identity_ = sha256_of_text(text);
}

void NpzForecasts::add_file(const std::string& path, const ForecastStoreOptions& options) {
  if (options.verify_checksums) {
    ChecksumManifest::load(ChecksumManifest::default_path(path))
        .check_file(std::filesystem::path(path).filename().string(), path);
  }
  const auto entries = read_entries(path, {leads_entry, time_entry});
  const Time initial_time = initial_time_of(*entries);
  File file{path, decode_leads(entries->at(leads_entry).to_double(), "hours", path + ": " + leads_entry)};
  std::vector<Duration> sorted = file.leads;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  require(!sorted.empty() && twice == sorted.end(), ExitCode::corrupt_input,
          "{}: {} is empty or has {} twice", path, leads_entry,
          twice == sorted.end() ? "a lead" : to_string(*twice));
  const auto [place, fresh] = files_.emplace(initial_time, std::move(file));
  require(fresh, ExitCode::corrupt_input, "initial time {} is in {} and again in {}", to_string(initial_time),
          place->second.path, path);
}

/// The fields of a file. Errors: corrupt_input if they do not fit its leads or the other files.
const TensorView& NpzForecasts::load(const File& file) {
  if (loaded_path_ != file.path) {
    loaded_.reset();
    loaded_ = read_entries(file.path, {fields_entry});
    loaded_path_ = file.path;
  }
  const TensorView& fields = loaded_->at(fields_entry);
  constexpr std::size_t dimensions = 5;
  const auto& shape = fields.shape;
  const auto channels = static_cast<std::int64_t>(channels_.size());
  const bool fits = shape.size() == dimensions && shape[0] > 0 && shape[3] > 1 &&
                    shape[2] == 2 * (shape[3] - 1) && shape[4] == channels;
  require(fits && fields.type == TensorType::float32, ExitCode::corrupt_input,
          "{}: {} has the shape [{}] of {}; [members, steps, longitudes, latitudes, {}] of float32 with "
          "poles (as "
          "many longitudes as twice the latitudes less 2) is needed",
          file.path, fields_entry, fmt::join(shape, ", "), to_string(fields.type), channels);
  require(static_cast<std::size_t>(shape[1]) == file.leads.size(), ExitCode::corrupt_input,
          "{}: {} has {} steps, {} has {}", file.path, fields_entry, shape[1], leads_entry,
          file.leads.size());
  const std::vector<std::int64_t> fixed = {shape[0], shape[2], shape[3], shape[4]};
  if (shape_.empty()) {
    shape_ = fixed;
  }
  require(shape_ == fixed, ExitCode::corrupt_input,
          "{}: members, longitudes, latitudes, channels are {}, in the first file {}", file.path,
          fmt::join(fixed, ", "), fmt::join(shape_, ", "));
  return fields;
}

void NpzForecasts::choose_members(const ForecastStoreOptions& options, std::size_t stored) {
  member_numbers_ = options.members;
  for (std::size_t m = 0; options.members.empty() && m < stored; ++m) {
    member_numbers_.push_back(static_cast<std::int64_t>(m));
  }
  std::set<std::int64_t> seen;
  for (const std::int64_t member : member_numbers_) {
    require(seen.insert(member).second, ExitCode::bad_configuration, "{}: member {} is asked for twice",
            path(), member);
    require(member >= 0 && static_cast<std::size_t>(member) < stored, ExitCode::missing_input,
            "{}: no member {}; there are 0 ... {}", path(), member, stored - 1);
  }
}

bool NpzForecasts::has_time(Time initial_time, Duration lead) const {
  const auto file = files_.find(initial_time);
  return file != files_.end() &&
         std::find(file->second.leads.begin(), file->second.leads.end(), lead) != file->second.leads.end();
}

bool NpzForecasts::has(const Channel& channel) const {
  return std::find(channels_.begin(), channels_.end(), channel) != channels_.end();
}

void NpzForecasts::check_request(Time initial_time, Duration lead, const ChannelSet& channels) const {
  std::vector<std::string> missing;
  if (!files_.contains(initial_time)) {
    missing.push_back(fmt::format("initial time {} (there are {} from {} to {})", to_string(initial_time),
                                  initial_times_.size(), to_string(initial_times_.front()),
                                  to_string(initial_times_.back())));
  } else if (!has_time(initial_time, lead)) {
    missing.push_back(fmt::format("lead {} of initial time {} (there are {} from {} to {})", to_string(lead),
                                  to_string(initial_time), leads_.size(), to_string(leads_.front()),
                                  to_string(leads_.back())));
  }
  for (const Channel& channel : channels) {
    if (!has(channel)) {
      missing.push_back(channel.name() + " (no such channel)");
    }
  }
  require(missing.empty(), ExitCode::missing_input, "{}: missing: {}", path(), fmt::join(missing, "; "));
}

std::vector<float> NpzForecasts::read(Time initial_time, Duration lead, const ChannelSet& channels) {
  check_request(initial_time, lead, channels);
  const File& file = files_.at(initial_time);
  const TensorView& fields = load(file);
  const auto step =
      static_cast<std::size_t>(std::find(file.leads.begin(), file.leads.end(), lead) - file.leads.begin());
  const std::size_t steps = file.leads.size();
  const std::size_t columns = grid().longitude.size();
  const std::size_t rows = grid().latitude.size();
  const std::size_t points = grid().points();
  std::vector<std::size_t> stored;
  for (const Channel& channel : channels) {
    stored.push_back(
        static_cast<std::size_t>(std::find(channels_.begin(), channels_.end(), channel) - channels_.begin()));
  }
  std::vector<float> values(member_numbers_.size() * channels.size() * points);
  for (std::size_t m = 0; m < member_numbers_.size(); ++m) {
    const auto member = static_cast<std::size_t>(member_numbers_[m]);
    for (std::size_t p = 0; p < points; ++p) {  // in stored order, longitude slower
      const std::size_t target = p % rows * columns + p / rows;
      const std::size_t first = ((member * steps + step) * points + p) * channels_.size();
      for (std::size_t c = 0; c < stored.size(); ++c) {  // a mapped file need not be aligned
        std::memcpy(&values[(m * stored.size() + c) * points + target],
                    fields.bytes.data() + (first + stored[c]) * sizeof(float), sizeof(float));
      }
    }
  }
  return values;
}

}  // namespace mosaic
