#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Draws the report of a folder of results with a Python that can; what `amacrine report` runs. The last line is the page's path.
# Usage: report.sh RESULTS_FOLDER [--models PATTERN]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=$("$root/jobs/python.sh")
"$python" "$root/analysis/report.py" "$@"
page=report.html
[[ ${2:-} != --models ]] || page=models.html
echo "report: $(cd "$1" && pwd)/$page"
