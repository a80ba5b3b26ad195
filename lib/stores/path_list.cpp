#include "stores/path_list.hpp"

#include <glob.h>

#include <algorithm>

#include "base/error.hpp"

namespace mosaic {

namespace {

std::vector<std::string> glob_paths(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (glob(pattern.c_str(), 0, nullptr, &found) == 0) {
    paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  }
  globfree(&found);
  return paths;
}

}  // namespace

std::vector<std::string> expand_paths(const std::string& list, const std::string& kind) {
  std::vector<std::string> paths;
  std::vector<std::string> missing;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t end = std::min(list.find(',', start), list.size());
    const std::string part = list.substr(start, end - start);
    const std::vector<std::string> found = glob_paths(part);
    paths.insert(paths.end(), found.begin(), found.end());
    if (found.empty()) {
      missing.push_back(part);
    }
    start = end + 1;
  }
  require(missing.empty(), ExitCode::missing_input, "no such {}: {}", kind, fmt::join(missing, ", "));
  return paths;
}

std::string some_of(const std::vector<std::string>& paths) {
  constexpr std::size_t most = 8;
  const auto end = paths.begin() + static_cast<std::ptrdiff_t>(std::min(paths.size(), most));
  return fmt::format("{}{}", fmt::join(paths.begin(), end, ", "), paths.size() > most ? ", ..." : "");
}

}  // namespace mosaic
