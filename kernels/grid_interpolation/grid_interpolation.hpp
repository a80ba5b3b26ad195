#pragma once

#include <cstdint>

#include "kernels/backend.hpp"

namespace mosaic::kernels {

/// Cross-attention of target points to their k nearest source points. The query of a pair is linear in its
/// relative position, q = Wq rel, so its score with key k_j = Wk n_j is rel . (Wq_h^T Wk_h n_j): one 3-vector
/// t per source point and head replaces queries and keys.
///   out[i, h] = sum_j softmax_j(rel[i, j] . t[nbr(i, j), h] / sqrt(D)) v[nbr(i, j), h]
/// Letters: P sources, Q targets, k neighbours, H heads, D head width. All arrays contiguous.
template <class T>
struct GridInterpolationArgs {
  std::int64_t targets = 0, neighbours = 0, heads = 0, head_width = 0;
  const T* t = nullptr;                 ///< [P, H, 3]
  const T* v = nullptr;                 ///< [P, H, D]
  const T* rel = nullptr;               ///< [Q, k, 3]
  const std::int64_t* index = nullptr;  ///< [Q, k] source points, each below P
  T* out = nullptr;                     ///< [Q, H, D]
  int threads = 1;                      ///< of backend cpu; never changes the result
};

/// Errors: bad_configuration for an absent backend.
void grid_interpolation(const GridInterpolationArgs<float>& args, Backend backend);
void grid_interpolation(const GridInterpolationArgs<double>& args, Backend backend);

/// The definition: nested loops, double accumulation.
template <class T>
void grid_interpolation_reference(const GridInterpolationArgs<T>& args);

/// Threads over fixed runs of targets, sums in T.
template <class T>
void grid_interpolation_cpu(const GridInterpolationArgs<T>& args);

}  // namespace mosaic::kernels
