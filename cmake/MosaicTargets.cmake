# mosaic_library(NAME [PUBLIC dep...] [PRIVATE dep...] [EXCLUDE source...])
# One library from all *.cpp of the current folder, alias mosaic::NAME; includes are written from lib/, eval/.. upwards:
# "base/error.hpp", "eval/sums.hpp", "kernels/op/op.hpp".
function(mosaic_library name)
  cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  foreach(pattern IN LISTS arg_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${pattern}")
  endforeach()
  set(target mosaic_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    target_include_directories(${target} PUBLIC
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib>
      $<INSTALL_INTERFACE:include/mosaic> $<INSTALL_INTERFACE:include/mosaic/lib>)
    target_link_libraries(${target} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
    mosaic_warnings(${target})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE
      $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib>)
    target_link_libraries(${target} INTERFACE ${arg_PUBLIC} ${arg_PRIVATE})
  endif()
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  add_library(mosaic::${name} ALIAS ${target})
  set_property(GLOBAL APPEND PROPERTY MOSAIC_LIBRARIES ${target})
endfunction()

function(mosaic_warnings target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wall> $<$<COMPILE_LANGUAGE:CXX>:-Wextra>)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    # GCC 12 sees overlaps in "text" + std::string that are not there (GCC bug 105651).
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
  endif()
  if(MOSAIC_WERROR)
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
  endif()
endfunction()

# mosaic_precompile(TARGET PATTERN), with MOSAIC_PCH: sources that match PATTERN begin with torch's tensor headers,
# precompiled once for the target; the others are compiled as usual. Off by default. Measured with GCC 12, CPU time of a
# clean build without ccache: lib/model (5 such sources) 48.9 s without, 46.5 s with; kernels (3) 38.4 s without, 42.9 s
# with, so it is not used there. One precompiled header takes 18 s and 264 MB, saves 4 to 6 s a source, and cannot be
# shared among targets that differ in -fopenmp. With a warm ccache it saves nothing.
function(mosaic_precompile target pattern)
  if(NOT MOSAIC_PCH)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE <ATen/core/Tensor.h> <ATen/TensorOperators.h>)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources EXCLUDE REGEX "${pattern}")
  set_source_files_properties(${sources} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# mosaic_program(NAME lib...): apps/NAME.cpp -> build/bin/NAME
function(mosaic_program name)
  add_executable(${name} ${name}.cpp)
  target_link_libraries(${name} PRIVATE ${ARGN})
  mosaic_warnings(${name})
  set_property(GLOBAL APPEND PROPERTY MOSAIC_PROGRAMS ${name})
endfunction()

# add_mosaic_test(NAME SOURCES file... [LIBRARIES lib...] [MPI] [RANKS 1 2 4] [LABELS label...] [TIMEOUT seconds])
# One executable NAME_test and one ctest entry per rank count: NAME, or NAME_ranksN where RANKS are given. One rank runs
# without a launcher. MPI: the tests use a Comm; the main of tests/support/mpi_main.cpp starts MPI and lets ranks meet.
function(add_mosaic_test name)
  cmake_parse_arguments(arg "MPI" "TIMEOUT" "SOURCES;LIBRARIES;RANKS;LABELS" ${ARGN})
  if("golden" IN_LIST arg_LABELS AND NOT name MATCHES "golden")
    message(FATAL_ERROR "golden test ${name} must carry golden in its name")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 300)
  endif()
  add_executable(${name}_test ${arg_SOURCES})
  if(arg_MPI)
    target_link_libraries(${name}_test PRIVATE mosaic_mpi_test_main)
  endif()
  target_link_libraries(${name}_test PRIVATE ${arg_LIBRARIES} mosaic::test_support GTest::gtest)
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  mosaic_warnings(${name}_test)
  if(arg_RANKS)
    foreach(ranks IN LISTS arg_RANKS)
      mosaic_add_ctest(${name}_ranks${ranks} ${name}_test ${ranks} ${arg_TIMEOUT} "${arg_LABELS}")
    endforeach()
  else()
    mosaic_add_ctest(${name} ${name}_test 1 ${arg_TIMEOUT} "${arg_LABELS}")
  endif()
endfunction()

function(mosaic_add_ctest entry target ranks timeout labels)
  set(launch)
  if(ranks GREATER 1)
    set(launch ${MPIEXEC_EXECUTABLE} --oversubscribe --bind-to none ${MPIEXEC_NUMPROC_FLAG} ${ranks})
  endif()
  add_test(NAME ${entry} COMMAND ${launch} $<TARGET_FILE:${target}> WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set(environment OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1
    MOSAIC_BIN=${CMAKE_BINARY_DIR}/bin MOSAIC_SOURCE=${PROJECT_SOURCE_DIR})
  set_tests_properties(${entry} PROPERTIES TIMEOUT ${timeout} PROCESSORS ${ranks} LABELS "${labels}"
    ENVIRONMENT "${environment}" SKIP_REGULAR_EXPRESSION "ALL TESTS SKIPPED")
endfunction()
