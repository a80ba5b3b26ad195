# What differs between machines, and nothing else does: modules, launcher, MPI settings. Sourced by every job.
# Copy, edit, or point MOSAIC_SITE at a file of your own that is sourced at the end and may redefine anything here.

# --- modules: uncomment and name those of your cluster ----------------------------------------------------------------
# module purge
# module load gcc/12 openmpi netcdf-cxx4 hdf5 kokkos
# export CMAKE_PREFIX_PATH=/path/to/kokkos TORCH_ROOT=/path/to/the/folder/that/holds/torch

# --- threads per rank: a configuration value of the run (parallel.threads), never the environment's guess ----------------
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
unset OMP_PROC_BIND  # ranks of one node would share the first cores

# --- Open MPI ---------------------------------------------------------------------------------------------------------
# Stop a run under mpirun with SIGUSR1, which is passed on to the ranks. Leave odls_base_sigkill_timeout at its second: mpirun
# sleeps that long, twice, at the end of every job in which a rank failed, whether the others still run or not.
# As root (containers) Open MPI wants to be asked twice.
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# mosaic_launch RANKS PROGRAM ARGUMENT...: srun inside a Slurm job, mpirun elsewhere.
# MOSAIC_LAUNCHER=srun|mpirun overrides, MOSAIC_LAUNCH_OPTIONS adds options (one word each).
mosaic_launch() {
  local ranks=$1 launcher=${MOSAIC_LAUNCHER:-}
  shift
  if [ -z "$launcher" ]; then
    if [ -n "${SLURM_JOB_ID:-}" ]; then launcher=srun; else launcher=mpirun; fi
  fi
  # shellcheck disable=SC2086  # options are words
  case $launcher in
    srun) srun --ntasks "$ranks" --kill-on-bad-exit=1 ${MOSAIC_LAUNCH_OPTIONS:-} "$@" ;;
    # mpirun would otherwise bind each of two ranks to one core, with all its threads.
    mpirun) mpirun --bind-to none --oversubscribe -n "$ranks" ${MOSAIC_LAUNCH_OPTIONS:-} "$@" ;;
    *) echo "site.sh: MOSAIC_LAUNCHER=$launcher: the values are srun and mpirun" >&2; return 64 ;;
  esac
}

if [ -n "${MOSAIC_SITE:-}" ]; then
  # shellcheck disable=SC1090  # the user's file
  . "$MOSAIC_SITE"
fi
