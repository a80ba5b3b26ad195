#!/usr/bin/env bash
# Builds the libFuzzer targets with clang and runs each for some seconds, from the corpus in tests/fuzz/corpus.
#
#   tests/fuzz/run.sh [SECONDS] [FORMAT...]
#
#   SECONDS   of each target (default 60)
#   FORMAT    only these (default: all)
#
# MOSAIC_JOBS chooses the parallel compilations (default: cores). Findings stay in build-fuzz/findings. Ends with 1 if
# there are any, with 77 (skip) where there is no clang that can build the targets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

seconds=${1:-60}
shift $(($# > 0 ? 1 : 0))
build=build-fuzz
mkdir -p "$build"
log=$build/configure.log
if ! cmake -C cmake/cache/fuzz.cmake -S . -B "$build" -G Ninja > "$log" 2>&1; then
  if grep -q 'Could not find clang' "$log" || grep -q 'is not able to compile' "$log"; then
    echo "fuzz: SKIPPED, no clang that builds libFuzzer targets (Debian: clang-16 libclang-rt-16-dev libomp-16-dev)"
    exit 77
  fi
  cat "$log" >&2
  exit 1
fi
targets=()
for source in tests/fuzz/fuzz_*.cpp; do
  format=${source##*/fuzz_}
  format=${format%.cpp}
  if [ $# -eq 0 ] || [[ " $* " == *" $format "* ]]; then
    targets+=("fuzz_$format")
  fi
done
cmake --build "$build" -j "${MOSAIC_JOBS:-$(nproc)}" --target "${targets[@]}"

mkdir -p "$build/findings"
export UBSAN_OPTIONS=print_stacktrace=1 ASAN_OPTIONS=allocator_may_return_null=0
failed=()
for target in "${targets[@]}"; do
  format=${target#fuzz_}
  mkdir -p "$build/corpus/$format"
  echo "== $target, $seconds s"
  # New inputs go to the first folder; no input may take 5 s or 512 MB at once. A NetCDF file is read in a child with a
  # limit of CPU time, which a busy machine stretches.
  timeout=5
  if [ "$format" = netcdf ]; then
    timeout=100
  fi
  if ! "$build/bin/$target" "$build/corpus/$format" "tests/fuzz/corpus/$format" -max_total_time="$seconds" \
    -timeout="$timeout" -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$build/findings/$format-" > "$build/$target.log" 2>&1; then
    failed+=("$format")
    tail -n 60 "$build/$target.log"
  fi
  grep -E 'stat::(number_of_executed_units|peak_rss_mb)' "$build/$target.log" || true
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "fuzz: FAILED: ${failed[*]}; inputs in $build/findings"
  exit 1
fi
echo "fuzz: ${#targets[@]} targets, no findings"
