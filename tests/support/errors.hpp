#pragma once

#include <functional>
#include <string>

#include "base/error.hpp"

namespace mosaic::test {

/// The exit code of the Error that `action` throws and, if asked for, its message; complete if it throws
/// none.
inline ExitCode code_of(const std::function<void()>& action, std::string* message = nullptr) {
  try {
    action();
  } catch (const Error& error) {
    if (message != nullptr) {
      *message = error.what();
    }
    return error.code();
  }
  return ExitCode::complete;
}

}  // namespace mosaic::test
