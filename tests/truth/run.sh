#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether `amacrine fit` finds the mechanisms of simulated cells: for each seed it simulates the circuits, fits their spikes, and compares
# the pathways with the circuits. The fit reads spikes and receptive-field centres only.
#   tests/truth/run.sh [--seeds N] [--minutes M] [--together|--alone] [--folder F] [--program P] [CIRCUIT|FILE.toml ...]
#   tests/truth/run.sh compare FOLDER ...     folders with a recording.h5 and a pathways.h5 that are there already
# FILE.toml: the circuits of that file ([simulation.circuits.NAME], docs/circuits.md) beside those named, or instead of them.
# Defaults: 1 seed, 40 minutes, all circuits without a state in one recording. --alone makes a recording for each circuit. --folder keeps
# recordings and fits (0.7 GB a recording) and does not make again what is finished there, even if the program has changed since.
# A recording of eight cells takes about 20 minutes on two cores. AMACRINE_PROGRAM names the program too.
# Each unit of a circuit is matched with one pathway of its own, such that the sum of the |cosines| of their filters (lags x pixels) is
# largest; below 0.5 it counts as not found. Lines "truth CIRCUIT CLAIM HITS OF": in HITS of OF recordings
#   number    as many pathways were found as there are units
#   sign      every unit is found and has its sign, and no pathway without a unit has a larger spread than one with a unit
#   polarity  the same of its polarity
#   filter    every unit's filter has a cosine of at least 0.9 with the one found
#   place     every unit is found within 0.5 px
#   rate      Pearson r of the predicted with the noiseless rate of the test part, from frame 40 on, is at least 0.98
#   refused   two_layers only: r is below 0.98; pathways of one layer do not predict this cell as well as they predict the others
# A table of the figures follows. Weights and filters are in the units of pathways.h5: absolute values of the time course and of the
# profile each sum to 1. The exit status is 0 when everything ran, whatever was found.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
export AMACRINE_PROGRAM=${AMACRINE_PROGRAM:-$root/build/openmp/amacrine} PYTHONDONTWRITEBYTECODE=1
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)} OMP_PROC_BIND=${OMP_PROC_BIND:-false} HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
verb=run
[[ ${1:-} == compare ]] && { verb=compare; shift; }
exec "$("$root/jobs/python.sh")" "$root/tests/truth/truth.py" "$verb" "$@"
