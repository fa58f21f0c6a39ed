#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Applies the mutations of mutations.tsv one at a time and judges whether the tests notice: run.sh --help
set -euo pipefail
exec python3 -B "$(dirname "$0")/mutations.py" "$@"
