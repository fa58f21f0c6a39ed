#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A small study through every verb on 1 rank, then on 2, 3 and 4: every file must hold the same values. Then reuse, refusal and
# damage, and the Python readers. Usage: end_to_end.sh AMACRINE MPIEXEC
set -euo pipefail
amacrine=$1 mpiexec=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
study=$here/small_study.toml
python=$("$root/jobs/python.sh")
fail() { echo "FAILED: $*"; exit 1; }
expect() { # code, pattern, command...
  local code=$1 pattern=$2 got=0; shift 2
  "$@" >log 2>&1 || got=$?
  ((got == code)) || { cat log; fail "exit code $got instead of $code: $*"; }
  grep -q -- "$pattern" log || { cat log; fail "the message does not say '$pattern': $*"; }
}

verbs=(simulate train evaluate probe attribute reduce lesion fit)
# The recording's own movie: every 40th frame, the largest units of each row.
movie=(attribution.source=recording attribution.every=40 attribution.levels=unit attribution.storage=top 'attribution.subjects=["network"]')
for ranks in 1 2 3 4; do
  threads=$((ranks == 1 ? 2 : 1))
  for verb in "${verbs[@]}"; do
    OMP_NUM_THREADS=$threads "$mpiexec" -n "$ranks" --bind-to none "$amacrine" "$verb" "$study" study.output="n$ranks" >"n$ranks.$verb.log" 2>&1 \
      || { cat "n$ranks.$verb.log"; fail "$verb on $ranks ranks"; }
  done
  expect 0 'attributions_network_recording' "$mpiexec" -n "$ranks" --bind-to none "$amacrine" attribute "$study" study.output="n$ranks" "${movie[@]}"
done
files=$(cd n1 && find . -maxdepth 1 -name '*.h5' | sort)
[[ $(wc -l <<<"$files") -ge 13 ]] || fail "only these result files were made: $files"
for ranks in 2 3 4; do
  for f in $files; do
    "$python" "$root/tests/checks/same_values.py" "n1/$f" "n$ranks/$f" || fail "$f differs between 1 and $ranks ranks"
  done
done
echo "same values on 1, 2, 3 and 4 ranks: $(tr '\n' ' ' <<<"$files")"

"$python" "$root/tests/checks/fit_evidence.py" n1 || fail "pathways.h5 is not what evaluation and attributions say"

echo "models trained together"
expect 0 model_seed7 "$amacrine" train "$study" study.output=t1 recording.file=n1/recording.h5 training.ln=false 'training.model_seeds=[1, 7]'
"$python" "$root/tests/checks/same_values.py" n1/model.h5 t1/model.h5 || fail "a model trained beside another is not what it is alone"
! "$python" "$root/tests/checks/same_values.py" t1/model.h5 t1/model_seed7.h5 || fail "models of two seeds are the same"

echo "reuse, refusal, damage"
expect 0 'used again' "$amacrine" simulate "$study" study.output=n1
expect 4 'overwrite' "$amacrine" simulate "$study" study.output=n1 simulation.seed=9
expect 2 'learning_rate' "$amacrine" train "$study" study.output=n1 training.learning_rat=1
expect 3 'nowhere.h5' "$amacrine" train "$study" study.output=n9 recording.file=nowhere.h5
expect 0 kind "$amacrine" inspect n1/model.h5
for f in $files; do
  "$amacrine" inspect "n1/$f" --json | "$python" -c 'import json,sys; json.load(sys.stdin)' || fail "inspect --json of $f is not JSON"
done
expect 2 'run.sh training' timeout 20 env AMACRINE_BENCHMARK_BUILD="$work/unbuilt" "$root/tests/benchmark/run.sh" trainin
[[ ! -e unbuilt ]] || fail "an unknown benchmark was built"
head -c 20000 n1/recording.h5 >cut.h5
expect 3 cut.h5 "$amacrine" inspect cut.h5
# One rank of two reads a misspelt study and fails alone, while the other waits for it in a collective call: the job must end.
expect 2 'error on rank 1.*seeed' timeout 60 "$mpiexec" -n 1 "$amacrine" simulate "$study" study.output=n8 : -n 1 "$amacrine" simulate "$study" study.output=n8 simulation.seeed=1
[[ ! -e n8/recording.h5 ]] || fail "a job in which one rank failed has left a recording"

