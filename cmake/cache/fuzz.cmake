# cmake -C cmake/cache/fuzz.cmake -S . -B build-fuzz -G Ninja: the libFuzzer targets of tests/fuzz with clang, everything
# that they reach under AddressSanitizer and UndefinedBehaviorSanitizer. std::source_location needs clang 16.
include(${CMAKE_CURRENT_LIST_DIR}/asan.cmake)
find_program(clang NAMES clang++-19 clang++-18 clang++-17 clang++-16 clang++ REQUIRED)
set(CMAKE_CXX_COMPILER ${clang} CACHE FILEPATH "")
string(REPLACE "clang++" "clang" clang_c ${clang})
set(CMAKE_C_COMPILER ${clang_c} CACHE FILEPATH "")
set(MOSAIC_FUZZ ON CACHE BOOL "")
set(MOSAIC_BENCH OFF CACHE BOOL "")
