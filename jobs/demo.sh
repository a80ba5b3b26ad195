#!/usr/bin/env bash
# The demonstration, from a fresh clone on: installs what is missing, builds, and forecasts a simulated atmosphere.
#
#   jobs/demo.sh [--real [--full]]
#
#   --real   instead of the simulated world the real state of 82 channels with a small network of the Mosaic family
#   --full   with --real: the network of the published size (214 million parameters); slower, needs 8 GB
#
# Without flags, in results/demo: simulates the qg3 world (a three-level quasi-geostrophic atmosphere: an easy world, not the
# weather), a winter of truth and six years for its climatology; forecasts 16 initial times x 12 members x 10 days of it
# with two ranks; scores the forecasts beside persistence and climatology; writes fields as NetCDF and a report.
# With --real, in results/demo-real: weights are pseudo-random and the truth is the initial state itself; these scores
# exercise the programs and mean nothing else.
# The same command again continues or finds everything done. Results of another version of the program are replaced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

real=0
network=()
out=results/demo-real
for argument in "$@"; do
  case $argument in
    --real) real=1 ;;
    --full) network=(--set model.network=published); out=results/demo-full ;;
    --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown argument $argument (see --help)" >&2; exit 64 ;;
  esac
done
if [ "$real" = 0 ] && [ ${#network[@]} -gt 0 ]; then
  echo "demo.sh: --full has no effect without --real" >&2
  exit 64
fi

. jobs/site.sh

# step NAME COMMAND...: says what begins and how long it took
step() {
  local name=$1 begin=$SECONDS
  shift
  echo
  echo "== $name"
  "$@"
  echo "== $name: $((SECONDS - begin)) s"
}

# Whether a results folder or store was made by another version of the program; these are the demonstration's own and soon
# made again.
is_of_another_version() {
  [ -f "$1" ] && ! grep -qF "$version" "$1"
}

# scored RANKS PROGRAM CONFIG OUT ARGUMENT...
scored() {
  local ranks=$1 program=$2 config=$3 folder=$4 code=0
  shift 4
  if is_of_another_version "$folder/identity.json"; then
    echo "$folder was made by another version of the program: starting anew"
    set -- "$@" --overwrite
  fi
  mosaic_launch "$ranks" "build/bin/$program" "$config" --out "$folder" "$@" || code=$?
  if [ "$code" = 78 ] && [ -f "$folder/identity.json" ]; then
    echo "demo.sh: if the folder is in the way: rm -r $folder" >&2
  fi
  [ "$code" = 0 ] || exit "$code"
}

# simulated STORE ARGUMENT...
simulated() {
  mosaic_launch 2 build/bin/mosaic_data simulate "$@" --grid 64x32 --step 24h
}

climatology_of() {
  if [ ! -f "$2/.zmetadata" ]; then
    rm -rf "$2"
    mosaic_launch 2 build/bin/mosaic_data climatology "$1" "$2"
  fi
}

# report FOLDER: everything as a page, the headline scores on the terminal
report() {
  local options=(--region northern-hemisphere --channel geopotential_500)
  local runs=("$1/qg3" "$1/persistence" "$1/climatology")
  build/bin/mosaic_report "${runs[@]}" "${options[@]}" --format html,markdown
  build/bin/mosaic_report "${runs[@]}" "${options[@]}" --format terminal | sed '/^Spread and skill/,$d'
}

simulated_world() {
  local folder=results/demo
  mkdir -p "$folder"
  if [ "$(cat "$folder/version" 2> /dev/null)" != "$version" ]; then
    rm -rf "$folder/truth.zarr" "$folder/past.zarr" "$folder/climatology.zarr"
    echo "$version" > "$folder/version"
  fi
  step "truth: a winter" simulated "$folder/truth.zarr" --start 2001-01-01 --end 2001-02-25 --seed 1
  step "past: six years, each a realization of its own" \
    simulated "$folder/past.zarr" --start 1991-01-01 --end 1996-12-31 --seed 101 --realizations 6
  step "climatology of the past" climatology_of "$folder/past.zarr" "$folder/climatology.zarr"
  step "qg3: 16 initial times x 12 members x 10 days" scored 2 mosaic_hindcast config/demo/world.yaml "$folder/qg3"
  step "persistence" scored 2 mosaic_hindcast config/demo/world.yaml "$folder/persistence" \
    --members 1 --set model.name=persistence --set output.forecasts=false --set output.channels= --set output.lead_times=
  step "climatology" scored 2 mosaic_evaluate config/demo/world_climatology.yaml "$folder/climatology"
  step "report" report "$folder"
  echo
  echo "Report: $PWD/$folder/qg3/report.html"
  echo "Fields: $PWD/$folder/qg3/forecasts"
  echo "This world is simulated (qg3): an easy world, not the weather."
}

real_state() {
  step "Mosaic network, pseudo-random weights" \
    scored 2 mosaic_hindcast config/demo/hindcast_demo.yaml "$out" "${network[@]}"
  step "persistence" scored 2 mosaic_hindcast config/demo/hindcast_demo.yaml results/demo-real-persistence \
    --set model.name=persistence --set model.weights=
  echo
  echo "Results: forecasts/, metrics.nc, spectra.nc and run.json in"
  echo "  $PWD/$out"
  echo "  $PWD/results/demo-real-persistence"
  echo "The weights are pseudo-random and the truth is the initial state itself: these scores mean nothing."
}

cmake/bootstrap.sh
[ -f build/build.ninja ] || cmake -C cmake/cache/cpu.cmake -S . -B build -G Ninja
cmake --build build --target mosaic_hindcast mosaic_evaluate mosaic_data mosaic_report
built=$SECONDS
version=$(build/bin/mosaic_hindcast --version)
if [ "$real" = 1 ]; then
  real_state
else
  simulated_world
fi
echo "Total: $SECONDS s, of which $built s to install and build"
