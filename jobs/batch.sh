# What batch jobs have in common; sourced by them in the repository, after jobs/site.sh.

# mosaic_batch PROGRAM ARGUMENT...: runs a program on the tasks of the job and ends with its code. 75: stopped early. If the time
# limit was the reason (a job that is being cancelled no longer counts as running), the same job queues again and continues.
mosaic_batch() {
  local code=0
  mosaic_launch "${SLURM_NTASKS:-1}" "$@" || code=$?
  if [ "$code" = 75 ] && [ "$(squeue --noheader --jobs "${SLURM_JOB_ID:-0}" --format %T 2> /dev/null)" = RUNNING ]; then
    if scontrol requeue "$SLURM_JOB_ID"; then
      echo "stopped before the end; job $SLURM_JOB_ID is queued again and will continue"
    else
      echo "stopped before the end; Slurm does not queue job $SLURM_JOB_ID again: submit the same command to continue"
    fi
  fi
  exit "$code"
}
