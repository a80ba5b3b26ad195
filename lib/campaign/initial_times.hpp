#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace mosaic {

/// How a run names its initial times; exactly one of the three ways must be used.
struct InitialTimeSelection {
  std::string set;            ///< a named set, see named_initial_time_sets()
  std::string list;           ///< file with one ISO-8601 time per line; # starts a comment
  std::optional<Time> start;  ///< first time of a range
  std::optional<Time> end;    ///< last time of a range, inclusive; absent = start
  Duration step = Duration::hours(12);
};

/// wb2-2020: the 732 times 2020-01-01T00 ... 2020-12-31T12 every 12 h. first-720: its first 720, to
/// 2020-12-25T12.
std::vector<std::string> named_initial_time_sets();

/// The initial times, ascending and without repetition. Errors: bad_configuration (no or several ways,
/// unknown set, bad line, end before start, repeated time, more than a million), missing_input (list file).
std::vector<Time> initial_times(const InitialTimeSelection& selection);

}  // namespace mosaic
