#include "kernels/area_sums.hpp"

#include "kernels/four_doubles.hpp"
#include "kernels/instruction_sets.hpp"

namespace mosaic::kernels {
namespace {

/// Sum over begin <= i < end in sixteen lanes, whatever the instruction set: with eight an addition waits for
/// the one before it. value(i) gives the value at a column, value(i, four) those at four. Columns of weight 0
/// are not read into it; without weights (null) they are 1.
template <class Value>
[[gnu::always_inline]] inline double sum_lanes(std::size_t begin, std::size_t end, const float* weight,
                                               const Value& value) {
  FourDoubles lanes[4] = {};
  const auto add_four = [&](std::size_t i, FourDoubles & sum) __attribute__((always_inline)) {
    FourDoubles terms;
    value(i, terms);
    if (weight != nullptr) {
      FourDoubles weights;
      load(weight + i, weights);
      terms *= weights;
      keep(weights > 0.0, terms);
    }
    sum += terms;
  };
  std::size_t i = begin;
  for (; i + 16 <= end; i += 16) {
    for (std::size_t k = 0; k < 4; ++k) {
      add_four(i + 4 * k, lanes[k]);
    }
  }
  for (; i + 4 <= end; i += 4) {
    add_four(i, lanes[0]);
  }
  const FourDoubles all = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  double sum = (all[0] + all[1]) + (all[2] + all[3]);
  for (; i < end; ++i) {
    if (weight == nullptr || weight[i] > 0.0F) {
      sum += weight == nullptr ? value(i) : weight[i] * value(i);
    }
  }
  return sum;
}

struct Values {
  const double* values;

  [[gnu::always_inline]] double operator()(std::size_t i) const { return values[i]; }
  [[gnu::always_inline]] void operator()(std::size_t i, FourDoubles& four) const { load(values + i, four); }
};

struct SquaredDifferences {
  const float* a;
  const float* b;

  [[gnu::always_inline]] double operator()(std::size_t i) const {
    const double difference = static_cast<double>(a[i]) - b[i];
    return difference * difference;
  }
  [[gnu::always_inline]] void operator()(std::size_t i, FourDoubles& four) const {
    FourDoubles others;
    load(a + i, four);
    load(b + i, others);
    four -= others;
    four *= four;
  }
};

struct Ones {
  [[gnu::always_inline]] double operator()(std::size_t) const { return 1.0; }
  [[gnu::always_inline]] void operator()(std::size_t, FourDoubles& four) const { four = FourDoubles{} + 1.0; }
};

MOSAIC_EACH_INSTRUCTION_SET
double sum_values(std::size_t begin, std::size_t end, const float* weight, const double* values) {
  return sum_lanes(begin, end, weight, Values{values});
}

MOSAIC_EACH_INSTRUCTION_SET
double sum_squared_differences(std::size_t begin, std::size_t end, const float* weight, const float* a,
                               const float* b) {
  return sum_lanes(begin, end, weight, SquaredDifferences{a, b});
}

MOSAIC_EACH_INSTRUCTION_SET
double sum_weights(std::size_t begin, std::size_t end, const float* weight) {
  return sum_lanes(begin, end, weight, Ones{});
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
