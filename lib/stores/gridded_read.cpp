#include <algorithm>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/parallel_for.hpp"
#include "stores/gridded_arrays.hpp"
#include "stores/path_list.hpp"

namespace mosaic {

namespace {

std::size_t bytes(const ZarrBox& box) { return box.elements() * sizeof(float); }

}  // namespace

/// How many indices along a dimension cost no more than one. In a file without chunks all that runs faster
/// than latitude and longitude is close together, the rest far apart.
std::size_t GriddedArrays::chunk_along(const LabelledArray& array, std::size_t dimension) const {
  if (!array.chunks.empty()) {
    return array.chunks[dimension];
  }
  for (std::size_t d = 0; d < dimension; ++d) {
    const AxisRole role = role_of(array.dimensions[d]);
    if (role == AxisRole::latitude || role == AxisRole::longitude) {
      return array.shape[dimension];
    }
  }
  return 1;
}

std::vector<GriddedArrays::Slab> GriddedArrays::plan(const ChannelSet& channels, const FieldPlace& place,
                                                     const FieldReadOptions& options) const {
  std::map<std::tuple<std::string, std::size_t, std::size_t>, Slab> slabs;  // by chunks of levels, members
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const LabelledArray& array = arrays_->arrays().at(channels[c].variable);
    std::size_t level = 0;
    std::size_t level_chunk = 1;
    std::size_t member_chunk = 1;
    for (std::size_t d = 0; d < array.dimensions.size(); ++d) {
      const AxisRole role = role_of(array.dimensions[d]);
      if (role == AxisRole::level) {
        const std::vector<int>& levels = levels_.at(array.dimensions[d]);
        level = static_cast<std::size_t>(std::find(levels.begin(), levels.end(), *channels[c].level) -
                                         levels.begin());
        level_chunk = chunk_along(array, d);
      } else if (role == AxisRole::member) {
        member_chunk = chunk_along(array, d);
      }
    }
    for (const auto& member : place.members) {
      Slab& slab = slabs[{channels[c].variable, level / level_chunk, member.first / member_chunk}];
      slab.variable = channels[c].variable;
      auto& of_level = slab.channels_of_level[level];
      if (of_level.empty() || of_level.back() != c) {
        of_level.push_back(c);
      }
      if (std::find(slab.members.begin(), slab.members.end(), member) == slab.members.end()) {
        slab.members.push_back(member);
      }
    }
  }
  std::vector<Slab> result;
  for (auto& [key, slab] : slabs) {
    set_boxes(slab, place, options);
    result.push_back(std::move(slab));
  }
  return result;
}

void GriddedArrays::set_boxes(Slab& slab, const FieldPlace& place, const FieldReadOptions& options) const {
  const LabelledArray& array = arrays_->arrays().at(slab.variable);
  const auto [first_member, last_member] = std::minmax_element(slab.members.begin(), slab.members.end());
  slab.first_member = first_member->first;
  slab.first_level = slab.channels_of_level.begin()->first;
  slab.box = {std::vector<std::size_t>(array.shape.size(), 0),
              std::vector<std::size_t>(array.shape.size(), 1)};
  slab.read_box = slab.box;
  for (std::size_t d = 0; d < array.dimensions.size(); ++d) {
    const AxisRole role = role_of(array.dimensions[d]);
    if (role == AxisRole::latitude || role == AxisRole::longitude) {
      slab.box.count[d] = array.shape[d];
    } else if (role == AxisRole::member) {
      slab.box.start[d] = slab.first_member;
      slab.box.count[d] = last_member->first - slab.first_member + 1;
    } else if (role == AxisRole::level) {
      slab.box.start[d] = slab.first_level;
      slab.box.count[d] = slab.channels_of_level.rbegin()->first - slab.first_level + 1;
    } else if (const auto index = place.at.find(role); index != place.at.end()) {
      slab.box.start[d] = index->second;
    }
    slab.read_box.start[d] = slab.box.start[d];
    slab.read_box.count[d] = slab.box.count[d];
    if (options.kept.contains(role)) {
      const std::size_t chunk = chunk_along(array, d);
      slab.read_box.start[d] = slab.box.start[d] / chunk * chunk;
      slab.read_box.count[d] = std::min(chunk, array.shape[d] - slab.read_box.start[d]);
    }
  }
}

void GriddedArrays::check_chunks(const std::vector<Slab>& slabs, bool allow_missing) const {
  std::vector<std::string> missing;
  for (const Slab& slab : slabs) {
    if (!allow_missing && !arrays_->arrays().at(slab.variable).fill_is_nan) {
      const auto absent = arrays_->absent_chunks(slab.variable, slab.box);
      missing.insert(missing.end(), absent.begin(), absent.end());
    }
  }
  require(missing.empty(), ExitCode::missing_input,
          "{}: {} chunks are absent: {}; allow_missing_chunks takes their fill value", path(), missing.size(),
          some_of(missing));
}

void GriddedArrays::scatter(const Slab& slab, const ZarrBox& stored, const std::vector<float>& values,
                            std::size_t channels, float* result) const {
  const LabelledArray& array = arrays_->arrays().at(slab.variable);
  std::map<AxisRole, std::size_t> stride;
  std::size_t origin = 0;  // of the first member and level
  std::size_t step = 1;
  for (std::size_t d = array.dimensions.size(); d-- > 0;) {
    stride[role_of(array.dimensions[d])] = step;
    origin += (slab.box.start[d] - stored.start[d]) * step;
    step *= stored.count[d];
  }
  const std::size_t points = axes_->grid.points();
  for (const auto& [member, target] : slab.members) {
    for (const auto& [level, targets] : slab.channels_of_level) {
      const float* field = values.data() + origin + (member - slab.first_member) * stride[AxisRole::member] +
                           (level - slab.first_level) * stride[AxisRole::level];
      for (const std::size_t channel : targets) {
        axes_->gather(field, stride[AxisRole::latitude], stride[AxisRole::longitude],
                      result + (target * channels + channel) * points);
      }
    }
  }
}

void GriddedArrays::read(const ChannelSet& channels, const FieldPlace& place, const FieldReadOptions& options,
                         BoxCache& cache, float* result) {
  std::vector<Slab> slabs = plan(channels, place, options);
  check_chunks(slabs, options.allow_missing_chunks);
  std::size_t all = 0;
  for (const Slab& slab : slabs) {
    all += bytes(slab.read_box);
  }
  const bool keep = all <= cache.limit();
  const int threads_inside = slabs.size() > 1 ? 1 : options.threads;
  parallel_for(slabs.size(), options.threads, [&](std::size_t s) {
    const Slab& slab = slabs[s];
    const bool more = keep && bytes(slab.read_box) > bytes(slab.box);
    const ZarrBox& box = more ? slab.read_box : slab.box;
    const BoxCache::Key key{this, slab.variable, box.start, box.count};
    BoxCache::Values values = more ? cache.find(key) : nullptr;
    if (!values) {
      values =
          std::make_shared<const std::vector<float>>(arrays_->read_box(slab.variable, box, threads_inside));
      if (more) {
        cache.keep(key, values);
      }
    }
    scatter(slab, box, *values, channels.size(), result);
  });
}

}  // namespace mosaic
