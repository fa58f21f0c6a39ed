#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The report's figures and words on made-up results.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$("$here/../../jobs/python.sh")
exec "$python" "$here/report_test.py"
