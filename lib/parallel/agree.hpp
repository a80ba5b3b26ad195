#pragma once

#include <exception>
#include <string>

#include "base/error.hpp"
#include "base/standard_exceptions.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

/// Runs `action` on every rank of `comm` and goes on only if it succeeded on all of them; otherwise every
/// rank throws the same Error with all messages. For set-up, where one rank's problem must not leave the
/// others waiting. Collective.
template <class Action>
void agree(const Comm& comm, Action&& action) {
  int code = static_cast<int>(ExitCode::complete);
  std::string message;
  try {
    action();
  } catch (const Error& problem) {
    code = static_cast<int>(problem.code());
    message = problem.what();
  } catch (const std::exception& problem) {
    const Error error = as_error(problem);
    code = static_cast<int>(error.code());
    message = error.what();
  }
  comm.require_agreement(code, message);
}

}  // namespace mosaic
