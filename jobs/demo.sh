#!/usr/bin/env bash
# The demonstration, from a fresh clone on: installs what is missing, builds, forecasts a real initial state with two ranks
# and scores the forecast.
#
#   jobs/demo.sh [--full]
#
#   --full   the network of the published size (214 million parameters) in place of the small one; slower, needs 8 GB
#
# Two runs: results/demo (the network) and results/demo-persistence (the initial state kept, as a yardstick). The weights
# are pseudo-random and the truth is the initial state itself: the scores exercise the programs and mean nothing else.
# The same command again continues or finds everything done. Results of another version of the program are replaced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

network=()
out=results/demo
for argument in "$@"; do
  case $argument in
    --full) network=(--set model.network=published); out=results/demo-full ;;
    --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) echo "demo.sh: unknown argument $argument (see --help)" >&2; exit 64 ;;
  esac
done

. jobs/site.sh

# forecast NAME OUT ARGUMENT...
forecast() {
  local name=$1 folder=$2 begin=$SECONDS code=0 version
  shift 2
  echo
  echo "== $name -> $folder"
  # A results folder belongs to one version of the program; these are the demonstration's own and soon made again.
  version=$(build/bin/mosaic_hindcast --version)
  if [ -f "$folder/identity.json" ] && ! grep -qF "$version" "$folder/identity.json"; then
    echo "$folder was made by another version of the program: starting anew"
    set -- "$@" --overwrite
  fi
  mosaic_launch 2 build/bin/mosaic_hindcast config/demo/hindcast_demo.yaml --out "$folder" "$@" || code=$?
  if [ "$code" = 78 ] && [ -f "$folder/identity.json" ]; then
    echo "demo.sh: if the folder is in the way: rm -r $folder" >&2
  fi
  [ "$code" = 0 ] || exit "$code"
  echo "== $name: $((SECONDS - begin)) s"
}

cmake/bootstrap.sh
[ -f build/build.ninja ] || cmake -C cmake/cache/cpu.cmake -S . -B build -G Ninja
cmake --build build --target mosaic_hindcast
built=$SECONDS

forecast "Mosaic network, pseudo-random weights" "$out" "${network[@]}"
forecast "persistence" results/demo-persistence --set model.name=persistence --set model.weights=

echo
echo "Results: forecasts/, metrics.nc, spectra.nc and run.json in"
echo "  $PWD/$out"
echo "  $PWD/results/demo-persistence"
echo "The weights are pseudo-random and the truth is the initial state itself: these scores mean nothing yet."
echo "Total: $SECONDS s, of which $built s to install and build"
