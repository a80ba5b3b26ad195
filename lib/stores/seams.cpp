#include "stores/seams.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "base/files.hpp"

namespace mosaic {

std::vector<Time> seams_of(const std::string& path) {
  const std::string file = path + "/.zattrs";
  if (!std::filesystem::is_regular_file(file)) {
    return {};
  }
  const auto attributes = nlohmann::json::parse(read_text(file), nullptr, /*allow_exceptions=*/false);
  if (!attributes.is_object() || !attributes.contains("seams")) {
    return {};
  }
  const auto& attribute = attributes["seams"];
  require(attribute.is_string(), ExitCode::corrupt_input, "{}: seams is no text", file);
  std::vector<Time> seams;
  std::istringstream words(attribute.get<std::string>());
  for (std::string word; words >> word && word != "none";) {
    try {
      seams.push_back(parse_time(word));
    } catch (const Error& problem) {
      fail(ExitCode::corrupt_input, "{}: seams: {}", file, problem.what());
    }
  }
  std::sort(seams.begin(), seams.end());
  return seams;
}

bool crosses_seam(const std::vector<Time>& seams, Time from, Time to) {
  const auto next = std::upper_bound(seams.begin(), seams.end(), from);
  return next != seams.end() && *next <= to;
}

}  // namespace mosaic
