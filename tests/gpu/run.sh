#!/usr/bin/env bash
# Everything that needs a GPU, in about ten minutes (the steps' limits add up to more): correctness of all kernels and of the
# step, sanitizers, timings.
#
#   tests/gpu/run.sh pack FOLDER     on the machine that built with CUDA (build/): carries programs, their libraries and golden
#                                    data (MOSAIC_GOLDEN_DIR) into FOLDER/gpu.tar.xz
#   tests/gpu/run.sh FOLDER RESULTS [STEP...]
#                                    on the machine with the GPU, from the repository's root: runs FOLDER/gpu.tar.xz (all
#                                    steps, or these), writes tables and logs into RESULTS. Needs a Python with torch on PATH (its libraries are used),
#                                    nvidia-smi; compute-sanitizer and triton where they are there.
#
# Ends with a table of what passed and failed; exit code 1 if anything failed. What is not there is said, never passed over.
# Figures belong into tests/bench/results with the date, the GPU and the revision that they carry.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

programs=(device_test device_step_test device_golden_test device_scores_test mosaic_bench mosaic_hindcast)

pack() {
  local folder=$1 dir
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' RETURN
  mkdir -p "$folder" "$dir"/{bin,lib,share}
  for program in "${programs[@]}"; do
    cp "build/bin/$program" "$dir/bin/"
    strip "$dir/bin/$program"
  done
  cp -rL /usr/lib/x86_64-linux-gnu/openmpi/lib/openmpi3 "$dir/openmpi3"
  cp -r /usr/share/openmpi "$dir/share/openmpi"
  # The C and C++ runtimes, OpenMP, torch and CUDA are those of the other machine.
  ldd "$dir"/bin/* "$dir"/openmpi3/*.so | awk '$3 ~ "^/(usr/)?lib/"{print $3}' | sort -u |
    grep -Ev '/(libc|libm|libpthread|libdl|librt|libutil|libstdc\+\+|libgcc_s|libgomp|libcuda)\.' |
    xargs cp -Lt "$dir/lib"
  local golden=${MOSAIC_GOLDEN_DIR:-tests/golden}
  mkdir -p "$dir/golden/model"
  for name in mid full; do
    if [ -d "$golden/model/$name" ]; then cp -r "$golden/model/$name" "$dir/golden/model/"; fi
  done
  git describe --always --dirty --abbrev=12 --exclude "*" >"$dir/revision"
  XZ_OPT=-T0 tar -C "$dir" -cJf "$folder/gpu.tar.xz" .
  ls -l "$folder/gpu.tar.xz"
}

case ${1:-} in
  pack) pack "${2:?pack needs a folder}"; exit 0 ;;
  --help | -h | "") sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
esac

archive=$1/gpu.tar.xz
results=${2:?a folder for the results}
wanted=" ${*:3} "
mkdir -p "$results"
here=$(mktemp -d)
their_libraries=${LD_LIBRARY_PATH:-}
tar -C "$here" -xJf "$archive" || python3 -m tarfile -e "$archive" "$here"  # images without xz
site=${SITE:-$(python3 -c 'import os, torch; print(os.path.dirname(os.path.dirname(torch.__file__)))')}
libraries=$here/lib:$site/torch/lib
for folder in "$site"/nvidia/*/lib; do libraries+=:$folder; done
export PATH="$here/bin:$PATH" LD_LIBRARY_PATH="$libraries:${LD_LIBRARY_PATH:-}"
export OPAL_PREFIX="$here" OMPI_MCA_mca_base_component_path="$here/openmpi3" OMPI_MCA_ess_singleton_isolated=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export MOSAIC_REQUIRE_GPU=1 MOSAIC_SOURCE=$PWD MOSAIC_BIN=$here/bin MOSAIC_GOLDEN_DIR=$here/golden
failed=0
summary=$results/summary.md

# Whether the step was asked for.
asked() { [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]]; }

# run NAME SECONDS COMMAND...: its output goes to RESULTS/NAME.log, its verdict to the summary.
run() {
  local name=$1 limit=$2 begin=$SECONDS code=0
  shift 2
  # A process that waits for a kernel that hangs does not heed SIGTERM (and programs catch it).
  timeout -k 5 "$limit" "$@" >"$results/$name.log" 2>&1 || code=$?
  local verdict=passed
  case $code in
    0) ;;
    124 | 137) verdict="FAILED: longer than $limit s" ;;
    *) verdict="FAILED: exit code $code" ;;
  esac
  if [ "$code" != 0 ]; then
    failed=1
    tail -n 25 "$results/$name.log"
  fi
  echo "| $name | $verdict | $((SECONDS - begin)) |" | tee -a "$summary"
}

# The same for a step that can be asked for.
step() { if asked "$1"; then run "$@"; fi; }

missing() { echo "| $1 | not run: $2 | |" | tee -a "$summary"; }

{
  echo "# GPU run, $(date -u +%Y-%m-%d), revision $(cat "$here/revision")"
  echo
  nvidia-smi --query-gpu=name,driver_version,memory.total,memory.used --format=csv || echo 'nvidia-smi failed'
  echo
  echo "| step | verdict | s |"
  echo "|---|---|---:|"
} | tee "$summary"

# Every suite, and every body of a suite, in a process of its own: a kernel that faults or hangs leaves the others be.
suites() {
  device_test --gtest_list_tests | awk '/^[^ ]+\.($| )/ { suite = $1; next }
    /^  / { n = split($1, part, "/"); filter = n > 1 ? suite "*/" part[n] : suite "*"; if (!seen[filter]++) print filter }'
}
if asked kernels; then
  mapfile -t filters < <(suites)
  [ ${#filters[@]} -gt 0 ] || { missing kernels "device_test lists no tests"; failed=1; }
  for filter in "${filters[@]}"; do
    run "kernels_$(tr -c 'A-Za-z0-9\n' _ <<<"${filter//\*/}")" 60 device_test --gtest_brief=1 --gtest_filter="$filter"
  done
fi
step network_step 90 device_step_test
step golden 100 device_golden_test
step scores 30 device_scores_test
if command -v compute-sanitizer >/dev/null; then
  smallest='RowNorm.*:Bodies/Attend.EmptyLists*:Swiglu.AMemberHas*:DeviceProjection.*:StatePacking.*:Runtime.*'
  for tool in memcheck racecheck; do
    step "$tool" 60 compute-sanitizer --tool "$tool" --error-exitcode 9 "$here/bin/device_test" --gtest_filter="$smallest"
  done
elif asked memcheck || asked racecheck; then
  missing compute-sanitizer "not on PATH"
fi
step bench 120 mosaic_bench gpu --attention-tokens 8192 --markdown "$results/gpu_bench.md" --json "$results/gpu_bench.json"
step attention 60 mosaic_bench gpu --chunks 1 --markdown "$results/gpu_attention.md" --json "$results/gpu_attention.json"
step scores_bench 60 mosaic_bench scores --members 24 --fields 200 --threads 8 --gpu
step baselines 150 env LD_LIBRARY_PATH="$their_libraries" python3 -B tests/gpu/attention_baselines.py "$results/attention_baselines"
step hindcast 90 mosaic_hindcast config/demo/hindcast_demo.yaml --out "$here/hindcast" --set model.device=cuda \
  --set model.network=published --set ensemble.members=24 --set ensemble.batch=24 --set forecast.lead_time=10d \
  --set output.forecasts=false --set times.end=2011-10-11T00
rm -rf "$here"
exit "$failed"
