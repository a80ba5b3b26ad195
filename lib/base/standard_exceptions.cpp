#include "base/standard_exceptions.hpp"

#include <filesystem>
#include <new>

namespace mosaic {

Error as_error(const std::exception& problem, std::source_location where) {
  if (dynamic_cast<const std::bad_alloc*>(&problem) != nullptr) {
    return {ExitCode::internal,
            "out of memory: give the job more, or use fewer ranks per host or a smaller ensemble.batch",
            where};
  }
  if (dynamic_cast<const std::filesystem::filesystem_error*>(&problem) != nullptr) {
    return {ExitCode::io_error, problem.what(), where};
  }
  return {ExitCode::internal, fmt::format("unexpected exception: {}", problem.what()), where};
}

}  // namespace mosaic
