# cmake -C cmake/cache/cpu.cmake -S . -B build -G Ninja: the shipped programs for CPUs, with tests.
set(CMAKE_BUILD_TYPE Release CACHE STRING "")
set(MOSAIC_CUDA OFF CACHE STRING "")
set(MOSAIC_TESTS ON CACHE BOOL "")
