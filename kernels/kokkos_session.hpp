#pragma once

namespace mosaic::kernels {

/// Starts Kokkos' host back end with `threads` threads unless it runs already; it is finalised at program
/// exit. The number of threads of the first call stands (Kokkos cannot be started twice in one process), and
/// kernels must be called from the thread of the first call. The environment of the process stays as it is.
/// Errors: internal if another thread calls.
void ensure_kokkos(int threads);

}  // namespace mosaic::kernels
