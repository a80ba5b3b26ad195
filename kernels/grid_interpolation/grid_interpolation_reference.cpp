#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/grid_interpolation/grid_interpolation.hpp"

namespace mosaic::kernels {

template <class T>
void grid_interpolation_reference(const GridInterpolationArgs<T>& a) {
  std::vector<double> weight(a.neighbours), sum(a.head_width);
  for (std::int64_t i = 0; i < a.targets; ++i) {
    const std::int64_t* index = a.index + i * a.neighbours;
    for (std::int64_t h = 0; h < a.heads; ++h) {
      for (std::int64_t j = 0; j < a.neighbours; ++j) {
        const T* t = a.t + (index[j] * a.heads + h) * 3;
        const T* rel = a.rel + (i * a.neighbours + j) * 3;
        weight[j] = (double(rel[0]) * t[0] + double(rel[1]) * t[1] + double(rel[2]) * t[2]) /
                    std::sqrt(static_cast<double>(a.head_width));
      }
      const double largest = *std::max_element(weight.begin(), weight.end());
      double total = 0;
      std::fill(sum.begin(), sum.end(), 0.0);
      for (std::int64_t j = 0; j < a.neighbours; ++j) {
        const double w = std::exp(weight[j] - largest);
        const T* v = a.v + (index[j] * a.heads + h) * a.head_width;
        total += w;
        for (std::int64_t d = 0; d < a.head_width; ++d) {
          sum[d] += w * v[d];
        }
      }
      for (std::int64_t d = 0; d < a.head_width; ++d) {
        a.out[(i * a.heads + h) * a.head_width + d] = static_cast<T>(sum[d] / total);
      }
    }
  }
}

template void grid_interpolation_reference(const GridInterpolationArgs<float>&);
template void grid_interpolation_reference(const GridInterpolationArgs<double>&);

}  // namespace mosaic::kernels
