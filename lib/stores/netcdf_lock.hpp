#pragma once

#include <netcdf.h>

#include <mutex>
#include <netcdf>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace mosaic {

/// NetCDF-C and HDF5 keep global tables without protection: every call of the process into either of them is
/// made while a NetcdfLock exists. Not recursive. HDF5's own printing on stderr, a setting of each thread, is
/// off from then on: problems are reported through Error.
class NetcdfLock {
 public:
  NetcdfLock();

 private:
  std::unique_lock<std::mutex> lock_;
};

/// Calls body() and returns its result; a NetCDF exception becomes Error(code) naming the file and the
/// reason. The caller holds a NetcdfLock.
template <class Body>
decltype(auto) netcdf_call(ExitCode code, const std::string& path, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const netCDF::exceptions::NcException& problem) {
    const int status = problem.errorCode();
    const std::string reason = status != 0 ? nc_strerror(status) : problem.what();
    throw Error(code, fmt::format("{}: {}", path, reason));
  }
}

}  // namespace mosaic
