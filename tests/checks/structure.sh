#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The figures of the source tree, "structure NAME VALUE" a line, against the limits at the top of structure.py.
# First the check itself: every limit must fail on a tree that breaks it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python3 -B "$here/structure_test.py"
exec python3 -B "$here/structure.py" "$@"
