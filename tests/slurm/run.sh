#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The batch scripts of jobs/ on a private SLURM of this machine: a time limit that runs out without any trap, a signal, a rank that is
# killed, a node that is lost, an array, and a job that waits for another. Every job must reach its end by itself, and what it makes
# must have the bits of a run that nobody disturbed. Usage: run.sh AMACRINE. The last line is "slurm PASSED TRIED".
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
for tool in slurmctld slurmd munged; do
  PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || { echo "SKIPPED: $tool is not installed"; exit 77; }
done
export PATH=$PATH:/usr/sbin
python=$("$root/jobs/python.sh")
"$python" -c 'import h5py' 2>/dev/null || { echo "SKIPPED: h5py is not installed for $python"; exit 77; }
source "$here/cluster.sh"
work=$(mktemp -d)
chmod 755 "$work"
trap 'stop_cluster; rm -rf "$work"' EXIT
cd "$work"
unset OMPI_MCA_rmaps_base_oversubscribe OMP_NUM_THREADS
export AMACRINE_PROGRAM=$program HDF5_USE_FILE_LOCKING=FALSE OMP_WAIT_POLICY=passive
# The site: as jobs/sites/cpu.sh, but these cores are shared by all the test's ranks, so that those who wait must give way.
export OMPI_MCA_mpi_yield_when_idle=1
sed 's/OMP_PROC_BIND=spread OMP_PLACES=threads/OMP_PROC_BIND=false/' "$root/jobs/sites/cpu.sh" >site.sh
export AMACRINE_SITE=$work/site.sh
passed=0 tried=0
check() { # WHAT COMMAND...
  tried=$((tried + 1))
  if "${@:2}" >check.log 2>&1; then passed=$((passed + 1)); echo "[$SECONDS s] $1"; else echo "FAILED: $1"; cat check.log; fi
}

study=$here/study.toml
steps=training.total_windows=${AMACRINE_SLURM_WINDOWS:-24576} # about six seconds of a core
# What nobody disturbs.
for verb in simulate train evaluate probe attribute reduce lesion; do
  OMP_NUM_THREADS=2 "$program" "$verb" "$study" study.output=whole "$steps" >whole.log 2>&1 || { cat whole.log; exit 1; }
done
few=training.total_windows=8192
OMP_NUM_THREADS=2 "$program" sweep "$study" study.output=whole "$few" >whole.log 2>&1 || { cat whole.log; exit 1; }
long=training.total_windows=${AMACRINE_SLURM_LONG_WINDOWS:-250000} # well over a minute of a core
mkdir whole_long; cp whole/recording.h5 whole_long
OMP_NUM_THREADS=1 "$program" train "$study" study.output=whole_long "$long" >whole_long.log 2>&1 & undisturbed=$!

start_cluster "$work/cluster" || { echo "SKIPPED: no SLURM comes up on this machine"; kill "$undisturbed"; exit 77; }
batch=(sbatch --parsable --ntasks-per-node=2 --mem-per-cpu=256)
submit() { # NAME SBATCH-OPTIONS... -- VERBS [KEY=VALUE...]
  local name=$1 options=(); shift
  while [[ $1 != -- ]]; do options+=("$1"); shift; done
  local script=$2; shift 2
  [[ -d $name ]] || { mkdir "$name"; cp whole/recording.h5 "$name"; }
  "${batch[@]}" --job-name="$name" --output="$name.log" "${options[@]}" "$root/jobs/$script.sbatch" "$study" "study.output=$name" "$@"
}
state() { scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }
wait_for() { # SECONDS COMMAND...
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do ((SECONDS < end)) || return 1; sleep 0.3; done
}
trains() { grep -q '"state": "running"' "$1/train.status.json" && [[ -e $1/train.checkpoint ]]; }
ended() { [[ $(state "$1") =~ ^(COMPLETED|FAILED|CANCELLED|TIMEOUT|NODE_FAIL)$ ]]; }
completed() { wait_for 600 ended "$1" && [[ $(state "$1") == COMPLETED ]] || { state "$1"; cat "$2".log; return 1; }; }
restarted() { grep -q "put back into the queue" "$1.log"; }
ranks_of() { for pid in $(pgrep -x amacrine); do ! tr '\0' '\n' <"/proc/$pid/cmdline" | grep -qx "study.output=$1" || echo "$pid"; done; }
same() { "$python" "$root/tests/checks/same_values.py" "$1" "$2"; }

