#!/usr/bin/env bash
# session.sh SCRIPT SCRATCH: a private Slurm starts, runs two tasks that know their ranks, passes on an exit code, stops.
set -euo pipefail
script=$1
scratch=$(mktemp -d "$2/slurm.XXXXXX")
trap '"$script" stop "$scratch"; rm -rf "$scratch"' EXIT

# Other private Slurms may run on this machine.
export SLURM_LOCAL_PORT=${SLURM_LOCAL_PORT:-$((20000 + RANDOM % 10000))}
"$script" start "$scratch"
export SLURM_CONF=$scratch/slurm.conf

ranks=$(srun -n 2 --overcommit sh -c 'echo "rank $SLURM_PROCID of $SLURM_NTASKS"' | sort)
expected=$'rank 0 of 2\nrank 1 of 2'
[ "$ranks" = "$expected" ] || { echo "srun -n 2 printed: $ranks"; exit 1; }

code=0
srun -n 1 sh -c 'exit 75' || code=$?
[ "$code" = 75 ] || { echo "srun passed on exit code $code instead of 75"; exit 1; }
echo "two tasks ran, exit code 75 was passed on"
