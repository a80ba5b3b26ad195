#pragma once

// For plain functions that kernels and the host share.
#ifdef __CUDACC__
#define MOSAIC_ON_BOTH_SIDES __host__ __device__ __forceinline__
#else
#define MOSAIC_ON_BOTH_SIDES inline
#endif
