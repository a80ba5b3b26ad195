#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include "fuzz/read_everything.hpp"

namespace mosaic::test {

/// How often a child did not come back.
struct Trials {
  std::size_t crashes = 0;
  std::size_t hangs = 0;
};

/// `read_all` in a forked child, since the NetCDF library itself crashes and hangs: nothing then, and
/// counted. Throws what the child throws, and std::runtime_error if the crash is in our own code (with
/// sanitizers, whose report tells) or the exception was no Error.
std::optional<Contents> read_in_child(const std::function<Contents()>& read_all, Trials& trials);

}  // namespace mosaic::test
