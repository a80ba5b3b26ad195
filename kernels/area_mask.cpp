#include "kernels/area_mask.hpp"

#include "base/error.hpp"

namespace mosaic::kernels {

void require_fit(std::span<const AreaMask> areas, std::size_t latitudes, std::size_t longitudes) {
  for (const AreaMask& area : areas) {
    require(area.row_weight.size() == latitudes && area.columns.size() == longitudes,
            "an area mask of {} rows and {} columns does not fit a grid of {} x {}", area.row_weight.size(),
            area.columns.size(), latitudes, longitudes);
    require(area.cell_weight == nullptr || area.cell_weight->size() == latitudes * longitudes,
            "{} cell weights do not fit a grid of {} x {}",
            area.cell_weight == nullptr ? 0 : area.cell_weight->size(), latitudes, longitudes);
  }
}

}  // namespace mosaic::kernels
