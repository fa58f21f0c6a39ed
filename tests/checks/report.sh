#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The reports' figures and words on made-up results, what the scaling model counts, and what the comparison of fits with circuits counts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../jobs/python.sh")
"$python" "$here/report_test.py"
"$python" "$here/fitted_test.py"
"$python" "$here/mechanism_test.py"
"$python" "$here/lesions_test.py"
"$python" "$here/farm_test.py"
"$python" "$here/scaling_test.py"
"$python" "$here/truth_test.py"
