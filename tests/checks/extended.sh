#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `amacrine sweep extend` that is killed, then stopped by a signal, and repeated each time must end with the trials it was to add, and no more;
# given again once it has finished, it adds as many. Usage: extended.sh AMACRINE
set -euo pipefail
amacrine=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAILED: $*"; cat log; exit 1; }
{
  sed 's/^total_windows = .*/total_windows = 10240/; s/^epoch_windows = .*/epoch_windows = 1024/' "$here/verbs_study.toml"
  printf '[sweep]\ntrials = 1\nstopping = "none"\n[sweep.space]\ntraining.l2 = { low = 1e-5, high = 1e-2, scale = "log" }\n'
} >study.toml
given=(study.toml study.output=out training.ln=false)
"$amacrine" simulate "${given[@]}" >log 2>&1 || fail simulate
"$amacrine" sweep "${given[@]}" >log 2>&1 || fail "the first trial"
extend=("$amacrine" sweep extend "${given[@]}" --trials 2)

# Starts it, and signals once a new trial has trained for a while. The exit code in `code`.
disturb() { # signal, trial
  "${extend[@]}" >log 2>&1 & local run=$!
  for ((tries = 0; tries < 600; ++tries)); do [[ -s out/trials/$2/curves.csv ]] && break; sleep 0.05; done
  kill "-$1" "$run"
  code=0; wait "$run" || code=$?
}
trials() { echo $(($(wc -l <out/sweep.csv) - 1)); }
disturb KILL 0001
((code == 137)) || fail "kill -9 ended it with $code"
disturb TERM 0002
((code == 75)) || fail "SIGTERM ended it with $code"
grep -q "going on with the 2 trials that sweep extend has added" log || fail "it does not say that it goes on"
"${extend[@]}" >log 2>&1 || fail "the same command does not go on"
(($(trials) == 3)) || fail "$(trials) trials instead of 1 and 2 more"
[[ $(grep -c ',finished,' out/sweep.csv) == 3 ]] || fail "not all trials are finished"
code=0
"${extend[@]}" --max-time 0.0001 >log 2>&1 || code=$?
((code == 75)) || fail "--max-time ended it with $code"
"${extend[@]}" >log 2>&1 || fail "extend after it has finished"
(($(trials) == 5)) || fail "$(trials) trials instead of 3 and 2 more"
echo "sweep extend: 1 trial, 2 more over a kill and a signal, then 2 more"
