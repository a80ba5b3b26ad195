#!/usr/bin/env bash
# A private Slurm of one node, for tests; needs root, slurm-wlm and munge.
#
#   tests/slurm_local.sh start DIR     then: export SLURM_CONF=DIR/slurm.conf; srun -n 2 PROGRAM
#   tests/slurm_local.sh stop DIR
#
# Keys, sockets, state and logs live in DIR; a Slurm that the machine may run is not touched. No accounting, no binding
# of tasks to cores. Uses SLURM_LOCAL_PORT (default 16817) and the port after it. Exit code 77 and a line "SKIP: ..."
# where it cannot run.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

skip() { echo "SKIP: $*"; exit 77; }

write_configuration() {
  local node=$1 cpus
  cpus=$(getconf _NPROCESSORS_ONLN)  # not nproc, which listens to OMP_NUM_THREADS
  [ "$cpus" -ge 2 ] || cpus=2        # two tasks share a single core
  cat > "$SLURM_CONF" << CONF
ClusterName=local
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=${SLURM_LOCAL_PORT:-16817}
SlurmdPort=$((${SLURM_LOCAL_PORT:-16817} + 1))
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge.socket
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/log/slurmctld
SlurmdLogFile=$dir/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=pmix
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$(awk '/MemTotal/{print int($2/2048)}' /proc/meminfo)
PartitionName=test Nodes=$node Default=YES MaxTime=60 OverSubscribe=YES
CONF
}

start() {
  local program
  for program in slurmctld slurmd munged srun; do
    command -v "$program" > /dev/null || skip "$program is not installed (cmake/bootstrap.sh --with-tests)"
  done
  [ "$(id -u)" = 0 ] || skip "a private Slurm needs root"
  mkdir -p "$dir"/{state,spool,log}
  write_configuration "$(hostname -s)"
  rm -f "$dir/munge.key"
  (umask 077 && head -c 1024 /dev/urandom > "$dir/munge.key")
  munged --force --key-file="$dir/munge.key" --socket="$dir/munge.socket" --pid-file="$dir/munge.pid" \
    --log-file="$dir/log/munge" --seed-file="$dir/munge.seed"
  slurmctld -c
  slurmd
  local attempt
  for attempt in $(seq 100); do
    if [ "$(sinfo -h -o %T 2> /dev/null)" = idle ]; then
      echo "Slurm is up after $attempt looks; SLURM_CONF=$SLURM_CONF"
      return
    fi
    sleep 0.2
  done
  echo "Slurm did not come up within 20 s:" >&2
  tail -n 20 "$dir"/log/* >&2
  stop
  exit 1
}

# By the pid files of this folder only; waits until the daemons are gone (a zombie counts as gone).
stop() {
  local name pid
  for name in slurmd slurmctld munge; do
    [ -s "$dir/$name.pid" ] || continue
    pid=$(cat "$dir/$name.pid")
    kill "$pid" 2> /dev/null || continue
    for _ in $(seq 50); do
      grep -qs '^State:[[:space:]]*[^Z]' "/proc/$pid/status" || break
      sleep 0.1
    done
  done
}

[ $# = 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 64; }
mkdir -p "$2"
dir=$(readlink -f "$2")
export SLURM_CONF=$dir/slurm.conf
case $1 in
  start) start ;;
  stop) stop ;;
  *) echo "slurm_local.sh: start or stop, not $1" >&2; exit 64 ;;
esac
