#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Benchmarks (docs/benchmarks.md).
#   tests/benchmark/run.sh training [--rounds R] [--segments G] [--windows B] [--spacing D]   training steps against PyTorch, and kernels against rooflines
#   tests/benchmark/run.sh together [ROUNDS [STEPS]]           several models at once on one movie
#   tests/benchmark/run.sh prediction [ROUNDS]                 rates of a resident movie
#   tests/benchmark/run.sh determinism [ROUNDS]                what the same bits everywhere cost a training step
#   tests/benchmark/run.sh attribution [--cases LIST] [--rounds R] [--seconds S]   attributions against captum, the lab's loop, and it tuned
#   tests/benchmark/run.sh certificate MODEL RECORDING [TOLERANCE [WINDOWS [LEVEL]]]   what the error estimate of attributions is worth
#   tests/benchmark/run.sh sampling [--windows W ...] [--lengths L ...] [--spacings D ...] [--seeds S ...]   scores of segments against shuffled windows
#   tests/benchmark/run.sh sampling-torch [--windows W ...] [--lengths L ...] [--seeds S ...]   the same in PyTorch, on a small network
#   tests/benchmark/run.sh curves FILE.svg                     error of the rules against their panels, as text and figure
#   tests/benchmark/run.sh kernels                             the direct convolution kernels alone
#   tests/benchmark/run.sh ranks [--rounds R] [--sizes N ...]  how much faster training, attribution and sweeps are on more ranks, and what they write and keep
#   tests/benchmark/run.sh sessions [--sessions N] [--minutes M ...] [--windows W] [--alone-windows A]   scores of one model of several recordings beside one model of each
#   tests/benchmark/run.sh scaling [--part-ms MS --serial-ms MS] [--link NAME=US,GB_PER_S] [--norm NORM]   a model of training on 1 to 1,024 ranks; what it measures, on one
#   tests/benchmark/run.sh checkpoint [ROUNDS]                 what a checkpoint of a training costs
#   tests/benchmark/run.sh pathways [ROUNDS [PATHWAYS]]       what a start of `amacrine fit` costs on 40 minutes
#   tests/benchmark/run.sh dealing [TASKS [SECONDS [VARIATION [UNKNOWN [LATENCY_US [HANDLING_US]]]]]]   what dealing a task costs, and how busy up to 10,000 simulated ranks are
# PyTorch gets an environment of its own under .deps/torch; AMACRINE_TORCH_PYTHON names the python of one that is there already.
# AMACRINE_BENCHMARK_BUILD is the build folder (default: build/benchmark). AMACRINE_BENCHMARK_PRESET=cuda measures on a GPU, PyTorch likewise. AMACRINE_BENCHMARK_MODEL is a folder with the model.h5 and
# recording.h5 of a study that is there already; without it tests/benchmark/seventeen-cells.toml is simulated and trained.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
preset=${AMACRINE_BENCHMARK_PRESET:-openmp}
build=${AMACRINE_BENCHMARK_BUILD:-$root/build/benchmark}
[[ $preset == openmp || -n ${AMACRINE_BENCHMARK_BUILD:-} ]] || build=$build-$preset
torch_version=2.15.0
captum_version=0.9.0

usage() { sed -n '3,22s/^# //p' "$0"; exit 2; }

torch_python() {
  if [[ -n ${AMACRINE_TORCH_PYTHON:-} ]]; then echo "$AMACRINE_TORCH_PYTHON"; return; fi
  local home=$root/.deps/torch
  if [[ ! -f $home/.complete ]]; then
    echo "installing PyTorch into $home" >&2
    python3 -m venv "$home"
    "$home/bin/pip" install -q "torch==$torch_version" "captum==$captum_version" numpy h5py >&2
    touch "$home/.complete"
  fi
  echo "$home/bin/python"
}

model_folder() {
  if [[ -n ${AMACRINE_BENCHMARK_MODEL:-} ]]; then echo "$AMACRINE_BENCHMARK_MODEL"; return; fi
  local study=$root/tests/benchmark/seventeen-cells.toml folder=$build/seventeen-cells
  cmake --build "$build" --target amacrine >&2
  for verb in simulate train; do "$build/amacrine" "$verb" "$study" "study.output=$folder" >&2; done
  echo "$folder"
}

