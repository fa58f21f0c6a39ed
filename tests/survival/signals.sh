#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signals and kills at many instants of every verb, on one rank and on two: what is left must be whole, the exit code 75, the status
# file must say so, and the same command must end in the values of a run that nobody disturbed.
# Usage: signals.sh [short|full], in an empty folder; see run.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../jobs/python.sh")
PYTHONDONTWRITEBYTECODE=1 "$python" "$here/signals.py" "$AMACRINE_PROGRAM" "$AMACRINE_MPIEXEC" "$here/../checks/small_study.toml" \
  "${1:-short}" "${AMACRINE_SURVIVAL_SEED:-1}"
