#pragma once

#include <string>

#include "base/error.hpp"
#include "fields/channel.hpp"

namespace mosaic {

/// A store has one coordinate of levels for all variables that have levels. Errors: `code`, naming `path`,
/// two variables whose levels differ and the `rule` that they break.
void require_same_levels(const ChannelSet& channels, ExitCode code, const std::string& path,
                         const std::string& rule);

}  // namespace mosaic
