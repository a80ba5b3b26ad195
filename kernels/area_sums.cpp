#include "kernels/area_sums.hpp"

#include "kernels/instruction_sets.hpp"

namespace mosaic::kernels {
namespace {

/// Sum of value(i) over begin <= i < end in eight lanes, whatever the instruction set; columns of weight 0
/// are not read into it. Without weights (null) they are 1.
template <class Value>
[[gnu::always_inline]] inline double sum_lanes(std::size_t begin, std::size_t end, const float* weight,
                                               const Value& value) {
  constexpr std::size_t lanes = 8;
  double lane[lanes] = {};
  std::size_t i = begin;
  if (weight == nullptr) {
    for (; i + lanes <= end; i += lanes) {
      for (std::size_t k = 0; k < lanes; ++k) {
        lane[k] += value(i + k);
      }
    }
  } else {
    for (; i + lanes <= end; i += lanes) {
      for (std::size_t k = 0; k < lanes; ++k) {
        const double weighted = weight[i + k] * value(i + k);
        lane[k] += weight[i + k] <= 0.0F ? 0.0 : weighted;
      }
    }
  }
  double sum = ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
  for (; i < end; ++i) {
    if (weight == nullptr || weight[i] > 0.0F) {
      sum += weight == nullptr ? value(i) : weight[i] * value(i);
    }
  }
  return sum;
}

MOSAIC_EACH_INSTRUCTION_SET
double sum_values(std::size_t begin, std::size_t end, const float* weight, const double* values) {
  return sum_lanes(
      begin, end, weight, [&](std::size_t i) __attribute__((always_inline)) { return values[i]; });
}

MOSAIC_EACH_INSTRUCTION_SET
double sum_squared_differences(std::size_t begin, std::size_t end, const float* weight, const float* a,
                               const float* b) {
  return sum_lanes(
      begin, end, weight, [&](std::size_t i) __attribute__((always_inline)) {
        const double difference = static_cast<double>(a[i]) - b[i];
        return difference * difference;
      });
}

MOSAIC_EACH_INSTRUCTION_SET
double sum_weights(std::size_t begin, std::size_t end, const float* weight) {
  return sum_lanes(
      begin, end, weight, [](std::size_t) __attribute__((always_inline)) { return 1.0; });
}

}  // namespace

AreaSums::AreaSums(std::span<const AreaMask> areas, std::size_t latitudes, std::size_t longitudes,
                   std::size_t quantities)
    : areas_(areas),
      latitudes_(latitudes),
      longitudes_(longitudes),
      quantities_(quantities),
      sums_(tiles(latitudes) * areas.size() * quantities, 0.0) {
  std::vector<const std::vector<float>*> layers;
  for (const AreaMask& area : areas) {
    if (std::find(layers.begin(), layers.end(), area.cell_weight.get()) == layers.end()) {
      layers.push_back(area.cell_weight.get());
      cut(layers.back());
    }
  }
}

/// Segments of the areas with these weights of cells; columns of no area belong to none.
void AreaSums::cut(const std::vector<float>* cell_weight) {
  std::vector<std::size_t> layer;
  for (std::size_t r = 0; r < areas_.size(); ++r) {
    if (areas_[r].cell_weight.get() == cell_weight) {
      layer.push_back(r);
    }
  }
  for (std::size_t begin = 0, i = 1; i <= longitudes_; ++i) {
    const auto differ = [&](std::size_t r) { return areas_[r].columns[i] != areas_[r].columns[begin]; };
    if (i < longitudes_ && std::none_of(layer.begin(), layer.end(), differ)) {
      continue;
    }
    Segment segment{begin, i, cell_weight, {}};
    std::copy_if(layer.begin(), layer.end(), std::back_inserter(segment.areas),
                 [&](std::size_t r) { return areas_[r].columns[begin] != 0; });
    if (!segment.areas.empty()) {
      segments_.push_back(std::move(segment));
    }
    begin = i;
  }
}

template <class Sum>
void AreaSums::add_segments(std::size_t row, std::size_t quantity, const Sum& sum) {
  double* of_tile = sums_.data() + row / tile_rows * areas_.size() * quantities_ + quantity;
  for (const Segment& segment : segments_) {
    const auto has_row = [&](std::size_t r) { return areas_[r].row_weight[row] > 0.0; };
    if (std::none_of(segment.areas.begin(), segment.areas.end(), has_row)) {
      continue;
    }
    const float* weight =
        segment.cell_weight == nullptr ? nullptr : segment.cell_weight->data() + row * longitudes_;
    const double of_segment = sum(segment.begin, segment.end, weight);
    for (const std::size_t r : segment.areas) {
      if (has_row(r)) {
        of_tile[r * quantities_] += areas_[r].row_weight[row] * of_segment;
      }
    }
  }
}

void AreaSums::add(std::size_t row, std::size_t quantity, const double* values) {
  add_segments(row, quantity, [&](std::size_t begin, std::size_t end, const float* weight) {
    return sum_values(begin, end, weight, values);
  });
}

void AreaSums::add_ones(std::size_t row, std::size_t quantity) {
  add_segments(row, quantity, [&](std::size_t begin, std::size_t end, const float* weight) {
    return weight == nullptr ? static_cast<double>(end - begin) : sum_weights(begin, end, weight);
  });
}

void AreaSums::add_squared_differences(std::size_t row, std::size_t quantity, const float* a,
                                       const float* b) {
  add_segments(row, quantity, [&](std::size_t begin, std::size_t end, const float* weight) {
    return sum_squared_differences(begin, end, weight, a, b);
  });
}

std::vector<double> AreaSums::totals(std::size_t area) const {
  std::vector<double> totals(quantities_, 0.0);
  for (std::size_t tile = 0; tile < tiles(latitudes_); ++tile) {
    const double* from = sums_.data() + (tile * areas_.size() + area) * quantities_;
    for (std::size_t k = 0; k < quantities_; ++k) {
      totals[k] += from[k];
    }
  }
  return totals;
}

}  // namespace mosaic::kernels
