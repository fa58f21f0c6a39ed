# SPDX-License-Identifier: Apache-2.0
# For the scripts beside this one, whose first argument is the program: an empty folder to work in, and ways to say what is expected.
amacrine=$1
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$("$here/../../jobs/python.sh")
"$python" -c 'import h5py, numpy' 2>/dev/null || { echo "SKIPPED: h5py is not installed for $python"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export OMP_NUM_THREADS=2
cp "$here/study.toml" .
passed=0
fail() { cat log; echo "FAILED: $*"; exit 1; }

# says CODE WORDS VERB [ARGUMENT...]: the exit code, and a pattern of what is said; "-" for no warning at all.
says() {
  local code=$1 words=$2 verb=$3 got=0; shift 3
  "$amacrine" "$verb" study.toml "$@" >log 2>&1 || got=$?
  ((got == code)) || fail "exit code $got instead of $code: $verb $*"
  if [[ $words == - ]]; then
    ! grep -E '^(warning|error)' log || fail "expected no warning: $verb $*"
  else
    grep -qE -- "$words" log || fail "nothing says '$words': $verb $*"
  fi
  passed=$((passed + 1))
}

# helps WORDS VERB [ARGUMENT...]: after an advice was taken the verb ends well, and does not give it again.
helps() {
  local words=$1 verb=$2 got=0; shift 2
  "$amacrine" "$verb" study.toml "$@" >log 2>&1 || got=$?
  ((got == 0)) || fail "advice does not help: $verb $*"
  ! grep -qE -- "$words" log || fail "after the advice is taken it is given again: $verb $*"
  passed=$((passed + 1))
}

# advice WORDS-OF-THE-MESSAGE CODE VERB "ARGUMENTS THAT FAIL" "WHAT IS SET"
advice() {
  local words=$1 code=$2 verb=$3 before after
  read -ra before <<<"$4"; read -ra after <<<"$5"
  says "$code" "$words" "$verb" "${before[@]}"
  helps "$words" "$verb" "${before[@]}" "${after[@]}"
}
