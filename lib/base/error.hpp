#pragma once

#include <fmt/format.h>

#include <concepts>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace mosaic {

/// How a program ends, and why an Error was raised. The values follow sysexits.h where it has one.
enum class ExitCode : int {
  complete = 0,
  usage = 64,              ///< bad flags
  corrupt_input = 65,      ///< corrupt or unsuitable input
  missing_input = 66,      ///< a file, variable, level or time is not there
  internal = 70,           ///< internal error, or a forecast that left its physical range
  cannot_create = 73,      ///< output cannot be created
  io_error = 74,           ///< read or write failed, disk full
  stopped_early = 75,      ///< stopped by a signal or a time limit; finished work is safe
  partly_failed = 76,      ///< finished, but some initial times failed
  bad_configuration = 78,  ///< bad or conflicting configuration
};

/// `text` with control characters, which damaged files bring into names, as \\x1b; lines and tabs stay.
std::string printable(std::string text);

/// The one exception type of the suite: what went wrong (printable), which exit code it means, where it was
/// found.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message,
        std::source_location where = std::source_location::current())
      : std::runtime_error(printable(message)), code_(code), where_(where) {}

  ExitCode code() const { return code_; }
  const std::source_location& where() const { return where_; }

 private:
  ExitCode code_;
  std::source_location where_;
};

/// A format string that remembers where it stands.
template <class... Args>
struct LocatedFormat {
  template <std::convertible_to<std::string_view> Text>
  consteval LocatedFormat(const Text& text,  // NOLINT: implicit on purpose
                          std::source_location where = std::source_location::current())
      : text(text), where(where) {}

  fmt::format_string<Args...> text;
  std::source_location where;
};

/// Throws Error(code, formatted message).
template <class... Args>
[[noreturn]] void fail(ExitCode code, LocatedFormat<std::type_identity_t<Args>...> text, Args&&... args) {
  throw Error(code, fmt::format(text.text, std::forward<Args>(args)...), text.where);
}

/// Throws Error(code, formatted message) unless ok; checks in every build type.
template <class... Args>
void require(bool ok, ExitCode code, LocatedFormat<std::type_identity_t<Args>...> text, Args&&... args) {
  if (!ok) {
    throw Error(code, fmt::format(text.text, std::forward<Args>(args)...), text.where);
  }
}

/// A broken invariant of our own code: Error(ExitCode::internal, ...).
template <class... Args>
void require(bool ok, LocatedFormat<std::type_identity_t<Args>...> text, Args&&... args) {
  if (!ok) {
    throw Error(ExitCode::internal, fmt::format(text.text, std::forward<Args>(args)...), text.where);
  }
}

}  // namespace mosaic
