#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Pairs of jobs on one output: train, attribute or simulate, of the same study or of two, on one rank or two, with kill -9 at random.
# A pair passes where
#   each job ends with 0, 4 or by the kill; one that ends with 4 names the other job, or the other's finished file;
#   every file that a job says it wrote is that job's, and whole;
#   the same commands, given again, end in one study's files, with the values of a run that nobody disturbed, and nothing beside.
# Usage: pairs.sh short|full, in an empty folder; last line "pairs PASSED TRIED".
set -uo pipefail
length=$1
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=$("$root/jobs/python.sh")
RANDOM=$AMACRINE_SURVIVAL_SEED
pairs=9
[[ $length == full ]] && pairs=100
verbs=(train attribute simulate)
changes=("training.l2=0.02" "attribution.panels=7" "simulation.seed=9")
common=('attribution.subjects=["network"]' 'training.ln=true')

job() { # log, ranks, words of the command...; in the background, so that $! is the program or mpiexec
  local log=$1 ranks=$2; shift 2
  if ((ranks > 1)); then
    exec "$AMACRINE_MPIEXEC" -n "$ranks" --bind-to none "$AMACRINE_PROGRAM" "$@" "${common[@]}" >"$log" 2>&1
  fi
  exec "$AMACRINE_PROGRAM" "$@" "${common[@]}" >"$log" 2>&1
}

# References, and what each verb needs before it.
for verb in 0 1 2; do
  cp "$root/tests/checks/small_study.toml" "one.toml"
  "$python" "$here/pairs_check.py" change "$root/tests/checks/small_study.toml" "${changes[$verb]}" "two.${verbs[$verb]}.toml"
done
mkdir base
(job base.log 1 simulate one.toml study.output=base study.name=base) || { cat base.log; exit 1; }
cp -r base trained
(job base.log 1 train one.toml study.output=trained study.name=base) || { cat base.log; exit 1; }
for verb in "${verbs[@]}"; do
  for study in one two; do
    file=one.toml
    [[ $study == two ]] && file=two.$verb.toml
    case $verb in simulate) mkdir "ref.$verb.$study" ;; train) cp -r base "ref.$verb.$study" ;; attribute) cp -r trained "ref.$verb.$study" ;; esac
    (job base.log 1 "$verb" $file study.output="ref.$verb.$study" study.name=base) || { cat base.log; exit 1; }
  done
done

passed=0
for ((pair = 1; pair <= pairs; ++pair)); do
  verb=${verbs[pair % 3]}
  # Drawn here, not in $(...): a subshell draws numbers that no seed repeats.
  two=$((RANDOM % 2)) ranks=$((RANDOM % 4 == 0 ? 2 : 1)) delay=$((RANDOM % 500)) life=$((RANDOM % 700))
  victim=$((RANDOM % 4)) # 1: the first, 2: the second, 3: both, 0: neither
  second=one.toml
  ((two)) && second=two.$verb.toml
  out=out.$pair faults=""
  case $verb in simulate) mkdir "$out" ;; train) cp -r base "$out" ;; attribute) cp -r trained "$out" ;; esac
  cp one.toml "$out.a.toml" && cp "$second" "$out.b.toml"
  job "$out.a.log" "$ranks" "$verb" "$out.a.toml" study.output="$out" study.name="$out.a" & a=$!
  sleep "$(printf '0.%03d' $delay)"
  job "$out.b.log" "$ranks" "$verb" "$out.b.toml" study.output="$out" study.name="$out.b" & b=$!
  if ((victim > 0)); then
    sleep "$(printf '0.%03d' $life)"
    ((victim & 1)) && kill -9 "$a" 2>/dev/null
    ((victim & 2)) && kill -9 "$b" 2>/dev/null
  fi
  wait "$a" 2>/dev/null; code_a=$?
  wait "$b" 2>/dev/null; code_b=$?
  # Ranks whose mpiexec was killed need a moment to notice.
  for ((i = 0; ranks > 1 && i < 100; ++i)); do pgrep -f "study.name=$out\\.[ab]" >/dev/null || break; sleep 0.1; done
  faults+=$("$python" "$here/pairs_check.py" after "$verb" "$out" "$code_a" "$code_b")
  # The same commands again: whoever's study it is, is finished; the other is refused.
  job "$out.a.again" 1 "$verb" "$out.a.toml" study.output="$out" study.name="$out.a" & wait $!; again_a=$?
  job "$out.b.again" 1 "$verb" "$out.b.toml" study.output="$out" study.name="$out.b" & wait $!; again_b=$?
  faults+=$("$python" "$here/pairs_check.py" again "$verb" "$out" "$again_a" "$again_b" "$([[ $second == one.toml ]] && echo same || echo other)")
  how="pair $pair: $verb, $([[ $second == one.toml ]] && echo 'one study' || echo 'two studies'), $ranks rank(s), killed: $victim, codes $code_a $code_b then $again_a $again_b"
  if [[ -z $faults ]]; then
    passed=$((passed + 1))
    echo "$how"
  else
    echo "FAILED $how"; echo "$faults"
    tail -n 3 "$out".{a,b}.{log,again}
  fi
  rm -rf "$out" "$out".*
done
echo "pairs $passed $pairs"