# All at once: what they wait for is mostly SLURM. A limit of two minutes for what takes longer: amacrine stops a minute before it, and
# SLURM starts the job again.
limited=$(submit limited --time=2 --ntasks-per-node=1 --nodelist=n1 -- train "$long" training.checkpoint_minutes=0.05)
killed=$(submit killed --time=30 --nodelist=n1 -- train "$steps" training.checkpoint_minutes=0.02)
signalled=$(submit signalled --time=30 --nodelist=n1 -- train "$steps" training.checkpoint_minutes=0.02)
lost=$(submit lost --time=30 --nodelist=n2 -- train "$steps" training.checkpoint_minutes=0.02)
# An array: a study a task.
for n in 1 2; do
  mkdir "array$n"; cp whole/recording.h5 "array$n"
  sed "s/^name = .*/&\noutput = \"array$n\"/" "$study" >"array$n.toml"
done
array=$("${batch[@]}" --job-name=array --output=array_%a.log --array=0-1 --time=30 --nodelist=n1 "$root/jobs/train.sbatch" array1.toml array2.toml "$steps")

wait_for 60 trains killed || echo "killed does not train"
for pid in $(ranks_of killed | tail -n 1); do kill -KILL "$pid"; done
wait_for 60 trains signalled || echo "signalled does not train"
scancel --signal=USR1 "$signalled"
wait_for 60 trains lost || echo "lost does not train"
lose_node n2
# Attribution waits for training; its rows are dealt to ranks of two nodes and it is stopped in between.
both=$(submit both --nodes=2 --time=30 -- train "$steps")
farm=$(submit both --nodes=2 --time=30 --dependency=afterok:"$both" --open-mode=append -- attribute)
swept=$(submit swept --time=30 --nodelist=n2 -- sweep "$few")
wait_for 200 grep -q reached swept/sweep.journal && scancel --signal=USR1 "$swept" || echo "swept reaches nothing"
wait_for 200 test -e both/attributions_network.h5.journal && scancel --signal=USR1 "$farm" || echo "both attributes nothing"
check "a job whose rank is killed starts again and ends" completed "$killed" killed
check "it was put back into the queue" restarted killed
check "a job that is signalled starts again and ends" completed "$signalled" signalled
check "it was put back into the queue" restarted signalled
check "a job whose node is lost starts again and ends" completed "$lost" lost
check "a training on two nodes ends" completed "$both" both
check "probes, attributions and reductions end" completed "$farm" both
check "a sweep that is signalled starts again and ends" completed "$swept" swept
check "it was put back into the queue" restarted swept
check "its trials are the undisturbed ones" cmp whole/sweep.csv swept/sweep.csv
check "both tasks of an array end" completed "${array}_0" array_0
check "both tasks of an array end" completed "${array}_1" array_1
for name in killed signalled lost both array1 array2; do check "$name/model.h5 is bit by bit the undisturbed one" same whole/model.h5 "$name/model.h5"; done
for file in responses_network attributions_network reduction_network; do
  check "both/$file.h5 is bit by bit the undisturbed one" same "whole/$file.h5" "both/$file.h5"
done
check "a job with a plain time limit reaches its end" completed "$limited" limited
check "it was put back into the queue" restarted limited
wait "$undisturbed" || cat whole_long.log
check "limited/model.h5 is bit by bit the undisturbed one" same whole_long/model.h5 limited/model.h5
echo "slurm $passed $tried"
((passed == tried))
