# libtorch from an unpacked wheel or a libtorch archive, without torch's own CMake files: those enable the CUDA language,
# add their own -gencode list and link libtorch_cuda into everything.
#   torch_wheel::cpu   libtorch_cpu + libc10
# TORCH_ROOT: the folder that holds torch/ (default: where cmake/bootstrap.sh puts it).
set(TORCH_ROOT "${MOSAIC_DEPS}/torch" CACHE PATH "Folder that holds torch/ (an unpacked wheel)")
find_path(TorchWheel_INCLUDE_DIR torch/csrc/api/include/torch/torch.h
  HINTS ${TORCH_ROOT}/torch/include ${TORCH_ROOT}/include)
foreach(lib c10 torch_cpu)
  find_library(TorchWheel_${lib} ${lib} HINTS ${TORCH_ROOT}/torch/lib ${TORCH_ROOT}/lib)
endforeach()
foreach(header torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
  if(NOT TorchWheel_VERSION AND EXISTS ${TorchWheel_INCLUDE_DIR}/${header})
    file(STRINGS ${TorchWheel_INCLUDE_DIR}/${header} version_lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]")
    string(REGEX REPLACE "[^0-9;]" "" version_lines "${version_lines}")
    list(JOIN version_lines "." TorchWheel_VERSION)
  endif()
endforeach()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(TorchWheel
  REQUIRED_VARS TorchWheel_torch_cpu TorchWheel_c10 TorchWheel_INCLUDE_DIR VERSION_VAR TorchWheel_VERSION)

if(TorchWheel_FOUND AND NOT TARGET torch_wheel::cpu)
  add_library(torch_wheel::cpu INTERFACE IMPORTED)
  # -idirafter, not -isystem: torch brings its own fmt/, which must not hide the system's.
  target_compile_options(torch_wheel::cpu INTERFACE
    "SHELL:-idirafter ${TorchWheel_INCLUDE_DIR}"
    "SHELL:-idirafter ${TorchWheel_INCLUDE_DIR}/torch/csrc/api/include")
  target_link_libraries(torch_wheel::cpu INTERFACE ${TorchWheel_torch_cpu} ${TorchWheel_c10})
endif()
