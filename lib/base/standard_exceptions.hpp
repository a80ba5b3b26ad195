#pragma once

#include <exception>
#include <source_location>

#include "base/error.hpp"

namespace mosaic {

/// What an exception of the standard library means: no memory (internal, said so), a file system that fails
/// (io_error), anything else (internal, "unexpected exception").
Error as_error(const std::exception& problem, std::source_location where = std::source_location::current());

}  // namespace mosaic
