#!/usr/bin/env bash
# with_slurm.sh SCRIPT SCRATCH COMMAND ARGUMENT...: runs a command inside a private Slurm (SCRIPT is slurm_local.sh) that is
# stopped afterwards. 77, a visible skip, where Slurm cannot run, and with MOSAIC_SANITIZED set but for MOSAIC_FULL=1.
set -euo pipefail
if [ -n "${MOSAIC_SANITIZED:-}" ] && [ "${MOSAIC_FULL:-}" != 1 ]; then
  echo "SKIP: minutes with sanitizers, which see the same programs under mpirun; tests/run.sh --full"
  exit 77
fi
script=$1
scratch=$(mktemp -d "$2/slurm.XXXXXX")
shift 2
trap '"$script" stop "$scratch"; rm -rf "$scratch"' EXIT

# Other private Slurms may run on this machine.
export SLURM_LOCAL_PORT=${SLURM_LOCAL_PORT:-$((20000 + RANDOM % 10000))}
"$script" start "$scratch"
SLURM_CONF=$scratch/slurm.conf "$@"
