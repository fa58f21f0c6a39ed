#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every verb on a study of seconds; then what they wrote is computed again in numpy (verbs_test.py), and a training that is stopped must say so
# and go on. Usage: verbs.sh AMACRINE
set -euo pipefail
amacrine=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
study=$here/verbs_study.toml
fail() { echo "FAILED: $*"; exit 1; }
for verb in simulate train evaluate probe attribute reduce; do
  "$amacrine" "$verb" "$study" study.output=out >"$verb.log" 2>&1 || { cat "$verb.log"; fail "$verb"; }
done
mkdir stopped && cp out/recording.h5 stopped
code=0
"$amacrine" train "$study" study.output=stopped training.max_minutes=1e-9 >stopped.log 2>&1 || code=$?
((code == 75)) || { cat stopped.log; fail "a training that was stopped ends with the exit code $code instead of 75"; }
[[ ! -e stopped/model.h5 ]] || fail "a training that was stopped has written its model"
AMACRINE_RESULTS=$work/out "$("$here/../../jobs/python.sh")" -B "$here/verbs_test.py"
