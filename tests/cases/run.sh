#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Recordings and studies that are wrong in one way, and what the program says: the exit code, and words that name what is wrong.
# Usage: run.sh AMACRINE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
"$python" "$here/make_cases.py" .
# train CODE WORDS CASE [OVERRIDE...]: what a training says before it begins.
train() { says "$1" "$2" train --dry-run "recording.file=$3.h5" "${@:4}"; }

train 0 - whole
train 0 'frames of 10 ms, windows of 40 frames = 400 ms; train 2400 frames = 24 s, mean / largest rate \(Hz\): cell01' whole
# Time
train 3 '0\.01 ms .*in seconds' interval_in_seconds
train 0 'warning: .*60 ms is unusual.*in Hz, it is 16\.667 ms' interval_in_hertz
train 0 'warning: .*10 ms is assumed.*recording\.frame_ms' no_interval
train 3 "units 'us'" axis_in_microseconds
train 3 'train/time has 2399 entries, train/stimulus 2400' axis_one_short
# Signals
train 0 'warning: .*train/stimulus: .*frames 500 to 899' hole_in_the_movie
train 0 'warning: .*train/stimulus: .*frames 999 to 1298' frozen_projector
train 3 'test/stimulus: the last 250 of 600 frames \(from frame 350 on\) are 255' test_movie_cut_off
train 0 - grey_pause
train 0 'grey pauses: frames 1200 to 1399' grey_pause
train 0 'warning: .*frames 1000 to 2399' grey_to_the_end
train 0 'warning: .*test/stimulus from frame 0 on is shown in train/stimulus, too, in frames 900 to 1499' test_shown_in_training
train 3 'train/stimulus looks transposed' movie_transposed_alone
train 3 'train/response/binned .*looks transposed' responses_transposed_alone
train 3 'train/stimulus is packed: its attribute scale_factor is 0\.01' packed_movie
train 3 'train/response/binned has no value in 20 .*_FillValue' missing_responses
train 3 'contrast_zero and contrast_unit = 0 and 1' bytes_as_contrast
train 3 'contrast_zero, but not contrast_unit' zero_without_unit
train 3 'contrast_zero and contrast_unit are 127 and nan' unit_is_nan
train 0 'warning: .*cell 0 \(cell01\) .*frames 1300 to 2399' lost_cell
train 3 'firing_rate_10ms .*in spikes per bin' rates_per_bin_without_test_rates recording.target=firing_rate_10ms
train 0 'warning: .*train come too early \(cell 0 \(cell01\) rises at -[0-9]+ ms.*cell 1 \(cell02\)' responses_early
train 0 'warning: .*train come too late \(cell 1 \(cell02\) rises at 4[0-9][0-9] ms' responses_of_one_cell_late
train 0 'warning: .*repeat 3 of all cells .* comes about (29|30|31) frames .* after' trial_at_another_trigger
train 0 'warning: .*repeat 0 of cell 1 .* comes about (24|25|26) frames .* before' trial_of_one_cell_shifted
train 0 'brisk ON [0-9.]+ / .*slow, OFF' names_of_fixed_length
# Studies
says 3 'run `amacrine train study.toml` first' evaluate recording.file=whole.h5
says 3 'run `amacrine train study.toml` first' probe recording.file=whole.h5
says 3 'run `amacrine train study.toml` first' attribute recording.file=whole.h5
says 3 'run `amacrine attribute study.toml` first' reduce recording.file=whole.h5
says 3 'run `amacrine simulate study.toml` first' train
says 3 'recording.file is seen from' train recording.file=nowhere.h5
mkdir -p studies && cp study.toml studies/beside.toml && cp whole.h5 studies/near.h5
for argument in studies studies/; do
  ! "$amacrine" train "$argument" >log 2>&1 || fail "a folder is no study"
  grep -q 'is a folder' log || fail "a folder is not called one"
done
"$amacrine" train --dry-run studies/beside.toml recording.file=near.h5 >log 2>&1 || fail "a recording beside its study is not found"
HOME=$work "$amacrine" train --dry-run study.toml 'recording.file=~/whole.h5' >log 2>&1 || fail "~ is not the home folder"
train 0 - whole training.total_windows=1e3 training.epoch_windows=2.56e2
train 2 'must be a whole number' whole training.total_windows=1.5
train 0 "study 'case' \(study.toml\), results in out" whole

# What is known only when a model is there
says 0 'receptive field at .*standard error|no receptive field' train recording.file=whole.h5
for recording in seventy_two_hertz short_test empty_trials; do
  "$amacrine" train study.toml "recording.file=$recording.h5" "study.output=$recording" training.ln=false >log 2>&1 || fail "$recording"
done
says 0 'no intervals: 70 test frames' evaluate recording.file=short_test.h5 study.output=short_test
says 0 'cell01: 2 of 5 repeats are empty; without them its noise ceiling is' evaluate recording.file=empty_trials.h5 study.output=empty_trials
says 0 'a flash period of 80 ms is shown as 83.33 ms, 6 frames' probe recording.file=seventy_two_hertz.h5 study.output=seventy_two_hertz
"$python" - seventy_two_hertz/responses_network.h5 <<'P' || fail "the responses file does not hold the periods that were shown"
import h5py, numpy, sys
periods = numpy.sort(h5py.File(sys.argv[1])["osr_period"][:])
sys.exit(not numpy.allclose(periods, [k * 1000 / 72 for k in (4, 6, 7, 9, 10)]))
P
echo "$passed cases passed"
