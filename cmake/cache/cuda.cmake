# cmake -C cmake/cache/cuda.cmake -S . -B build-cuda -G Ninja: as cpu, and a CUDA compiler must be there.
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(MOSAIC_CUDA ON CACHE STRING "")
set(MOSAIC_TESTS ON CACHE BOOL "")
