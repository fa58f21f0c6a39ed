# SPDX-License-Identifier: Apache-2.0
# Sourced by the batch scripts beside it, which set `jobs`, this folder, and call run_verbs. Site settings: AMACRINE_SITE, a file like
# those in sites/.
set -euo pipefail
root=$(cd "$jobs/.." && pwd)
most_restarts=${AMACRINE_MOST_RESTARTS:-3} # after ranks that were killed
# shellcheck source=/dev/null
source "${AMACRINE_SITE:-$jobs/sites/cpu.sh}"

job=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}
say() { printf '[%s] job %s: %s\n' "$(date +%H:%M:%S)" "$job" "$*"; }

# amacrine saves and stops by itself one minute before the job's end.
if [[ -z ${SLURM_JOB_END_TIME:-} ]]; then
  end=$(squeue --noheader --jobs="$SLURM_JOB_ID" --format=%e | head -n 1)
  if [[ $end == 20* ]]; then SLURM_JOB_END_TIME=$(date -d "$end" +%s); export SLURM_JOB_END_TIME; fi
fi

# The job starts again as the same job, when there is room for it; then every verb goes on where it was.
requeue() {
  say "$1; it is put back into the queue (restart $((${SLURM_RESTART_COUNT:-0} + 1)))"
  scontrol requeue "$job"
  sleep 60 # SLURM ends this script
  exit 75
}

# run_verbs VERB... -- STUDY [KEY=VALUE...]: one verb after the other, each to its end.
run_verbs() {
  local verbs=() code
  while [[ $1 != -- ]]; do verbs+=("$1"); shift; done
  shift
  [[ -f ${1:-} ]] || { say "no study file: sbatch $0 STUDY.toml [KEY=VALUE...]"; exit 2; }
  for verb in "${verbs[@]}"; do
    say "amacrine $verb $*"
    code=0
    "${launch[@]}" "$amacrine" "$verb" "$@" || code=$?
    # srun can end with 0 where it lost its node.
    ((code == 0)) && "$amacrine" status "$@" | grep -q "^ *$verb  *finished" && continue
    if ((code == 0)); then requeue "$verb was lost"; fi
    # mpirun says 1 where amacrine says 75 (run again), so the status file decides.
    if ((code == 75)) || "$amacrine" status "$@" | grep -q "^ *$verb  *stopped"; then requeue "$verb was stopped and saved"; fi
    if ((code > 128 && ${SLURM_RESTART_COUNT:-0} < most_restarts)); then requeue "$verb: a rank was killed (exit code $code)"; fi
    say "$verb ended with exit code $code"
    exit "$code"
  done
  say "done"
}

# Where several studies are given, a task of a job array takes its own: the first task the first.
study_of_task() {
  studies=()
  while [[ ${1:-} == *.toml ]]; do studies+=("$1"); shift; done
  overrides=("$@")
  local task=$((${SLURM_ARRAY_TASK_ID:-0} - ${SLURM_ARRAY_TASK_MIN:-0}))
  if [[ -n ${SLURM_ARRAY_TASK_ID:-} ]] && ((task >= ${#studies[@]})); then
    say "array task $task of ${#studies[@]} studies: give --array=0-$((${#studies[@]} - 1))"
    exit 2
  fi
  study=${studies[$task]:-}
}
