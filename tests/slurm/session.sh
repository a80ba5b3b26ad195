#!/usr/bin/env bash
# Inside with_slurm.sh: two tasks know their ranks, an exit code is passed on.
set -euo pipefail

ranks=$(srun -n 2 --overcommit sh -c 'echo "rank $SLURM_PROCID of $SLURM_NTASKS"' | sort)
expected=$'rank 0 of 2\nrank 1 of 2'
[ "$ranks" = "$expected" ] || { echo "srun -n 2 printed: $ranks"; exit 1; }

code=0
srun -n 1 sh -c 'exit 75' || code=$?
[ "$code" = 75 ] || { echo "srun passed on exit code $code instead of 75"; exit 1; }
echo "two tasks ran, exit code 75 was passed on"
