#include "kernels/area_sums.hpp"

#include <algorithm>

#include "kernels/instruction_sets.hpp"

namespace mosaic::kernels {
namespace {

/// Sums over the columns of every segment in eight lanes, whatever the instruction set; columns of weight 0
/// are not read into them.
MOSAIC_EACH_INSTRUCTION_SET
void sum_segments(const double* values, const float* weight, const std::size_t* bounds, std::size_t segments,
                  double* sums) {
  constexpr std::size_t lanes = 8;
  for (std::size_t s = 0; s < segments; ++s) {
    double lane[lanes] = {};
    std::size_t i = bounds[s];
    for (; i + lanes <= bounds[s + 1]; i += lanes) {
      for (std::size_t k = 0; k < lanes; ++k) {
        const double value = weight == nullptr ? values[i + k] : weight[i + k] * values[i + k];
        lane[k] += weight != nullptr && weight[i + k] <= 0.0F ? 0.0 : value;
      }
    }
    double sum = ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
    for (; i < bounds[s + 1]; ++i) {
      if (weight == nullptr || weight[i] > 0.0F) {
        sum += weight == nullptr ? values[i] : weight[i] * values[i];
      }
    }
    sums[s] = sum;
  }
}

}  // namespace

AreaSums::AreaSums(std::span<const AreaMask> areas, std::size_t latitudes, std::size_t longitudes,
                   std::size_t quantities)
    : areas_(areas),
      latitudes_(latitudes),
      longitudes_(longitudes),
      quantities_(quantities),
      rows_(latitudes * areas.size() * quantities, 0.0) {
  gather_layers();
}

void AreaSums::gather_layers() {
  for (std::size_t r = 0; r < areas_.size(); ++r) {
    const auto* weight = areas_[r].cell_weight.get();
    auto layer = std::find_if(layers_.begin(), layers_.end(),
                              [&](const Layer& candidate) { return candidate.cell_weight == weight; });
    if (layer == layers_.end()) {
      layer = layers_.insert(layers_.end(), Layer{weight, {}, {}, {}});
    }
    layer->areas.push_back(r);
  }
  for (Layer& layer : layers_) {
    cut(layer);
  }
}

void AreaSums::cut(Layer& layer) const {
  layer.bounds.push_back(0);
  for (std::size_t i = 1; i <= longitudes_; ++i) {
    if (i == longitudes_ || std::any_of(layer.areas.begin(), layer.areas.end(), [&](std::size_t r) {
          return areas_[r].columns[i] != areas_[r].columns[i - 1];
        })) {
      layer.bounds.push_back(i);
    }
  }
  for (const std::size_t r : layer.areas) {
    layer.parts.emplace_back();
    for (std::size_t s = 0; s + 1 < layer.bounds.size(); ++s) {
      if (areas_[r].columns[layer.bounds[s]] != 0) {
        layer.parts.back().push_back(s);
      }
    }
  }
}

void AreaSums::set(std::size_t row, std::size_t quantity, const double* values) {
  for (const Layer& layer : layers_) {
    if (std::none_of(layer.areas.begin(), layer.areas.end(),
                     [&](std::size_t r) { return areas_[r].row_weight[row] > 0.0; })) {
      continue;
    }
    std::vector<double> sums(layer.bounds.size() - 1);
    const float* weight =
        layer.cell_weight == nullptr ? nullptr : layer.cell_weight->data() + row * longitudes_;
    sum_segments(values, weight, layer.bounds.data(), sums.size(), sums.data());
    for (std::size_t a = 0; a < layer.areas.size(); ++a) {
      double sum = 0.0;
      for (const std::size_t part : layer.parts[a]) {
        sum += sums[part];
      }
      rows_[(row * areas_.size() + layer.areas[a]) * quantities_ + quantity] = sum;
    }
  }
}

std::vector<double> AreaSums::totals(std::size_t area) const {
  std::vector<double> sums(quantities_, 0.0);
  for (std::size_t j = 0; j < latitudes_; ++j) {
    const double weight = areas_[area].row_weight[j];
    const double* from = rows_.data() + (j * areas_.size() + area) * quantities_;
    for (std::size_t k = 0; k < quantities_ && weight > 0.0; ++k) {
      sums[k] += weight * from[k];
    }
  }
  return sums;
}

}  // namespace mosaic::kernels
