# cmake -C cmake/cache/asan.cmake -S . -B build-asan -G Ninja: everything without libtorch under AddressSanitizer and
# UndefinedBehaviorSanitizer; -O1 keeps the tests quick and the stacks readable.
set(CMAKE_BUILD_TYPE Debug CACHE STRING "")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1" CACHE STRING "")
set(MOSAIC_SANITIZE ON CACHE BOOL "")
set(MOSAIC_TORCH OFF CACHE STRING "")
set(MOSAIC_CUDA OFF CACHE STRING "")
set(MOSAIC_TESTS ON CACHE BOOL "")
