#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "stores/zarr.hpp"

namespace mosaic {

/// Name in the file -> name by which it is asked for: arrays and dimensions.
using Renames = std::map<std::string, std::string>;

/// What is known about an array of a file before it is read.
struct LabelledArray {
  std::string stored_name;
  std::vector<std::string> dimensions;  ///< slowest first, renamed
  std::vector<std::size_t> shape;
  std::vector<std::size_t> chunks;  ///< empty if the file has it in one piece
  std::string refusal;              ///< why it cannot be read as numbers; empty if it can
  bool fill_is_nan = true;          ///< of chunks that are absent
  std::string units;
  std::string calendar;
  std::string standard_name;
  std::string cell_methods;

  friend bool operator==(const LabelledArray&, const LabelledArray&) = default;
  /// One dimension, named like the array.
  bool is_coordinate(const std::string& name) const { return dimensions == std::vector{name}; }
};

/// By the name that arrays have after renaming: as options say, else the WeatherBench name of a CF short name
/// (also before _mean, _std, _quantile), else their own.
using ArrayTable = std::map<std::string, LabelledArray>;

/// The arrays of a Zarr store or a NetCDF file with named dimensions. Reads may run side by side.
class LabelledArrays {
 public:
  virtual ~LabelledArrays() = default;
  LabelledArrays(const LabelledArrays&) = delete;
  LabelledArrays& operator=(const LabelledArrays&) = delete;

  const std::string& path() const { return path_; }
  const ArrayTable& arrays() const { return *arrays_; }
  bool has(const std::string& name) const { return arrays_->contains(name); }
  /// Keeps one table for both if they are equal: thousands of files have the same.
  void share_table(const LabelledArrays& other);
  bool shares_table(const LabelledArrays& other) const { return arrays_ == other.arrays_; }
  /// Names in the file that renaming had an effect on.
  const std::vector<std::string>& renamed() const { return renamed_; }
  /// All metadata that identify the layout.
  virtual std::string metadata_text() const = 0;

  /// A coordinate or scalar, whole. Errors: missing_input if a chunk is absent, corrupt_input if it has more
  /// than one dimension, no or too many values, or values that are not finite.
  virtual std::vector<double> read_coordinate(const std::string& name) = 0;
  /// Physical values in C order of the box; missing values are NaN. Errors: corrupt_input, io_error.
  virtual std::vector<float> read_box(const std::string& name, const ZarrBox& box, int threads) = 0;
  /// Files of chunks that the box touches and that do not exist.
  virtual std::vector<std::string> absent_chunks(const std::string& name, const ZarrBox& box) const = 0;
  /// Gives back handles of the operating system until the next read.
  virtual void close() {}

 protected:
  LabelledArrays(std::string path, Renames renames);
  std::string renamed(const std::string& stored_name);
  /// Errors: corrupt_input if the name is taken.
  void add(const std::string& stored_name, LabelledArray array);
  /// Errors: as read_coordinate().
  void check_coordinate(const std::string& name, const std::vector<double>& values) const;
  void check_coordinate_shape(const std::string& name) const;

 private:
  std::string path_;
  Renames renames_;
  std::vector<std::string> renamed_;
  std::shared_ptr<ArrayTable> arrays_ = std::make_shared<ArrayTable>();
};

struct LabelledArraysOptions {
  Renames rename;
  bool verify_checksums = false;  ///< compare all that is read (NetCDF: the file, once) with the manifest
};

/// Opens a folder as a Zarr v2 store, anything else as NetCDF. Errors: missing_input, corrupt_input.
std::unique_ptr<LabelledArrays> open_labelled_arrays(const std::string& path,
                                                     const LabelledArraysOptions& options);

std::unique_ptr<LabelledArrays> open_netcdf_arrays(const std::string& path,
                                                   const LabelledArraysOptions& options);

}  // namespace mosaic
