#pragma once

#include <string>
#include <vector>

namespace mosaic::test {

/// What a file holds. Two files of the same structure differ in numbers only.
struct Contents {
  std::string structure;  ///< names, types, shapes, coordinates, metadata
  std::string values;     ///< their bytes

  bool operator==(const Contents&) const = default;
};

// One function per kind of file: opens it and reads everything in it. Errors: those of the readers; nothing
// else may come out of them, whatever the file holds.

/// Safetensors, .pt, .npz, .npy.
Contents read_tensors(const std::string& path);
/// A Zarr store: as fields, then every array as it is stored. `channels` are read besides those it has.
Contents read_zarr(const std::string& path, const std::vector<std::string>& channels);
/// The fields of a NetCDF file, likewise.
Contents read_netcdf_file(const std::string& path, const std::vector<std::string>& channels);
/// Forecasts and climatologies in every format: all channels they have, and those of the samples.
Contents read_forecasts(const std::string& path);
Contents read_climatology(const std::string& path);
/// A configuration of mosaic_hindcast.
Contents read_configuration(const std::string& path);
/// A network file.
Contents read_network(const std::string& path);

}  // namespace mosaic::test
