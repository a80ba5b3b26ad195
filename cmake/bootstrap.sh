#!/usr/bin/env bash
# Installs what the build needs and the machine does not have; run it again at any time, what is there is left alone.
#
#   cmake/bootstrap.sh [--with-tests] [--check]
#
#   --with-tests   also what only the tests use: clang-format, clang (libFuzzer), GoogleTest, CDO, Slurm, Python with xarray
#   --check        list what is present and what is missing, install nothing; ends with 1 if something is missing
#
# Debian and Ubuntu packages are installed with apt (as root or through sudo). libtorch comes from the torch wheel, Kokkos
# from Debian's Trilinos source; both are pinned, checked by sha256 and put below MOSAIC_DEPS (default ~/.cache/mosaic/deps,
# 1.5 GB; 2 GB more in TMPDIR while it works). On other systems (clusters: modules, Spack) nothing is installed: the list
# says what is missing. Headers are looked for by the C++ compiler, so CPATH counts, and below CMAKE_PREFIX_PATH.
# MOSAIC_BOOTSTRAP=off in the environment makes every call a --check that does not fail.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
deps=${MOSAIC_DEPS:-$HOME/.cache/mosaic/deps}
trilinos_sha256=0ddb47784ba7b8a6b9a07a4822b33be508feb4ccd54301b2a5d10c9e54524b90
with_tests=0
check_only=0
say() { echo "bootstrap: $*"; }
die() { echo "bootstrap: $*" >&2; exit 1; }

# --- what is needed: Debian package, then the probe that says whether the machine has it ------------------------------
build_needs() {
  cat <<'NEEDS'
build-essential          command c++
cmake                    command cmake
ninja-build              command ninja
ccache                   command ccache
pkg-config               command pkg-config
python3                  command python3
python3-pip              python pip
libopenmpi-dev           command mpicxx
openmpi-bin              command mpirun
libnetcdf-c++4-dev       module netcdf-cxx4
libhdf5-dev              module hdf5-serial hdf5
libblosc-dev             module blosc
libzstd-dev              module libzstd
liblz4-dev               module liblz4
zlib1g-dev               header zlib.h
libssl-dev               header openssl/evp.h
libcli11-dev             header CLI/CLI.hpp
libyaml-cpp-dev          header yaml-cpp/yaml.h
libspdlog-dev            header spdlog/spdlog.h
libfmt-dev               header fmt/format.h
nlohmann-json3-dev       header nlohmann/json.hpp
librandom123-dev         header Random123/philox.h
gnuplot-nox              command gnuplot
NEEDS
}

test_needs() {
  cat <<'NEEDS'
git                      command git
clang-format             command clang-format
clang-16                 fuzzer
libclang-rt-16-dev       fuzzer
libomp-16-dev            fuzzer
libgtest-dev             header gtest/gtest.h
libbenchmark-dev         header benchmark/benchmark.h
python3-venv             python ensurepip
netcdf-bin               command ncdump
cdo                      command cdo
slurm-wlm                command slurmctld
munge                    command munged
NEEDS
}

# --- probes -----------------------------------------------------------------------------------------------------------
has_command() { PATH=$PATH:/usr/sbin:/sbin command -v "$1" > /dev/null; }

# std::source_location needs clang 16; the fuzzer's runtime and OpenMP's header are packages of their own.
has_fuzzer() {
  local clang
  for clang in clang++-19 clang++-18 clang++-17 clang++-16 clang++; do
    has_command "$clang" && echo '#include <omp.h>
#include <source_location>
extern "C" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return std::source_location::current().line() == 0; }' |
      "$clang" -std=c++20 -fsanitize=fuzzer,address -fopenmp -x c++ - -o /dev/null > /dev/null 2>&1 && return 0
  done
  return 1
}

has_python() { python3 -c "import $1" 2> /dev/null; }

has_module() {
  local name
  for name in "$@"; do
    pkg-config --exists "$name" 2> /dev/null && return 0
  done
  return 1
}

