#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fields/channel.hpp"
#include "stores/axes.hpp"
#include "stores/box_cache.hpp"
#include "stores/labelled_arrays.hpp"

namespace mosaic {

/// Which part of a variable is read: an index on every axis that has a role, and members.
struct FieldPlace {
  std::map<AxisRole, std::size_t> at;  ///< an axis that a variable has and that is not here has one value
  /// Stored index of a member -> where it goes in the result. One pair if there is no such axis.
  std::vector<std::pair<std::size_t, std::size_t>> members = {{0, 0}};
};

struct FieldReadOptions {
  int threads = 1;                    ///< for decoding chunks
  bool allow_missing_chunks = false;  ///< an absent chunk whose fill value is not NaN is the fill value
  std::set<AxisRole> kept;            ///< whole chunks along these axes go to the cache, if they fit
};

/// Fields on a latitude-longitude grid in one Zarr store or NetCDF file, with dimensions in any order. Grid
/// and levels are found by name (axis_names()) or by standard name; the other axes are declared by the owner.
class GriddedArrays {
 public:
  /// Errors: missing_input for absent grid coordinates, corrupt_input.
  explicit GriddedArrays(std::unique_ptr<LabelledArrays> arrays);

  LabelledArrays& file() { return *arrays_; }
  bool has(const std::string& name) const { return arrays_->has(name); }
  /// One of file().arrays().
  const LabelledArray& array(const std::string& name) const { return arrays_->arrays().at(name); }
  const std::string& path() const { return arrays_->path(); }
  const HorizontalAxes& axes() const { return *axes_; }
  /// Keeps tables once that are equal in both: thousands of files have the same.
  void share_tables(const GriddedArrays& other);
  bool shares_tables(const GriddedArrays& other) const {
    return arrays_->shares_table(*other.arrays_) && axes_ == other.axes_ && levels_ == other.levels_ &&
           scalar_level_ == other.scalar_level_;
  }

  /// The coordinate with one of the role's names that is a dimension; empty if there is none.
  std::string find_axis(AxisRole role) const;
  /// The coordinate with one of the role's names that has no dimension of its own and one value.
  std::string find_scalar(AxisRole role) const;
  /// From now on the dimension has this role.
  void declare(const std::string& dimension, AxisRole role);

  /// All variables on the grid, by name, with their levels [hPa].
  std::map<std::string, std::vector<int>> variables() const;
  /// The same as channels.
  ChannelSet channels() const;
  /// Why a channel cannot be read, in a few words that begin with its name; empty if it can. `axes`: those
  /// that it must have besides the grid and levels; others have one value.
  std::string obstacle(const Channel& channel, const std::set<AxisRole>& axes) const;

  /// Reads channels (without obstacle) at `place` to result[member][channel][lat][lon]. Every chunk is
  /// decoded once for all members and levels in it. Errors: missing_input naming chunks that are absent,
  /// corrupt_input.
  void read(const ChannelSet& channels, const FieldPlace& place, const FieldReadOptions& options,
            BoxCache& cache, float* result);

  /// Text that tells layouts apart: metadata, grid, levels.
  std::string identity_text() const;

 private:
  /// One read: members and levels of a variable that lie in the same chunks.
  struct Slab {
    std::string variable;
    ZarrBox box;       // exactly what is needed
    ZarrBox read_box;  // with all of the chunks along the kept axes
    std::size_t first_member = 0;
    std::size_t first_level = 0;
    std::map<std::size_t, std::vector<std::size_t>> channels_of_level;  // stored level -> channels
    std::vector<std::pair<std::size_t, std::size_t>> members;           // stored -> in the result
  };
  using Levels = std::map<std::string, std::vector<int>>;  // by dimension, [hPa]

  void find_grid();
  void find_levels();
  AxisRole role_of(const std::string& dimension) const;
  const std::vector<int>* levels_of(const LabelledArray& array) const;
  std::size_t chunk_along(const LabelledArray& array, std::size_t dimension) const;
  std::vector<Slab> plan(const ChannelSet& channels, const FieldPlace& place,
                         const FieldReadOptions& options) const;
  void set_boxes(Slab& slab, const FieldPlace& place, const FieldReadOptions& options) const;
  void check_chunks(const std::vector<Slab>& slabs, bool allow_missing) const;
  void scatter(const Slab& slab, const ZarrBox& stored, const std::vector<float>& values,
               std::size_t channels, float* result) const;

  std::unique_ptr<LabelledArrays> arrays_;
  std::shared_ptr<HorizontalAxes> axes_ = std::make_shared<HorizontalAxes>();
  std::map<std::string, AxisRole> roles_;  // by dimension
  Levels levels_;
  std::vector<int> scalar_level_;  // of a file with one level that is no dimension
};

}  // namespace mosaic
