#include "campaign/initial_times.hpp"

#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic {

namespace {

struct NamedSet {
  const char* name;
  const char* start;
  const char* end;
};

constexpr NamedSet named_sets[] = {
    {"wb2-2020", "2020-01-01T00", "2020-12-31T12"},
    {"first-720", "2020-01-01T00", "2020-12-25T12"},
};

std::vector<Time> range(Time start, Time end, Duration step) {
  require(step.seconds > 0, ExitCode::bad_configuration, "times.step must be positive, not {}",
          to_string(step));
  require(end >= start, ExitCode::bad_configuration, "times.end {} is before times.start {}", to_string(end),
          to_string(start));
  constexpr std::int64_t most = 1'000'000;  // beyond any archive: a step with the wrong unit
  const std::int64_t count = (end - start).seconds / step.seconds + 1;
  require(count <= most, ExitCode::bad_configuration,
          "times.start {} ... times.end {} every {} are {} initial times, more than {}: look at times.step",
          to_string(start), to_string(end), to_string(step), count, most);
  std::vector<Time> times;
  for (Time time = start; time <= end; time = time + step) {
    times.push_back(time);
  }
  return times;
}

std::vector<Time> read_list(const std::string& path) {
  std::istringstream lines(read_text(path));
  std::vector<Time> times;
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line.erase(std::min(line.find('#'), line.size()));
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) {
      continue;
    }
    const auto last = line.find_last_not_of(" \t\r");
    try {
      times.push_back(parse_time(std::string_view(line).substr(first, last - first + 1)));
    } catch (const Error& problem) {
      fail(ExitCode::bad_configuration, "{}:{}: {}", path, number, problem.what());
    }
  }
  require(!times.empty(), ExitCode::bad_configuration, "{}: holds no initial time", path);
  std::sort(times.begin(), times.end());
  const auto repeated = std::adjacent_find(times.begin(), times.end());
  require(repeated == times.end(), ExitCode::bad_configuration, "{}: initial time {} occurs twice", path,
          to_string(repeated == times.end() ? Time{} : *repeated));
  return times;
}

}  // namespace

std::vector<std::string> named_initial_time_sets() {
  std::vector<std::string> names;
  for (const NamedSet& set : named_sets) {
    names.emplace_back(set.name);
  }
  return names;
}

std::vector<Time> initial_times(const InitialTimeSelection& selection) {
  const int ways = static_cast<int>(!selection.set.empty()) + static_cast<int>(!selection.list.empty()) +
                   static_cast<int>(selection.start.has_value());
  require(ways == 1, ExitCode::bad_configuration,
          "give the initial times in exactly one way: times.set, times.list or times.start (with times.end); "
          "{} are given",
          ways);
  if (!selection.list.empty()) {
    return read_list(selection.list);
  }
  if (selection.start) {
    return range(*selection.start, selection.end.value_or(*selection.start), selection.step);
  }
  for (const NamedSet& set : named_sets) {
    if (selection.set == set.name) {
      return range(parse_time(set.start), parse_time(set.end), Duration::hours(12));
    }
  }
  fail(ExitCode::bad_configuration, "times.set '{}' is unknown; known sets: {}", selection.set,
       fmt::format("{}, {}", named_sets[0].name, named_sets[1].name));
}

}  // namespace mosaic
