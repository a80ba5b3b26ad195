#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace mosaic {

enum class LogLevel { debug, info, warning, error };

struct LogOptions {
  LogLevel level = LogLevel::info;
  int rank = 0;
  int ranks = 1;
  std::string file;  ///< also write every message of this rank here; empty = no file
};

/// Sets up logging. info and debug of rank 0 and warnings and errors of every rank go to stderr, the latter
/// with
/// `[rank r/N]` in front when there are several ranks; everything goes to `file`. May be called again.
void set_up_log(const LogOptions& options);

/// Writes what the file of this rank still lacks.
void flush_log();

void log_message(LogLevel level, std::string_view message);

template <class... Args>
void log_debug(fmt::format_string<Args...> text, Args&&... args) {
  log_message(LogLevel::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> text, Args&&... args) {
  log_message(LogLevel::info, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> text, Args&&... args) {
  log_message(LogLevel::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> text, Args&&... args) {
  log_message(LogLevel::error, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace mosaic
