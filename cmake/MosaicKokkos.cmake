# Kokkos with host back ends: the one that CMAKE_PREFIX_PATH (modules, Spack) or cmake/bootstrap.sh provides, of any version
# from 3.4 on; or, with MOSAIC_FETCH_KOKKOS, a pinned release built along with the suite.
find_package(Kokkos QUIET)
if(NOT Kokkos_FOUND)
  find_package(Kokkos QUIET PATHS ${MOSAIC_DEPS}/kokkos-cpu NO_DEFAULT_PATH)
endif()
if(NOT Kokkos_FOUND AND MOSAIC_FETCH_KOKKOS)
  include(FetchContent)
  FetchContent_Declare(Kokkos
    URL https://github.com/kokkos/kokkos/releases/download/4.5.01/kokkos-4.5.01.tar.gz
    URL_HASH SHA256=52d003ffbbe05f30c89966e4009c017efb1662b02b2b73190670d3418719564c
    DOWNLOAD_EXTRACT_TIMESTAMP OFF)
  set(Kokkos_ENABLE_SERIAL ON CACHE BOOL "")
  set(Kokkos_ENABLE_OPENMP ON CACHE BOOL "")
  FetchContent_MakeAvailable(Kokkos)
  set(Kokkos_FOUND TRUE)
  set(Kokkos_VERSION "4.5.01 (fetched)")
endif()
if(NOT Kokkos_FOUND)
  message(FATAL_ERROR "Kokkos was not found. Run cmake/bootstrap.sh (Debian, Ubuntu), load a module and set "
    "CMAKE_PREFIX_PATH to its prefix, or let CMake build it with -DMOSAIC_FETCH_KOKKOS=ON.")
endif()