echo "locks"
other=("$amacrine" reduce "$study" study.output=n1 --overwrite reduction.keep_share=0.77)
echo '{"id": "far-1", "run": "far", "verb": "train", "study": "theirs.toml", "host": "elsewhere", "boot": "b", "pid": "1", "since": "then"}' >n1/reduction_network.h5.lock
expect 0 'used again' "$amacrine" reduce "$study" study.output=n1
expect 4 'made by another run: amacrine train (theirs.toml) on host elsewhere' "${other[@]}"
expect 4 'elsewhere' "${other[@]}" --dry-run
expect 4 'cannot be proved from here' "${other[@]}" --takeover
rm n1/reduction_network.h5.lock
touch file
expect 4 'file/out: the folder cannot be made' "$amacrine" simulate "$study" study.output=file/out
expect 2 'normalisation is per_pixel' "$amacrine" evaluate "$study" study.output=n1 --overwrite recording.normalisation=per_pixel
[[ -z $(find n1 n2 n3 n4 t1 -name '*.lock*' -o -name '*.partial') ]] || fail "runs that ended have left locks or partial files"

echo "dry runs refuse what the run would refuse, and write nothing"
inventory() { find n1 -type f -exec sha256sum {} + | sort; }
before=$(inventory)
for change in simulate:simulation.seed=9 train:training.l2=0.01 evaluate:evaluation.bootstrap_samples=21 probe:probe.trials=6 \
  attribute:attribution.panels=7 reduce:reduction.keep_share=0.77 lesion:lesions.windows=7 fit:pathways.candidates=3; do
  dry=("$amacrine" "${change%%:*}" "$study" study.output=n1 --dry-run)
  expect 0 'used again' "${dry[@]}"
  expect 4 'overwrite' "${dry[@]}" "${change#*:}"
  expect 0 'will be replaced' "${dry[@]}" "${change#*:}" --overwrite
done
expect 3 'same cells' "$amacrine" evaluate "$study" study.output=n1 --dry-run --overwrite 'recording.cells=[1]'
mv n1/model.h5 n1/ln.h5 .
expect 4 'belongs to another training' "$amacrine" train "$study" study.output=n1 --dry-run training.l2=0.01
expect 0 'into n1/model.h5' "$amacrine" train "$study" study.output=n1 --dry-run
mv model.h5 ln.h5 n1
[[ $(inventory) == "$before" ]] || fail "--dry-run changed the results"

# A day of frames is planned in seconds; unit by unit it is refused with its size, and two billion frames for want of space.
"$python" -c 'import h5py; h5py.File("day.h5", "w").create_dataset("stimulus", (8640000, 50, 50), "u1", chunks=(100, 50, 50))'
day=(--dry-run study.output=n1 attribution.source=file attribution.movie_file=day.h5 'attribution.subjects=["network"]')
expect 0 '8639961 windows' timeout 60 "$amacrine" attribute "$study" "${day[@]}" attribution.levels=channel
expect 4 'levels = "channel"' timeout 60 "$amacrine" attribute "$study" "${day[@]}" attribution.levels=unit
"$python" -c 'import h5py; h5py.File("age.h5", "w").create_dataset("stimulus", (2000000000, 50, 50), "u1", chunks=(100, 50, 50))'
expect 4 'needs 1.6 PB .* free' timeout 60 "$amacrine" attribute "$study" "${day[@]}" attribution.movie_file=age.h5 attribution.levels=pixel \
  attribution.largest_file_gb=1e9

if both=$("$root/jobs/python.sh" netCDF4 h5netcdf); then
  "$both" "$root/tests/checks/read_results.py" n1
  mkdir undescribed && cp n1/reduction_network.h5 undescribed
  "$both" -c 'import h5py; del h5py.File("undescribed/reduction_network.h5", "r+")["joint/weight"].attrs["units"]'
  expect 1 'joint/weight has no units' "$both" "$root/tests/checks/read_results.py" undescribed
else
  skipped="SKIPPED: no Python here has both netCDF4 and h5netcdf; whether the results open in xarray was not checked (all else passed)"
fi
PYTHONDONTWRITEBYTECODE=1 "$python" "$root/analysis/report.py" n1
PYTHONDONTWRITEBYTECODE=1 "$python" "$root/analysis/compare.py" n1 n2 | grep -q '^| n2 |' || fail "compare.py does not tell two studies apart"
[[ -s n1/report.html ]] || fail "no report.html"
# Mechanism files, which the report wrote too, are strict JSON: no NaN.
"$python" -c 'import glob, json, sys
files = glob.glob("n1/mechanisms/*.json")
sys.exit(not files or any(json.load(open(f), parse_constant=lambda c: 1 / 0)["kind"] != "mechanism" for f in files))' || fail "mechanism files are not strict JSON"
[[ -z ${skipped:-} ]] || { echo "$skipped"; exit 77; }