build_program() {
  "$root/jobs/bootstrap.sh" "$preset" >&2
  local launcher=()
  if command -v ccache >/dev/null; then launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache); fi
  (cd "$root" && cmake --preset "$preset" -B "$build" -DAMACRINE_ENABLE_BENCHMARKS=ON -DAMACRINE_ENABLE_TESTS=OFF "${launcher[@]}" >/dev/null)
  cmake --build "$build" --target "$1" >&2
}

export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$(nproc)} OMP_PROC_BIND=${OMP_PROC_BIND:-false}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 PYTHONDONTWRITEBYTECODE=1 HDF5_USE_FILE_LOCKING=${HDF5_USE_FILE_LOCKING:-FALSE}
what=${1:-}
case $what in training|together|prediction|determinism|attribution|certificate|sampling|sampling-torch|curves|kernels|dealing|ranks|scaling|sessions|pathways|checkpoint) ;; *) usage ;; esac
shift
if [[ $what == sampling ]]; then
  build_program amacrine
  exec "$("$root/jobs/python.sh")" "$root/tests/benchmark/sampling.py" --program "$build/amacrine" --folder "$build/sampling" "$@"
fi
if [[ $what == ranks ]]; then
  build_program amacrine
  build_program amacrine_benchmark_dealing
  "$("$root/jobs/python.sh")" "$root/tests/benchmark/ranks.py" --program "$build/amacrine" --folder "$build/ranks" "$@"
  OMP_NUM_THREADS=1 exec mpirun --oversubscribe --bind-to none -n 2 "$build/tests/benchmark/amacrine_benchmark_dealing"
fi
if [[ $what == sessions ]]; then
  build_program amacrine
  exec "$("$root/jobs/python.sh")" "$root/tests/benchmark/sessions.py" --program "$build/amacrine" --folder "$build/sessions" "$@"
fi
if [[ $what == scaling ]]; then
  measuring=()
  if [[ " $*" != *" --part-ms"* ]]; then
    build_program amacrine
    measuring=(--program "$build/amacrine" --folder "$build/scaling")
  fi
  exec "$("$root/jobs/python.sh")" "$root/tests/benchmark/scaling.py" "${measuring[@]}" "$@"
fi
if [[ $what == sampling-torch ]]; then
  build_program amacrine
  python=$(torch_python)
  exec "$python" "$root/tests/benchmark/sampling_torch.py" --program "$build/amacrine" --folder "$build/sampling-torch" "$@"
fi
program=$what
[[ $what == curves ]] && program=attribution
build_program "amacrine_benchmark_$program"
case $what in
  training)
    python=$(torch_python)
    device=cpu
    [[ $preset == cuda ]] && device=cuda
    exec "$python" "$root/tests/benchmark/training.py" --program "$build/tests/benchmark/amacrine_benchmark_training" --device "$device" "$@" ;;
  together|prediction|determinism|certificate|kernels|pathways) exec "$build/tests/benchmark/amacrine_benchmark_$what" "$@" ;;
  checkpoint) exec "$build/tests/benchmark/amacrine_benchmark_checkpoint" "$build" "$@" ;;
  dealing) OMP_NUM_THREADS=1 exec mpirun --oversubscribe --bind-to none -n 2 "$build/tests/benchmark/amacrine_benchmark_dealing" "$@" ;;
  attribution)
    python=$(torch_python)
    models=$(model_folder)
    exec "$python" "$root/tests/benchmark/attribution.py" --program "$build/tests/benchmark/amacrine_benchmark_attribution" \
      --model "$models/model.h5" --recording "$models/recording.h5" "$@" ;;
  curves)
    python=$(torch_python)
    models=$(model_folder)
    "$python" "$root/tests/benchmark/attribution_curves.py" --program "$build/tests/benchmark/amacrine_benchmark_attribution" \
      --model "$models/model.h5" --recording "$models/recording.h5" | tee "$build/curves.txt"
    "$("$root/jobs/python.sh")" "$root/tests/benchmark/draw_curves.py" "$build/curves.txt" "${1:-$build/curves.svg}" ;;
esac
