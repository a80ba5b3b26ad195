#pragma once

#include <string>
#include <vector>

namespace mosaic {

/// The paths of a list separated by commas, each part a path or a glob pattern with *; in the order of the
/// list, those of a pattern sorted. Errors: missing_input ("no such <kind>") naming every part without a
/// path.
std::vector<std::string> expand_paths(const std::string& list, const std::string& kind);

/// The first 8 of them for a message, with "..." if there are more.
std::string some_of(const std::vector<std::string>& paths);

}  // namespace mosaic
