#include "stores/netcdf_lock.hpp"

#include <hdf5.h>

namespace mosaic {

namespace {

std::mutex& netcdf_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

NetcdfLock::NetcdfLock() : lock_(netcdf_mutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

}  // namespace mosaic