has_header() {
  local prefix include=()
  for prefix in ${CMAKE_PREFIX_PATH:+${CMAKE_PREFIX_PATH//[:;]/ }}; do
    include+=(-I "$prefix/include")
  done
  echo "#include <$1>" | "${CXX:-c++}" -std=c++20 "${include[@]}" -M -x c++ - > /dev/null 2>&1
}

has_kokkos() {
  local prefix
  for prefix in "$deps/kokkos-cpu" ${CMAKE_PREFIX_PATH:+${CMAKE_PREFIX_PATH//[:;]/ }} ${Kokkos_ROOT:-}; do
    compgen -G "$prefix/lib*/cmake/Kokkos/KokkosConfig.cmake" > /dev/null && return 0
  done
  return 1
}

has_torch() {
  [ -f "${TORCH_ROOT:-$deps/torch}/torch/lib/libtorch_cpu.so" ]
}

has_python_tools() {
  "$deps/python/bin/python" -c 'import netCDF4, numpy, xarray, zarr' 2> /dev/null
}

# Prints the packages whose probe fails, one a line.
missing_packages() {
  local package probe arguments
  while read -r package probe arguments; do
    # shellcheck disable=SC2086  # the arguments of a probe are words
    "has_$probe" $arguments || echo "$package"
  done < <(build_needs; if [ "$with_tests" = 1 ]; then test_needs; fi)
}

missing_downloads() {
  has_torch || echo "libtorch (TORCH_ROOT: the folder that holds torch/)"
  has_kokkos || echo "Kokkos (CMAKE_PREFIX_PATH, or cmake -DMOSAIC_FETCH_KOKKOS=ON)"
  [ "$with_tests" = 0 ] || has_python_tools || echo "Python with xarray, netCDF4 and zarr ($deps/python)"
}

# --- installation -----------------------------------------------------------------------------------------------------
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif has_command sudo; then
    sudo "$@"
  else
    die "neither root nor sudo: ask for '$*', or provide the packages through modules (see --check)"
  fi
}

install_packages() {
  local packages=("$@")
  say "installing ${packages[*]}"
  as_root apt-get update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${packages[@]}"
}

# libtorch as a plain C++ library: the wheels are unpacked, not installed. The CUDA runtime pieces that libtorch_cpu itself
# needs go beside it, where its run path looks for them ($ORIGIN/../../nvidia). Any interpreter may do the download.
install_torch() {
  say "libtorch from the torch wheel, 545 MB, into $deps/torch"
  python3 -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.11 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_25_x86_64 --platform manylinux_2_17_x86_64 \
    --platform manylinux2014_x86_64 --require-hashes -r "$here/torch-wheels.txt" -d "$work/wheels"
  local wheel
  for wheel in "$work"/wheels/*.whl; do
    python3 -m zipfile -e "$wheel" "$work/torch"
  done
  rm -rf "$deps/torch"
  mv "$work/torch" "$deps/torch"
}

# Debian 12 has Kokkos (3.4.01) only inside its Trilinos source. A private list with the system's own sources as deb-src
# leaves the system's lists as they are; apt checks the signatures, sha256 says that it is the source we know.
fetch_trilinos() {
  mkdir -p "$work"/{parts,lists/partial,cache/archives/partial}
  if [ -f /etc/apt/sources.list ]; then
    sed -n 's/^deb /deb-src /p' /etc/apt/sources.list > "$work/parts/main.list"
  fi
  local list
  for list in /etc/apt/sources.list.d/{debian,ubuntu}.sources; do
    if [ -f "$list" ]; then
      sed 's/^Types:.*/Types: deb-src/' "$list" > "$work/parts/${list##*/}"
    fi
  done
  local apt=(apt-get -qq -o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/parts"
    -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
  "${apt[@]}" update
  (cd "$work" && "${apt[@]}" source --download-only --tar-only trilinos)
  echo "$trilinos_sha256  $(echo "$work"/trilinos_*.orig.tar.gz)" | sha256sum --check --quiet ||
    die "Trilinos source with another sha256 than the known one; use a Kokkos of your own or -DMOSAIC_FETCH_KOKKOS=ON"
}

install_kokkos() {
  say "Kokkos 3.4.01 (Serial, OpenMP) from the Trilinos source into $deps/kokkos-cpu"
  fetch_trilinos
  mkdir "$work/kokkos"
  tar -xzf "$work"/trilinos_*.orig.tar.gz -C "$work/kokkos" --strip-components=3 --wildcards '*/packages/kokkos/*'
  # -w: Kokkos 3.4 warns 43 times as C++20
  cmake -S "$work/kokkos" -B "$work/kokkos-build" -G Ninja -Wno-dev \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$work/kokkos-cpu" -DCMAKE_INSTALL_LIBDIR=lib \
    -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DCMAKE_CXX_FLAGS=-w -DKokkos_CXX_STANDARD=20 \
    -DKokkos_ENABLE_SERIAL=ON -DKokkos_ENABLE_OPENMP=ON > "$work/kokkos.log"
  cmake --build "$work/kokkos-build" --target install >> "$work/kokkos.log" ||
    { tail -n 40 "$work/kokkos.log" >&2; die "Kokkos did not build"; }
  rm -rf "$deps/kokkos-cpu"
  mv "$work/kokkos-cpu" "$deps/kokkos-cpu"
}

install_python_tools() {
  say "Python with xarray, netCDF4 and zarr into $deps/python"
  rm -rf "$deps/python"
  python3 -m venv "$deps/python"
  "$deps/python/bin/python" -m pip install --quiet --only-binary=:all: -r "$here/test-python.txt"
}

# --- the whole --------------------------------------------------------------------------------------------------------
report_missing() {
  local packages=("$@") downloads
  mapfile -t downloads < <(missing_downloads)
  if [ $((${#packages[@]} + ${#downloads[@]})) = 0 ]; then
    say "everything is there"
    return 0
  fi
  say "missing:"
  printf '  %s\n' "${packages[@]}" "${downloads[@]}" | sed '/^ *$/d'
  return 1
}

main() {
  local argument missing=()
  for argument in "$@"; do
    case $argument in
      --with-tests) with_tests=1 ;;
      --check) check_only=1 ;;
      --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 0 ;;
      *) die "unknown argument $argument (see --help)" ;;
    esac
  done
  mapfile -t missing < <(missing_packages)
  if report_missing "${missing[@]}"; then exit 0; fi
  if [ "${MOSAIC_BOOTSTRAP:-on}" = off ]; then exit 0; fi
  [ "$check_only" = 0 ] || exit 1
  if [ ${#missing[@]} -gt 0 ]; then
    has_command apt-get || die "this is no Debian or Ubuntu: provide the above (names as in Debian) and run again"
    install_packages "${missing[@]}"
  fi
  mkdir -p "$deps"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  has_torch || install_torch
  has_kokkos || install_kokkos
  [ "$with_tests" = 0 ] || has_python_tools || install_python_tools
  mapfile -t missing < <(missing_packages)
  report_missing "${missing[@]}" || die "some of it could not be installed"
}
main "$@"
