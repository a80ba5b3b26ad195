#!/usr/bin/env bash
# Builds everything and runs all tests, from a fresh clone on a bare Debian or Ubuntu (root or sudo) onwards.
#
#   tests/run.sh [--full] [--no-asan] [-R REGEX]
#
#   --full      hours instead of minutes: the whole matrix of faults, every file-system call, 200 seeds of kills,
#               MOSAIC_MUTATIONS (default 20000) damaged files a format, and fuzzing for MOSAIC_FUZZ_SECONDS
#               (default 600); writes tests/full_results.md, to be committed
#   --no-asan   leave out the second build (build-asan/: everything without libtorch under sanitizers)
#   -R REGEX    only the ctest entries whose names match
#
# MOSAIC_GOLDEN_DIR chooses the golden data (default tests/golden), MOSAIC_JOBS the parallel jobs (default: cores).
# Ends with the skips and their reasons and "N passed, N failed"; exit code 0 only if something ran and nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

command="tests/run.sh $*"
asan=1
full=0
filter=()
while [ $# -gt 0 ]; do
  case $1 in
    --no-asan) asan=0 ;;
    --full) full=1 ;;
    -R) filter=(-R "${2:?-R needs a regular expression}"); shift ;;
    --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "run.sh: unknown argument $1 (see --help)" >&2; exit 64 ;;
  esac
  shift
done
jobs=${MOSAIC_JOBS:-$(nproc)}
reports=()

# build_and_test FOLDER CACHE_FILE [CMAKE_ARGUMENT...]
build_and_test() {
  local report=$PWD/$1/ctest.xml
  echo "== $1: configure, build"
  cmake -C "cmake/cache/$2.cmake" -S . -B "$1" -G Ninja -DMOSAIC_WERROR=ON "${@:3}"
  cmake --build "$1" -j "$jobs"
  echo "== $1: test"
  rm -f "$report"
  # The verdict is count_results.py's: it reads the report, single cases included.
  ctest --test-dir "$1" -j "$jobs" --output-on-failure --no-tests=ignore "${filter[@]}" --output-junit "$report" \
    --test-output-size-passed 4000000 --test-output-size-failed 4000000 || true
  reports+=("$report")
}

# Open MPI refuses root and more ranks than cores unless told.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1

if [ "$full" = 1 ]; then
  export MOSAIC_FULL=1 MOSAIC_KILL_SEEDS=${MOSAIC_KILL_SEEDS:-200} MOSAIC_MUTATIONS=${MOSAIC_MUTATIONS:-20000}
  fuzz_seconds=${MOSAIC_FUZZ_SECONDS:-600}
  command="MOSAIC_KILL_SEEDS=$MOSAIC_KILL_SEEDS MOSAIC_MUTATIONS=$MOSAIC_MUTATIONS MOSAIC_FUZZ_SECONDS=$fuzz_seconds $command"
fi

cmake/bootstrap.sh --with-tests
# With CUDA where there is a compiler for it: programs with device code must work without a GPU.
build_and_test build cpu -DMOSAIC_CUDA=AUTO
if [ "$asan" = 1 ]; then
  export UBSAN_OPTIONS=print_stacktrace=1
  build_and_test build-asan asan
fi

fuzz=0
if [ "$full" = 1 ]; then
  echo "== fuzzing"
  tests/fuzz/run.sh "$fuzz_seconds" || fuzz=$?
  echo "== table"
  python3 -B tests/full_table.py tests/full_results.md "$command" build-fuzz "${reports[@]}"
fi

echo "== results"
code=0
if [ "$fuzz" != 0 ]; then
  echo "failed   tests/fuzz/run.sh: exit code $fuzz"
  code=1
fi
python3 -B tests/count_results.py "${reports[@]}" || code=1
exit "$code"
