#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace mosaic {

/// Runs an action; what an Error of it says is added to `problems`, to be reported with others.
template <class Action>
void collect_problems(std::vector<std::string>& problems, Action&& action) {
  try {
    std::forward<Action>(action)();
  } catch (const Error& problem) {
    problems.emplace_back(problem.what());
  }
}

}  // namespace mosaic
