#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "parallel/comm.hpp"

namespace mosaic {

/// Reads the command line. The exit code if the program is to end at once: after --help and --version, which
/// rank 0 answers, and after bad flags, of which it says what is wrong.
inline std::optional<int> end_of_parsing(CLI::App& program, int argc, char** argv) {
  try {
    program.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& problem) {
    const int code = Comm::world().rank() == 0 ? program.exit(problem) : problem.get_exit_code();
    return static_cast<int>(code == 0 ? ExitCode::complete : ExitCode::usage);
  }
}

/// The last time that a flag asks for: the end of the day, if the text names a day only. Errors: those of
/// parse_time().
inline Time parse_last(const std::string& text) {
  const Time time = parse_time(text);
  return text.find('T') == std::string::npos ? time + Duration::days(1) - Duration{1} : time;
}

}  // namespace mosaic
