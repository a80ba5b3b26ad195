#include "stores/labelled_arrays.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "fields/channel.hpp"
#include "stores/axes.hpp"
#include "stores/checksums.hpp"

namespace mosaic {

namespace {

/// t2m -> 2m_temperature, t2m_std -> 2m_temperature_std, anything else as it is.
std::string weatherbench_name(const std::string& name) {
  for (const std::string_view suffix : {"", "_mean", "_std", "_quantile"}) {
    if (!name.ends_with(suffix)) {
      continue;
    }
    const VariableInfo* info = find_variable(name.substr(0, name.size() - suffix.size()));
    if (info != nullptr) {
      return info->name + std::string(suffix);
    }
  }
  return name;
}

bool is_number(ZarrKind kind) {
  return kind == ZarrKind::boolean || kind == ZarrKind::signed_integer ||
         kind == ZarrKind::unsigned_integer || kind == ZarrKind::floating;
}

class ZarrArrays final : public LabelledArrays {
 public:
  ZarrArrays(const std::string& path, const LabelledArraysOptions& options)
      : LabelledArrays(path, options.rename),
        store_(path, options.verify_checksums
                         ? std::optional(ChecksumManifest::load(ChecksumManifest::default_path(path)))
                         : std::nullopt) {
    for (const std::string& name : store_.names()) {
      try {
        add(name, describe(store_.array(name)));
      } catch (const Error& error) {  // of a kind that is not decoded: an error once it is asked for
        LabelledArray refused;
        refused.stored_name = name;
        refused.refusal = error.what();
        add(name, std::move(refused));
      }
    }
  }

  std::string metadata_text() const override { return store_.metadata_text(); }

  std::vector<double> read_coordinate(const std::string& name) override {
    check_coordinate_shape(name);
    const ZarrArray& array = stored(name);
    const ZarrBox all = ZarrBox::all(array);
    const std::vector<std::string> absent = store_.absent_chunks(array.name, all, 1);
    require(absent.empty(), ExitCode::missing_input,
            "{}: coordinate {}: the chunk {} is absent, and a fill value is no coordinate", path(), name,
            absent.empty() ? "" : absent.front());
    std::vector<double> values = store_.read_double(array.name, all, 1);
    check_coordinate(name, values);
    return values;
  }

  std::vector<float> read_box(const std::string& name, const ZarrBox& box, int threads) override {
    return store_.read_float(stored(name).name, box, threads);
  }

  std::vector<std::string> absent_chunks(const std::string& name, const ZarrBox& box) const override {
    return store_.absent_chunks(stored(name).name, box);
  }

 private:
  const ZarrArray& stored(const std::string& name) const {
    return store_.array(arrays().at(name).stored_name);
  }

  LabelledArray describe(const ZarrArray& array) {
    LabelledArray result;
    result.stored_name = array.name;
    for (const std::string& dimension : array.dimensions) {
      result.dimensions.push_back(renamed(dimension));
    }
    result.shape = array.shape;
    result.chunks = array.chunks;
    if (!is_number(array.type.kind) || array.dimensions.size() != array.shape.size()) {
      result.refusal = "is text, or has no _ARRAY_DIMENSIONS that fit its shape";
    }
    result.fill_is_nan = array.fill_is_nan;
    result.units = array.attribute("units");
    result.calendar = array.attribute("calendar");
    result.standard_name = array.attribute("standard_name");
    result.cell_methods = array.attribute("cell_methods");
    return result;
  }

  ZarrStore store_;
};

}  // namespace

LabelledArrays::LabelledArrays(std::string path, Renames renames)
    : path_(std::move(path)), renames_(std::move(renames)) {}

void LabelledArrays::share_table(const LabelledArrays& other) {
  if (*arrays_ == *other.arrays_) {
    arrays_ = other.arrays_;
  }
}

std::string LabelledArrays::renamed(const std::string& stored_name) {
  const auto found = renames_.find(stored_name);
  if (found == renames_.end()) {
    return weatherbench_name(stored_name);
  }
  if (std::find(renamed_.begin(), renamed_.end(), stored_name) == renamed_.end()) {
    renamed_.push_back(stored_name);
  }
  return found->second;
}

void LabelledArrays::add(const std::string& stored_name, LabelledArray array) {
  const std::string name = renamed(stored_name);
  const auto [place, fresh] = arrays_->emplace(name, std::move(array));
  require(fresh, ExitCode::corrupt_input, "{}: {} and {} are both {}; rename one of them", path_,
          place->second.stored_name, stored_name, name);
}

void LabelledArrays::check_coordinate_shape(const std::string& name) const {
  const LabelledArray& array = arrays().at(name);
  require(array.refusal.empty(), ExitCode::corrupt_input, "{}: coordinate {} {}", path_, name, array.refusal);
  require(array.shape.size() <= 1, ExitCode::corrupt_input,
          "{}: coordinate {} has the dimensions [{}]; one or none is needed", path_, name,
          fmt::join(array.dimensions, ", "));
  const std::size_t length = array.shape.empty() ? 1 : array.shape[0];
  require(length > 0 && length <= longest_coordinate, ExitCode::corrupt_input,
          "{}: coordinate {} has {} values; 1 ... {} are read", path_, name, length, longest_coordinate);
}

void LabelledArrays::check_coordinate(const std::string& name, const std::vector<double>& values) const {
  for (std::size_t i = 0; i < values.size(); ++i) {
    require(std::isfinite(values[i]), ExitCode::corrupt_input, "{}: coordinate {}[{}] is {}", path_, name, i,
            values[i]);
  }
}

std::unique_ptr<LabelledArrays> open_labelled_arrays(const std::string& path,
                                                     const LabelledArraysOptions& options) {
  if (std::filesystem::is_directory(path) || path.ends_with(".zarr")) {
    return std::make_unique<ZarrArrays>(path, options);
  }
  return open_netcdf_arrays(path, options);
}

}  // namespace mosaic
