#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "stores/axes.hpp"
#include "stores/box_cache.hpp"
#include "stores/field_store.hpp"
#include "stores/zarr.hpp"

namespace mosaic {

/// A Zarr v2 store in the WeatherBench2 layout: variables over time, [number or realization], [level],
/// longitude and latitude in any order. Latitudes may run either way and longitudes start anywhere: fields
/// are brought to south-north and 0..360 by coordinate value. Levels are in hPa or Pa, times in CF units of
/// the Gregorian calendar; names of coordinates as axis_names() has them, of times `time`. read() and
/// read_static() may run side by side.
class ZarrFields : public FieldStore {
 public:
  /// Reads and checks all coordinates. Errors: missing_input naming all absent coordinates, corrupt_input.
  ZarrFields(const std::string& path, const FieldStoreOptions& options);

  bool has(const Channel& channel) const override;
  StoreContents contents() const override;
  State read(Time time, const std::shared_ptr<const ChannelSet>& channels) override;
  std::vector<float> read_static(const std::string& variable) override;

 private:
  /// One read: levels of a variable that lie in the same chunks, and the channels they become.
  struct Slab {
    std::string variable;
    std::size_t first_level = 0;
    std::size_t levels = 1;
    std::map<std::size_t, std::vector<std::size_t>>
        channels_of_level;  ///< index from first_level -> channels
  };

  void read_horizontal();
  void read_times();
  void read_levels();
  void read_member();
  std::string make_identity() const;
  std::string obstacle(const Channel& channel) const;
  void list(const ZarrArray& array, StoreContents& contents) const;
  std::size_t find(Time time, const ChannelSet& channels) const;
  std::vector<Slab> plan(const ChannelSet& channels) const;
  void check_slabs(const std::vector<Slab>& slabs, std::size_t time) const;
  ZarrBox box_of(const ZarrArray& array, std::size_t time, const Slab& slab) const;
  ZarrBox with_whole_chunks(const ZarrArray& array, ZarrBox box) const;
  void check_dimensions(const ZarrArray& array) const;
  std::vector<std::string> absent_chunks(const ZarrArray& array, const ZarrBox& box) const;
  void normalise(const ZarrArray& array, const ZarrBox& box, const std::vector<float>& values,
                 std::size_t time, std::size_t level, float* field) const;

  ZarrStore store_;
  FieldStoreOptions options_;
  std::string latitude_name_;
  std::string longitude_name_;
  std::string level_name_;   ///< empty if there are no levels
  std::string member_name_;  ///< empty if there are no members
  HorizontalAxes axes_;
  std::vector<int> levels_;  ///< [hPa] in stored order
  std::size_t members_ = 0;  ///< how many the store has
  std::size_t member_ = 0;   ///< index in the store
  BoxCache cache_;
};

}  // namespace mosaic
