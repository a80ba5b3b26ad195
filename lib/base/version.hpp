#pragma once

#include <string>

namespace mosaic {

/// What `--version` prints, on one line: project version, git revision at configure time, compiler, build
/// type and whether libtorch is built in.
std::string version_text();

}  // namespace mosaic
