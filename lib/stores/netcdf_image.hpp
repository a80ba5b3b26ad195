#pragma once

#include <functional>
#include <netcdf>
#include <string>

namespace mosaic {

// NetCDF files are built and read in memory and go to disk in one write of our own: written by the library, a
// full disk is reported as "Permission denied" or "HDF error", and a close that fails ends in a segmentation
// fault of NetCDF-C 4.9.0 (nc_close lists the objects of a file that HDF5 has already taken apart).
// Files that it creates in memory itself (nc_create_mem) forget the order of variables.
// The caller holds no NetcdfLock.

/// The bytes of a new NetCDF-4 file with what `fill` defines. `name` is for messages. Errors: internal.
std::string netcdf_image(const std::string& name, const std::function<void(netCDF::NcGroup& file)>& fill);

/// Calls `read` with an opened file that has these bytes. Errors: corrupt_input.
void read_netcdf_image(const std::string& name, const std::string& bytes,
                       const std::function<void(const netCDF::NcGroup& file)>& read);

}  // namespace mosaic
