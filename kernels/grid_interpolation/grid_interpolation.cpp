#include "kernels/grid_interpolation/grid_interpolation.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/parallel_for.hpp"

namespace mosaic::kernels {

namespace {

constexpr std::int64_t targets_per_task = 512;

/// Softmax weights of head h for target i. Shape: [k].
template <class T>
void neighbour_weights(const GridInterpolationArgs<T>& a, std::int64_t i, std::int64_t h, T* weight) {
  const T scale = T(1) / std::sqrt(static_cast<T>(a.head_width));
  const std::int64_t* index = a.index + i * a.neighbours;
  for (std::int64_t j = 0; j < a.neighbours; ++j) {
    const T* t = a.t + (index[j] * a.heads + h) * 3;
    const T* rel = a.rel + (i * a.neighbours + j) * 3;
    weight[j] = scale * (rel[0] * t[0] + rel[1] * t[1] + rel[2] * t[2]);
  }
  const T largest = *std::max_element(weight, weight + a.neighbours);
  T total = 0;
  for (std::int64_t j = 0; j < a.neighbours; ++j) {
    weight[j] = std::exp(weight[j] - largest);
    total += weight[j];
  }
  for (std::int64_t j = 0; j < a.neighbours; ++j) {
    weight[j] /= total;
  }
}

template <class T>
void dispatch(const GridInterpolationArgs<T>& args, Backend backend) {
  require_backend("grid_interpolation", backend, {Backend::reference, Backend::cpu});
  backend == Backend::cpu ? grid_interpolation_cpu(args) : grid_interpolation_reference(args);
}

}  // namespace

template <class T>
void grid_interpolation_cpu(const GridInterpolationArgs<T>& a) {
  const std::int64_t tasks = (a.targets + targets_per_task - 1) / targets_per_task;
  parallel_for(tasks, a.threads, [&](std::size_t task) {
    std::vector<T> weight(a.neighbours);
    const std::int64_t first = static_cast<std::int64_t>(task) * targets_per_task;
    for (std::int64_t i = first; i < std::min(first + targets_per_task, a.targets); ++i) {
      for (std::int64_t h = 0; h < a.heads; ++h) {
        neighbour_weights(a, i, h, weight.data());
        T* out = a.out + (i * a.heads + h) * a.head_width;
        std::fill_n(out, a.head_width, T(0));
        for (std::int64_t j = 0; j < a.neighbours; ++j) {
          const T* v = a.v + (a.index[i * a.neighbours + j] * a.heads + h) * a.head_width;
          for (std::int64_t d = 0; d < a.head_width; ++d) {
            out[d] += weight[j] * v[d];
          }
        }
      }
    }
  });
}

template void grid_interpolation_cpu(const GridInterpolationArgs<float>&);
template void grid_interpolation_cpu(const GridInterpolationArgs<double>&);

void grid_interpolation(const GridInterpolationArgs<float>& args, Backend backend) {
  dispatch(args, backend);
}
void grid_interpolation(const GridInterpolationArgs<double>& args, Backend backend) {
  dispatch(args, backend);
}

}  // namespace mosaic::kernels
