#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every verb on a study of seconds; then what they wrote is computed again in numpy (verbs_test.py), a training that is stopped must say so
# and go on, and `status` must say how a study stands. Usage: verbs.sh AMACRINE
set -euo pipefail
amacrine=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
study=$here/verbs_study.toml
fail() { echo "FAILED: $*"; exit 1; }
for verb in simulate train evaluate probe attribute reduce lesion; do
  "$amacrine" "$verb" "$study" study.output=out >"$verb.log" 2>&1 || { cat "$verb.log"; fail "$verb"; }
done
mkdir stopped && cp out/recording.h5 stopped
code=0
"$amacrine" train "$study" study.output=stopped training.max_minutes=1e-9 >stopped.log 2>&1 || code=$?
((code == 75)) || { cat stopped.log; fail "a training that was stopped ends with the exit code $code instead of 75"; }
mkdir limited && cp out/recording.h5 limited
code=0
"$amacrine" train "$study" study.output=limited training.total_windows=1000000 --max-time 0.05 >limited.log 2>&1 || code=$?
((code == 75)) && grep -q "stopped by its limit of time" limited.log || { cat limited.log; fail "--max-time ended with $code"; }
code=0
SLURM_JOB_END_TIME=$(($(date +%s) + 63)) "$amacrine" train "$study" study.output=limited training.total_windows=1000000 >limited.log 2>&1 || code=$?
((code == 75)) && grep -q "stopped by its limit of time" limited.log || { cat limited.log; fail "the end of a job ended with $code"; }
# A file asks a run to stop, keeps the next from starting, and is no more than that.
"$amacrine" train "$study" study.output=limited training.total_windows=1000000 >limited.log 2>&1 & run=$!
for ((tries = 0; tries < 300; ++tries)); do grep -q '"state": "running"' limited/train.status.json && break; sleep 0.1; done
touch limited/stop
code=0; wait "$run" || code=$?
((code == 75)) && grep -q "stopped by the file limited/stop (remove it)" limited.log || { cat limited.log; fail "a file stop: $code"; }
code=0
"$amacrine" train "$study" study.output=limited training.total_windows=1000000 >limited.log 2>&1 || code=$?
((code == 4)) && grep -q "limited/stop asks runs .* remove that file to go on" limited.log || { cat limited.log; fail "a file stop that is there: $code"; }
"$amacrine" status "$study" study.output=limited | grep -q "^next: rm limited/stop; amacrine" || fail "status does not know of limited/stop"
rm limited/stop
"$amacrine" train "$study" study.output=limited training.total_windows=1000000 --max-time 0.01 >limited.log 2>&1 || code=$?
((code == 75)) || { cat limited.log; fail "a training does not go on once the file is removed"; }
says() { # study and overrides, then the words that `status` must say
  "$amacrine" status "${@:1:$#-1}" >status.log 2>&1 && grep -q -- "${@: -1}" status.log || { cat status.log; fail "status ${*:1:$#-1} does not say: ${*: -1}"; }
}
says "$study" study.output=none "next: amacrine simulate $study 'study.output=none'"
says "$study" study.output=out "all is done"
says "$study" study.output=out training.l2=0.5 "train     finished .*, with other settings"
says "$study" study.output=out training.l2=0.5 "next: amacrine train $study"
says "$study" study.output=stopped "train     stopped .*max_minutes"
says "$study" study.output=stopped recording.file=stopped/recording.h5 "simulate  not needed"
says "$study" study.output=stopped recording.file=stopped/recording.h5 "next: amacrine train"
cp -r out older
sed -i 's/"since": "20/"since": "19/' older/reduce.status.json
says "$study" study.output=older "reduce    finished .*, before what it is made from"
sed -i 's/"state": "finished"/"state": "running"/; s/"pid": [0-9]*/"pid": 4194305/' older/attribute.status.json # pids end at 4194304
says "$study" study.output=older "attribute was killed"
sed -i 's/"host": "[^"]*"/"host": "elsewhere"/' older/attribute.status.json
says "$study" study.output=older "attribute is at work"
[[ ! -e stopped/model.h5 ]] || fail "a training that was stopped has written its model"
# A reduction knows how well the network predicts each cell where it was evaluated, and follows the advice to do so.
works() { "$amacrine" "$1" "$study" "${@:2}" >again.log 2>&1 || { cat again.log; fail "$*"; }; }
tells() { grep -q -- "$1" again.log || { cat again.log; fail "reduce does not say: $1"; }; }
keeps_quiet() { ! grep -q -- "$1" again.log || { cat again.log; fail "reduce still says: $1"; }; }
cp -r out unscored && rm unscored/evaluation.h5 unscored/reduction_*
works reduce study.output=unscored 'reduction.subjects=["network"]'
tells "share of the ceiling not known (run .amacrine evaluate. before .reduce.)"
works evaluate study.output=unscored
works reduce study.output=unscored 'reduction.subjects=["network"]' --overwrite
keeps_quiet "share of the ceiling not known"
works train study.output=unscored training.model_seed=7 --overwrite
works attribute study.output=unscored 'attribution.subjects=["network"]' --overwrite
works reduce study.output=unscored 'reduction.subjects=["network"]' --overwrite
tells "is not of the model whose attributions are reduced; run .amacrine evaluate. again"
works evaluate study.output=unscored --overwrite
works reduce study.output=unscored 'reduction.subjects=["network"]' --overwrite
keeps_quiet "is not of the model"
# The report is drawn, also by ranks that a launcher started; a folder without results and missing scripts are refused.
[[ $("$amacrine" report "$study" study.output=out | tail -n 1) == "report: $work/out/report.html" && -s out/report.html ]] || fail "report draws nothing"
rm out/report.html
"${AMACRINE_MPIEXEC:-mpiexec}" -n 2 --bind-to none "$amacrine" report "$study" study.output=out >report.log 2>&1 && [[ -s out/report.html ]] || { cat report.log; fail "report on 2 ranks"; }
code=0; "$amacrine" report "$study" study.output=nothing >report.log 2>&1 || code=$?
((code == 3)) && grep -q "run .amacrine evaluate. or .amacrine fit. first" report.log || { cat report.log; fail "report of nothing: $code"; }
code=0; AMACRINE_HOME=$work "$amacrine" report "$study" study.output=out >report.log 2>&1 || code=$?
((code == 3)) && grep -q "Set AMACRINE_HOME to the folder" report.log || { cat report.log; fail "report without its scripts: $code"; }
AMACRINE_HOME=$(realpath "$here/../..") "$amacrine" report "$study" study.output=out >report.log 2>&1 || { cat report.log; fail "report with AMACRINE_HOME"; }
AMACRINE_RESULTS=$work/out "$("$here/../../jobs/python.sh")" -B "$here/verbs_test.py"
AMACRINE_RESULTS=$work/out "$("$here/../../jobs/python.sh")" -B "$here/damage_test.py"
