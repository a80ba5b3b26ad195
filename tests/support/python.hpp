#pragma once

#include <string>
#include <vector>

#include "support/job.hpp"

namespace mosaic::test {

/// The Python of the tests: MOSAIC_PYTHON, or the one that cmake/bootstrap.sh --with-tests installs.
std::string python();

/// Runs a script with arguments (sys.argv[1:]).
Job run_python(const std::string& script, const std::vector<std::string>& arguments = {});

}  // namespace mosaic::test

/// Skips the test visibly unless these modules ("xarray, zarr") can be imported.
#define PYTHON_OR_SKIP(modules)                                                           \
  if (::mosaic::test::run_python(std::string("import ") + (modules)).code != 0) {         \
    GTEST_SKIP() << "no Python with " << (modules) << " at " << ::mosaic::test::python(); \
  }
