#include "stores/gridded_forecasts.hpp"

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic {

namespace {

/// Files that stay open: an ensemble of usual size, one file for each member.
constexpr std::size_t most_open = 64;

template <class Value>
std::size_t position(const std::vector<Value>& values, const Value& wanted) {
  return static_cast<std::size_t>(std::find(values.begin(), values.end(), wanted) - values.begin());
}

}  // namespace

GriddedForecasts::GriddedForecasts(const std::vector<std::string>& files, const std::string& name,
                                   const ForecastStoreOptions& options)
    : ForecastStore(name), options_(options) {
  open(files);
  check_renames();
  keep_one_product();
  index();
  choose_members();
  make_identity();
}

void GriddedForecasts::open(const std::vector<std::string>& files) {
  for (const std::string& path : files) {
    files_.push_back(std::make_unique<ForecastSource>(
        open_labelled_arrays(path, {options_.rename, options_.verify_checksums})));
    ForecastSource& file = *files_.back();
    const ForecastSource& first = *files_.front();
    file.arrays().share_tables(first.arrays());
    file.arrays().share_tables(files_[files_.size() < 2 ? 0 : files_.size() - 2]->arrays());
    file.arrays().file().close();
    require(file.arrays().axes().grid == first.arrays().axes().grid, ExitCode::corrupt_input,
            "{} and {} have different grids; open them one by one", first.path(), file.path());
  }
  grid_ = std::make_shared<const LatLonGrid>(files_.front()->arrays().axes().grid);
}

/// A name that renames nothing is a typing error.
void GriddedForecasts::check_renames() const {
  for (const auto& [stored, name] : options_.rename) {
    const bool used = std::any_of(files_.begin(), files_.end(), [&](const auto& file) {
      const auto& renamed = file->arrays().file().renamed();
      return std::find(renamed.begin(), renamed.end(), stored) != renamed.end();
    });
    require(used, ExitCode::missing_input, "{}: rename: there is no variable or dimension {} to be {}",
            path(), stored, name);
  }
}

void GriddedForecasts::keep_one_product() {
  ForecastProduct first = ForecastProduct::spread;
  for (const auto& file : files_) {
    first = std::min(first, file->product());
  }
  std::erase_if(files_, [&](const auto& file) { return file->product() != first; });
}

void GriddedForecasts::index() {
  std::set<Duration> leads;
  for (std::size_t f = 0; f < files_.size(); ++f) {
    const ForecastSource& file = *files_[f];
    for (std::size_t t = 0; t < file.initial_times().size(); ++t) {
      parts_[file.initial_times()[t]].push_back({f, t});
    }
    leads.insert(file.leads().begin(), file.leads().end());
    const bool known = std::any_of(layouts_.begin(), layouts_.end(), [&](std::size_t other) {
      return files_[other]->arrays().shares_tables(file.arrays());
    });
    if (!known) {
      layouts_.push_back(f);
    }
  }
  leads_.assign(leads.begin(), leads.end());
  for (const auto& [time, parts] : parts_) {
    initial_times_.push_back(time);
    check_overlap(time, parts);
  }
}

/// Errors: corrupt_input if a lead and member of this initial time is in two files.
void GriddedForecasts::check_overlap(Time initial_time, const std::vector<Part>& parts) const {
  if (parts.size() < 2) {
    return;
  }
  std::map<std::pair<Duration, std::int64_t>, std::size_t> owner;
  for (const Part& part : parts) {
    const ForecastSource& file = *files_[part.file];
    for (const Duration lead : file.leads()) {
      for (const std::int64_t member : file.members()) {
        const auto [place, fresh] = owner.try_emplace({lead, member}, part.file);
        require(
            fresh, ExitCode::corrupt_input, "initial time {}, lead {}, member {} is in {} and again in {}{}",
            to_string(initial_time), to_string(lead), member, files_[place->second]->path(), file.path(),
            file.numbers_members() ? "" : "; members in files of their own need a scalar named realization");
      }
    }
  }
}

void GriddedForecasts::choose_members() {
  const std::vector<std::int64_t>& first = files_.front()->members();
  std::set<std::int64_t> all;
  bool same = true;
  bool numbered = true;
  for (const auto& file : files_) {
    all.insert(file->members().begin(), file->members().end());
    same = same && file->members() == first;
    numbered = numbered && file->numbers_members();
  }
  if (options_.members.empty()) {
    member_numbers_ = same ? first : std::vector(all.begin(), all.end());
    return;
  }
  require(numbered, ExitCode::missing_input,
          "{}: members {} were asked for, but the forecasts have none of {}", path(),
          fmt::join(options_.members, ", "), fmt::join(axis_names(AxisRole::member), ", "));
  std::vector<std::int64_t> missing;
  std::set<std::int64_t> seen;
  for (const std::int64_t member : options_.members) {
    require(seen.insert(member).second, ExitCode::bad_configuration, "{}: member {} is asked for twice",
            path(), member);
    if (!all.contains(member)) {
      missing.push_back(member);
    }
  }
  require(missing.empty(), ExitCode::missing_input, "{}: no members {}; there are {}", path(),
          fmt::join(missing, ", "), fmt::join(all, ", "));
  member_numbers_ = options_.members;
}

void GriddedForecasts::make_identity() {
  std::string text;
  for (const auto& file : files_) {
    text += file->arrays().identity_text();
    for (const Time time : file->initial_times()) {
      text += to_string(time) + " ";
    }
    for (const Duration lead : file->leads()) {
      text += to_string(lead) + " ";
    }
    text += fmt::format("members {}\n", fmt::join(file->members(), " "));
  }
  for (const auto& [stored, name] : options_.rename) {
    text += stored + " is " + name + "\n";
  }
  identity_ = sha256_of_text(text + fmt::format("chosen {}", fmt::join(member_numbers_, " ")));
}

/// The files that hold the chosen members, and where; members that no file has go to `missing`.
std::vector<GriddedForecasts::Piece> GriddedForecasts::find(Time initial_time, Duration lead,
                                                            std::vector<std::int64_t>& missing) const {
  std::vector<Piece> pieces;
  std::vector<bool> found(member_numbers_.size(), false);
  const auto parts = parts_.find(initial_time);
  if (parts != parts_.end()) {
    for (const Part& part : parts->second) {
      const ForecastSource& file = *files_[part.file];
      const std::size_t lead_index = position(file.leads(), lead);
      if (lead_index == file.leads().size()) {
        continue;
      }
      Piece piece{part.file, {{{AxisRole::time, part.time}, {AxisRole::lead, lead_index}}, {}}};
      for (std::size_t m = 0; m < member_numbers_.size(); ++m) {
        const std::size_t stored = position(file.members(), member_numbers_[m]);
        if (stored < file.members().size()) {
          piece.place.members.emplace_back(stored, m);
          found[m] = true;
        }
      }
      if (!piece.place.members.empty()) {
        pieces.push_back(std::move(piece));
      }
    }
  }
  for (std::size_t m = 0; m < found.size(); ++m) {
    if (!found[m]) {
      missing.push_back(member_numbers_[m]);
    }
  }
  return pieces;
}

bool GriddedForecasts::has_time(Time initial_time, Duration lead) const {
  std::vector<std::int64_t> missing;
  find(initial_time, lead, missing);
  return missing.empty();
}

std::string GriddedForecasts::obstacle(const ForecastSource& file, const Channel& channel) const {
  return file.arrays().obstacle(channel, file.axes());
}

bool GriddedForecasts::has(const Channel& channel) const {
  return std::all_of(layouts_.begin(), layouts_.end(),
                     [&](std::size_t f) { return obstacle(*files_[f], channel).empty(); });
}

ChannelSet GriddedForecasts::channels() const {
  ChannelSet all;
  for (const Channel& channel : files_.front()->arrays().channels()) {
    if (has(channel)) {
      all.push_back(channel);
    }
  }
  return all;
}

std::string GriddedForecasts::describe_absence(Time initial_time, Duration lead,
                                               const std::vector<std::int64_t>& missing) const {
  if (!parts_.contains(initial_time)) {
    return fmt::format("initial time {} (there are {} from {} to {})", to_string(initial_time),
                       initial_times_.size(), to_string(initial_times_.front()),
                       to_string(initial_times_.back()));
  }
  std::set<Duration> leads;
  for (const Part& part : parts_.at(initial_time)) {
    leads.insert(files_[part.file]->leads().begin(), files_[part.file]->leads().end());
  }
  if (!leads.contains(lead)) {
    return fmt::format("lead {} of initial time {} (there are {} from {} to {})", to_string(lead),
                       to_string(initial_time), leads.size(), to_string(*leads.begin()),
                       to_string(*leads.rbegin()));
  }
  return fmt::format("members {} of initial time {}, lead {}", fmt::join(missing, ", "),
                     to_string(initial_time), to_string(lead));
}

/// Marks a file as used and closes the one that was not for the longest time.
void GriddedForecasts::touch(std::size_t file) {
  open_files_.remove(file);
  open_files_.push_front(file);
  if (open_files_.size() > most_open) {
    files_[open_files_.back()]->arrays().file().close();
    open_files_.pop_back();
  }
}

std::vector<float> GriddedForecasts::read(Time initial_time, Duration lead, const ChannelSet& channels) {
  std::vector<std::int64_t> missing_members;
  const std::vector<Piece> pieces = find(initial_time, lead, missing_members);
  std::vector<std::string> missing;
  if (!missing_members.empty()) {
    missing.push_back(describe_absence(initial_time, lead, missing_members));
  }
  std::set<std::string> reasons;
  for (const std::size_t f : pieces.empty() ? layouts_ : std::vector<std::size_t>{}) {
    for (const Channel& channel : channels) {
      reasons.insert(obstacle(*files_[f], channel));
    }
  }
  for (const Piece& piece : pieces) {
    for (const Channel& channel : channels) {
      reasons.insert(obstacle(*files_[piece.file], channel));
    }
  }
  reasons.erase("");
  missing.insert(missing.end(), reasons.begin(), reasons.end());
  const std::string& where = pieces.size() == 1 ? files_[pieces.front().file]->path() : path();
  require(missing.empty(), ExitCode::missing_input, "{}: missing: {}", where, fmt::join(missing, "; "));
  std::vector<float> values(member_numbers_.size() * channels.size() * grid().points());
  const FieldReadOptions how{options_.threads, options_.allow_missing_chunks, {AxisRole::lead}};
  for (const Piece& piece : pieces) {
    touch(piece.file);
    files_[piece.file]->arrays().read(channels, piece.place, how, cache_, values.data());
  }
  return values;
}

}  // namespace mosaic
