#include "fields/same_levels.hpp"

#include <fmt/ranges.h>

#include <map>
#include <set>

namespace mosaic {

void require_same_levels(const ChannelSet& channels, ExitCode code, const std::string& path,
                         const std::string& rule) {
  std::map<std::string, std::set<int>> levels;
  for (const Channel& channel : channels) {
    if (channel.level) {
      levels[channel.variable].insert(*channel.level);
    }
  }
  for (const auto& [variable, own] : levels) {
    const auto& [first, others] = *levels.begin();
    require(own == others, code, "{}: {} has the levels {}, {} has {}; {}", path, first,
            fmt::join(others, " "), variable, fmt::join(own, " "), rule);
  }
}

}  // namespace mosaic
