#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "stores/checksums.hpp"
#include "stores/labelled_arrays.hpp"
#include "stores/netcdf_attributes.hpp"
#include "stores/netcdf_lock.hpp"

namespace mosaic {

namespace {

/// How the stored numbers of a variable become physical ones.
struct Packing {
  bool single = false;  // stored as float32 and not packed: read as it is
  double scale = 1.0;
  double offset = 0.0;
  std::vector<double> missing;  // stored values that mean NaN

  friend bool operator==(const Packing&, const Packing&) = default;
};

Packing packing_of(const netCDF::NcVar& variable) {
  Packing packing;
  packing.scale = number_of(variable, "scale_factor").value_or(1.0);
  packing.offset = number_of(variable, "add_offset").value_or(0.0);
  for (const char* attribute : {"_FillValue", "missing_value"}) {
    if (const auto value = number_of(variable, attribute)) {
      packing.missing.push_back(*value);
    }
  }
  const auto type = variable.getType().getId();
  if (packing.missing.empty() && type == NC_FLOAT) {  // what the library answers where nothing was written
    packing.missing.push_back(static_cast<double>(NC_FILL_FLOAT));
  }
  packing.single = type == NC_FLOAT && packing.scale == 1.0 && packing.offset == 0.0;
  return packing;
}

/// A NetCDF file, open from the first read until close().
class NetcdfArrays final : public LabelledArrays {
 public:
  NetcdfArrays(const std::string& path, const LabelledArraysOptions& options)
      : LabelledArrays(path, options.rename) {
    if (options.verify_checksums) {
      ChecksumManifest::load(ChecksumManifest::default_path(path))
          .check_file(std::filesystem::path(path).filename().string(), path);
    }
    require(std::filesystem::exists(path), ExitCode::missing_input, "{}: there is no such file", path);
    const NetcdfLock lock;
    try {
      netcdf_call(ExitCode::corrupt_input, path, [&] {
        for (const auto& [name, variable] : open().getVars()) {
          add(name, describe(variable));
        }
      });
    } catch (...) {
      file_.reset();  // under the lock
      throw;
    }
  }

  ~NetcdfArrays() override { close(); }

  std::string metadata_text() const override {
    std::string text;
    for (const auto& [name, array] : arrays()) {
      text +=
          fmt::format("{} {} ({}) [{}] {} {}\n", name, array.stored_name, fmt::join(array.dimensions, ", "),
                      fmt::join(array.shape, ", "), array.units, array.calendar);
    }
    return text;
  }

  std::vector<double> read_coordinate(const std::string& name) override {
    check_coordinate_shape(name);
    const LabelledArray& array = arrays().at(name);
    std::vector<double> values(array.shape.empty() ? 1 : array.shape[0]);
    {
      const NetcdfLock lock;
      netcdf_call(ExitCode::corrupt_input, path() + ": coordinate " + name,
                  [&] { variable(array).getVar(values.data()); });
    }
    check_coordinate(name, values);
    return values;
  }

  std::vector<float> read_box(const std::string& name, const ZarrBox& box, int /*threads*/) override {
    const LabelledArray& array = arrays().at(name);
    std::vector<float> result(box.elements());
    std::vector<double> wide;
    Packing packing;
    {
      const NetcdfLock lock;
      netcdf_call(ExitCode::corrupt_input, path() + ": variable " + name, [&] {
        const netCDF::NcVar source = variable(array);
        packing = packing_of(source);
        if (packing.single) {
          source.getVar(box.start, box.count, result.data());
        } else {
          wide.resize(result.size());
          source.getVar(box.start, box.count, wide.data());
        }
      });
    }
    unpack(packing, wide, result);
    return result;
  }

  std::vector<std::string> absent_chunks(const std::string&, const ZarrBox&) const override { return {}; }

  void close() override {
    const NetcdfLock lock;
    file_.reset();
  }

 private:
  /// The caller holds a NetcdfLock, here and below.
  const netCDF::NcFile& open() {
    if (!file_) {
      file_ = std::make_unique<netCDF::NcFile>(path(), netCDF::NcFile::read);
    }
    return *file_;
  }

  netCDF::NcVar variable(const LabelledArray& array) {
    netCDF::NcVar found = open().getVar(array.stored_name);
    require(!found.isNull(), ExitCode::corrupt_input, "{}: {} is gone; the file has changed", path(),
            array.stored_name);
    // Every chunk is read once: a cache of 16 MiB for each variable of dozens of open files would only grow.
    nc_set_var_chunk_cache(found.getParentGroup().getId(), found.getId(), 1, 1, 1.0F);
    return found;
  }

  LabelledArray describe(const netCDF::NcVar& variable) {
    LabelledArray result;
    result.stored_name = variable.getName();
    for (const auto& dimension : variable.getDims()) {
      result.dimensions.push_back(renamed(dimension.getName()));
      result.shape.push_back(dimension.getSize());
    }
    const auto type = variable.getType().getId();
    if (type == NC_CHAR || type >= NC_STRING) {
      result.refusal = "is text";
    }
    if (!result.shape.empty()) {
      netCDF::NcVar::ChunkMode mode = netCDF::NcVar::nc_CONTIGUOUS;
      std::vector<std::size_t> sizes(result.shape.size());
      variable.getChunkingParameters(mode, sizes);
      if (mode == netCDF::NcVar::nc_CHUNKED) {
        result.chunks = sizes;
      }
    }
    result.units = text_of(variable, "units");
    result.calendar = text_of(variable, "calendar");
    result.standard_name = text_of(variable, "standard_name");
    result.cell_methods = text_of(variable, "cell_methods");
    return result;
  }

  static void unpack(const Packing& packing, const std::vector<double>& wide, std::vector<float>& result) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 0; i < result.size(); ++i) {
      const double stored = packing.single ? static_cast<double>(result[i]) : wide[i];
      const bool missing =
          std::find(packing.missing.begin(), packing.missing.end(), stored) != packing.missing.end();
      if (missing) {
        result[i] = nan;
      } else if (!packing.single) {
        result[i] = static_cast<float>(stored * packing.scale + packing.offset);
      }
    }
  }

  std::unique_ptr<netCDF::NcFile> file_;
};

}  // namespace

std::unique_ptr<LabelledArrays> open_netcdf_arrays(const std::string& path,
                                                   const LabelledArraysOptions& options) {
  return std::make_unique<NetcdfArrays>(path, options);
}

}  // namespace mosaic
