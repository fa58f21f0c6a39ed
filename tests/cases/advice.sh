#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a message tells a user to do is done, and must help. advice.tsv says which test does what; advice.py beside the other checks
# finds messages without one. Usage: advice.sh AMACRINE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
"$python" "$here/make_advice.py" .

# mended CODE WORDS CASE [OVERRIDE...]: the case says so, and every mended file of it is taken without.
mended() {
  local code=$1 words=$2 name=$3 file; shift 3
  says "$code" "$words" train --dry-run "recording.file=$name.h5" "$@"
  for file in "$name"_mended*.h5; do helps "$words" train --dry-run "recording.file=$file" "$@"; done
}
mended 3 "units 'us'.*expected 's' or 'ms'" axis_in_microseconds
mended 3 'train/time has 2399 entries.*Mend the axis' axis_one_short
mended 3 'expected numbers that ascend\. Mend the axis, or remove it' axis_that_goes_back
mended 3 'intervals of train/time are irregular.*Resample .*or remove train/time' axis_with_doubled_frames
mended 3 "give the dataset the attribute units = 'ms' or 's', or the file the attribute frame_ms" axis_without_unit
mended 3 'mend the one that is wrong' axis_against_attribute
mended 3 'is it in seconds\? Give it in ms' interval_in_seconds
mended 3 'train/stimulus looks transposed.*write .* again with h5py as array\.T' movie_transposed_alone
mended 3 'train/response/binned .*looks transposed' responses_transposed_alone
mended 3 'write the values themselves, without the attribute' packed_movie
mended 3 'Store both in the same values' scales_apart
mended 0 'store both in the same values' spreads_apart
mended 3 'Write the rest, or cut the movie and its responses there' test_movie_cut_off
mended 0 'stands still .*mend the file' hole_in_the_movie
mended 0 'If nothing was written there, mend the file' grey_to_the_end
mended 0 'Cut these frames \(and their responses\) from the training part' test_shown_in_training
mended 3 'Give the value of grey and the standard deviation of the pixels' bytes_as_contrast
mended 3 'give both .*or neither' zero_without_unit
mended 3 'expected a movie that changes\. Was it written' movie_that_was_not_written
mended 3 'they must agree' test_movie_of_other_frames model.height=20
mended 3 'Write them, or remove the attribute' missing_responses
mended 3 'Write them, or remove the attribute' zero_called_missing
mended 0 'if they are padding.*cut them from the file' empty_trials
mended 0 'shift it back or cut it from the file' trial_at_another_trigger
mended 0 'come too early .*Cut one of them at its start' responses_early
mended 0 'or cut these frames from the file' lost_cell
mended 0 'cells 0 \(cell01\) and 1 \(cell02\) have the same response in every bin of train' cells_copied
mended 0 'repeats 1 and 2 of cell 1 in test/repeats are equal.*or cut the copies' trials_copied
mended 3 'pixel_um is 5e-05.*write it in um; if it is not known, remove' pixels_in_metres
mended 0 'cells has 1 name\(s\).*give one name for each' one_name_for_two_cells
mended 3 'write rates in Hz' z_scored_responses
mended 3 'or mend the file' one_value_is_missing
mended 3 'or divide by the bin' counts_called_rates recording.target=firing_rate_10ms
mended 3 'test/response/firing_rate_10ms .*divide by 10 ms' test_rates_per_bin recording.target=firing_rate_10ms
mended 3 'train/response/firing_rate_10ms .*divide by 10 ms' rates_per_bin_without_test_rates recording.target=firing_rate_10ms
# The same, by the study.
of() { echo "--dry-run study.output=advised recording.file=$1.h5"; }
advice 'Use recording.target = "binned"' 3 train "$(of counts_called_rates) recording.target=firing_rate_10ms" 'recording.target=binned'
advice 'in Hz, set recording.target to a firing_rate_\*' 3 train "$(of rates_called_counts)" 'recording.target=firing_rate_10ms'
advice 'rates, set recording.target to a firing_rate_\*' 3 train "$(of smooth_rates_called_counts)" 'recording.target=firing_rate_10ms'
advice 'Leave the cell out with recording.cells' 3 train "$(of one_value_is_missing)" 'recording.cells=[0]'
advice 'Leave it out with recording.cells' 0 train "$(of lost_cell)" 'recording.cells=[1]'
advice 'Leave it out with recording.cells' 0 train "$(of cells_copied)" 'recording.cells=[0]'
advice 'Mend recording.cells or recording.target' 3 train "$(of first_cell_silent) recording.cells=[0]" 'recording.cells=[0,1]'
dry=$(of whole)
advice 'set model.height and model.width' 3 train "$dry model.height=30 model.width=30" 'model.height=24 model.width=24'
advice 'choose one with recording.target|Choose one with recording.target' 3 train "$dry recording.target=firing_rate_10ms" 'recording.target=binned'
advice 'mend recording.cells' 3 train "$dry recording.cells=[0,7]" 'recording.cells=[0,1]'
advice 'mend recording.blocks' 3 train "$dry recording.blocks=7" 'recording.blocks=6'
advice 'recording.skip_seconds = 30 leaves nothing' 3 train "$dry recording.skip_seconds=30" 'recording.skip_seconds=3'
advice 'Set recording.frame_ms' 0 train '--dry-run study.output=advised recording.file=no_interval.h5' 'recording.frame_ms=10'
advice 'leave the key out' 3 train "$dry recording.frame_ms=20" 'recording.frame_ms=10'
advice 'leave the key out' 3 train "$dry recording.pixel_um=20" 'recording.pixel_um=50'
advice 'recording.test_statistics = "own"' 3 train '--dry-run study.output=advised recording.file=scales_apart.h5' 'recording.test_statistics=own'
advice 'Set model.history = 7' 0 train '--dry-run study.output=advised recording.file=interval_in_hertz.h5' 'model.history=7'
advice 'shorter or fewer segments' 3 train "$dry training.segments=2000" 'training.segments=16'
advice 'raise recording.validation_fraction' 3 train "$dry training.early_stopping_patience=2 recording.validation_fraction=0.01" 'recording.validation_fraction=0.2'
advice 'or set training.early_stopping_patience = 0' 3 train "$dry training.ln=false training.early_stopping_patience=2 recording.validation_fraction=0.01" 'training.early_stopping_patience=0'
advice 'set training.running_statistics = false' 2 train "$dry training.running_statistics=true training.averaging=0.9" 'training.running_statistics=false'
advice 'or training.averaging = 0' 2 train "$dry training.running_statistics=true training.averaging=0.9" 'training.averaging=0'
advice 'raise training.segments or training.windows' 2 train "$dry training.segments=1 training.windows=1" 'training.windows=8'
advice 'one number per hidden layer in both' 2 train "$dry model.channels=[2]" 'model.kernels=[9]'
advice 'use 2 or more' 2 train "$dry reduction.held_out_every=1" 'reduction.held_out_every=2'
advice 'needs recording.centre_y and recording.centre_x' 2 train "$dry recording.centres=given" 'recording.centre_y=[8,16] recording.centre_x=[8,12]'
advice 'or training.engine = "direct"' 2 train "$dry training.ln=false model.history=300 training.spacing=8" 'training.engine=direct'
advice 'use training.spacing = 1' 2 train "$dry training.ln=false model.history=300 training.spacing=8" 'training.spacing=1'
wide="$(of wide_screen) model.width=70 training.ln=false"
advice 'use "auto" or "direct"' 2 train "$wide training.engine=spectral" 'training.engine=auto'
advice 'use "auto" or "direct"' 2 train "$wide training.engine=spectral" 'training.engine=direct'
advice 'record longer or use a shorter history' 3 train "$(of brief) training.ln=false model.history=700" 'model.history=40'
advice 'record longer, or set training.ln = false' 3 train "$dry recording.validation_fraction=0.01" 'training.ln=false'
advice 'or crop the movie' 3 train "$(of whole) model.height=20" 'recording.file=test_movie_of_other_frames_mended.h5'
read -ra start <<<"$dry"
says 2 "did you mean 'training.learning_rate'" train "${start[@]}" training.learing_rate=1e-3
helps 'did you mean' train "${start[@]}" training.learning_rate=1e-3
advice 'did you mean "binned"' 2 train "$dry recording.target=bined" 'recording.target=binned'
advice 'attribution.subjects is empty; name' 2 train "$dry attribution.subjects=[]" 'attribution.subjects=["network"]'
advice 'attribution.stimuli is empty; name' 2 train "$dry attribution.stimuli=[]" 'attribution.stimuli=["osr"]'
advice 'leave from_s, to_s and every out' 2 train "$dry attribution.source=recording attribution.times_s=[1] attribution.every=2" 'attribution.every=1'
advice 'probe.families is empty; choose among' 2 train "$dry probe.families=[]" 'probe.families=["osr"]'
advice "holds 'ors'; choose among" 2 train "$dry probe.families=[\"ors\"]" 'probe.families=["osr"]'
# With a model, made as the messages say.
run() { "$amacrine" "$@" >log 2>&1 || fail "$*"; }
says 3 'or name your recording with recording.file' train
helps 'is not there' train --dry-run recording.file=whole.h5
says 3 'run `amacrine train study.toml` first' evaluate recording.file=whole.h5
run train study.toml recording.file=whole.h5
helps 'is not there' evaluate recording.file=whole.h5
advice 'evaluation.discard_frames = 600 leaves too few' 3 evaluate '--overwrite recording.file=whole.h5 evaluation.discard_frames=600' 'evaluation.discard_frames=20'
advice 'attribution.movie_zero and attribution.movie_unit = 0 and 1' 3 attribute '--dry-run recording.file=whole.h5 attribution.subjects=["network"] attribution.source=file attribution.movie_file=whole.h5 attribution.movie_dataset=test/stimulus attribution.levels=unit' 'attribution.movie_zero=127 attribution.movie_unit=60'
advice 'Set it to that, or train again' 2 evaluate '--overwrite recording.file=whole.h5 recording.normalisation=per_pixel' 'recording.normalisation=scalar'
advice 'set recording.cells to the cells the model was trained on' 3 evaluate '--overwrite recording.file=whole.h5 recording.cells=[1,0]' 'recording.cells=[0,1]'
advice 'give one for each' 3 probe '--dry-run recording.file=whole.h5 probe.subjects=["network"] recording.centres=given recording.centre_y=[9] recording.centre_x=[9]' 'recording.centre_y=[9,9] recording.centre_x=[9,9]'
advice 'resample the recording or train another model' 3 evaluate '--overwrite recording.file=seventy_two_hertz.h5' 'recording.file=whole.h5'
network='--dry-run recording.file=whole.h5 attribution.subjects=["network"] attribution.after_ms=20 attribution.levels=unit'
advice 'nearest: "osr' 2 attribute "$network attribution.stimuli=[\"osrr\"]" 'attribution.stimuli=["osr"]'
advice 'or allow a larger file' 4 attribute "$network attribution.stimuli=[\"osr\"] attribution.largest_file_gb=1e-6" 'attribution.largest_file_gb=10'
advice 'ask for subjects = \["network"\]' 2 attribute "$network attribution.subjects=[\"circuit\"] attribution.levels=unit2" 'attribution.subjects=["network"]'
says 4 'Give --overwrite to replace it, or another study\.output' train recording.file=whole.h5 training.l2=0.5
helps 'overwrite' train --dry-run recording.file=whole.h5 training.l2=0.5 --overwrite
helps 'overwrite' train --dry-run recording.file=whole.h5 training.l2=0.5 study.output=elsewhere
says 3 'no attributions to reduce in out: run `amacrine attribute study.toml` first' reduce recording.file=whole.h5
read -ra rows <<<'recording.file=whole.h5 recording.centres=given recording.centre_y=[9,9] recording.centre_x=[9,9] attribution.subjects=["network"] attribution.after_ms=20 attribution.stimuli=["osr"]'
run attribute study.toml "${rows[@]}"
helps 'no attributions' reduce --dry-run "${rows[@]}"
run reduce study.toml "${rows[@]}"
rows+=(study.output=retrained)
run train study.toml "${rows[@]}" training.model_seed=7
cp out/reduction_network.h5 retrained
says 3 'a reduction of another model; run `amacrine attribute` and `amacrine reduce` again, or remove it' lesion --dry-run "${rows[@]}"
mv retrained/reduction_network.h5 stale.h5
helps 'another model' lesion --dry-run "${rows[@]}"
run attribute study.toml "${rows[@]}"
run reduce study.toml "${rows[@]}"
helps 'another model' lesion --dry-run "${rows[@]}"
# Too little memory, by a limit on the address space that the program by itself is far from.
# limited WORDS VERB "ARGUMENTS THAT ASK FOR TOO MUCH" "WHAT IS SET"
limited() {
  local words=$1 verb=$2 before after got=0 limit=1200000
  read -ra before <<<"$3"; read -ra after <<<"$4"
  (ulimit -c 0 -v $limit; "$amacrine" "$verb" study.toml --dry-run "${before[@]}") >log 2>&1 || got=$?
  ((got == 4)) || fail "exit code $got instead of 4: $verb $3"
  grep -qE -- "$words" log || fail "nothing says '$words': $verb $3"
  (ulimit -c 0 -v $limit; "$amacrine" "$verb" study.toml --dry-run "${before[@]}" "${after[@]}") >log 2>&1 || fail "advice does not help: $verb $4"
  ! grep -qE -- "$words" log || fail "after the advice is taken it is given again: $verb $4"
  passed=$((passed + 2))
}
training='study.output=advised recording.file=whole.h5 training.ln=false'
limited 'lower training\.segments or training\.windows' train "$training model.channels=[256,256] training.segments=128" 'training.segments=1'
limited 'lower training\.segments or training\.windows' train "$training model.channels=[128,16] training.segments=64 training.windows=32" 'training.windows=1'
limited 'lower attribution\.block_windows' attribute 'recording.file=whole.h5 attribution.subjects=["network"] attribution.source=file attribution.movie_file=whole.h5 attribution.movie_dataset=train/stimulus attribution.movie_zero=127 attribution.movie_unit=60 attribution.levels=pixel attribution.block_windows=4096' 'attribution.block_windows=2'
limited 'probe fewer families or sets' probe "--overwrite recording.file=whole.h5 probe.subjects=[\"network\"] recording.centres=given recording.centre_y=[9,9] recording.centre_x=[9,9] probe.families=[\"osr\",\"latency\"] probe.osr_flashes=1000 probe.osr_periods_ms=[$(seq -s, 9900 9980)]" 'probe.families=["latency"]'
# Files that came to harm: copied again, or made again.
cp out/model.h5 kept.h5
"$python" -c 'f = open("out/model.h5", "r+b"); f.seek(5000); b = f.read(1); f.seek(5000); f.write(bytes([b[0] ^ 1]))'
says 3 'is damaged.*copy it again, or make it again \(the verb that made it with --overwrite\)' evaluate recording.file=whole.h5
run train study.toml recording.file=whole.h5 --overwrite
helps 'damaged' evaluate recording.file=whole.h5 --overwrite
cp whole.h5 out/model.h5
says 3 'give a model\.h5 that amacrine train wrote' evaluate --overwrite recording.file=whole.h5
head -c 9000 kept.h5 >out/model.h5
says 3 'copy or make it again|copy it again, or make it again' evaluate --overwrite recording.file=whole.h5
cp kept.h5 out/model.h5
helps 'damaged' evaluate recording.file=whole.h5 --overwrite
for checkpoint in out/train.checkpoint out/train.checkpoint.previous; do
  [[ ! -e $checkpoint ]] || printf 'x' | dd of="$checkpoint" bs=1 seek=300 conv=notrunc 2>/dev/null
done
rm out/model.h5
says 3 'Training cannot go on from there.*start anew with --overwrite' train recording.file=whole.h5
run train study.toml recording.file=whole.h5 --overwrite
run simulate study.toml simulation.train_minutes=0.2 simulation.test_seconds=2 study.output=changed
"$python" -c 'import h5py; h5py.File("changed/recording.h5", "r+")["train/response/binned"][0, 5] += 1'
read -ra start <<<'--dry-run study.output=advised recording.file=changed/recording.h5 model.height=50 model.width=50'
says 3 "once its root attribute 'format' is deleted" train "${start[@]}"
"$python" -c 'import h5py; del h5py.File("changed/recording.h5", "r+").attrs["format"]'
helps damaged train "${start[@]}"
mv out/model.h5 out/model.h5.partial
! "$amacrine" inspect out/model.h5 >log 2>&1 || fail "a partial file is inspected as whole"
grep -q 'left by a run that stopped early: run that step again' log || fail "out/model.h5.partial is not named"
run train study.toml recording.file=whole.h5
run inspect out/model.h5
"$python" - <<'P'
import h5py, shutil
with h5py.File("whole.h5") as whole, h5py.File("movie.h5", "w") as movie:
    movie["train"] = whole["train/stimulus"][()]
shutil.copy("whole.h5", "virtual.h5")
with h5py.File("virtual.h5", "r+") as f:
    layout = h5py.VirtualLayout(f["train/stimulus"].shape, "u1")
    layout[:] = h5py.VirtualSource("movie.h5", "train", f["train/stimulus"].shape)
    del f["train/stimulus"]
    f.create_virtual_dataset("train/stimulus", layout)
with h5py.File("marked.h5", "w", libver="latest") as f:
    with h5py.File("whole.h5") as whole:
        for name in whole:
            whole.copy(name, f)
        f.attrs.update(whole.attrs)
    f.swmr_mode = True
    f.flush()
    shutil.copy("marked.h5", "crashed.h5")
P
mv movie.h5 elsewhere.h5
says 3 "takes values from the file 'movie.h5', which is not there; copy it beside" train --dry-run study.output=advised recording.file=virtual.h5
cp elsewhere.h5 movie.h5
helps 'is not there' train --dry-run study.output=advised recording.file=virtual.h5
says 3 'h5clear --status crashed.h5' train --dry-run study.output=advised recording.file=crashed.h5
if command -v h5clear >/dev/null; then
  h5clear --status crashed.h5
  helps 'in use' train --dry-run study.output=advised recording.file=crashed.h5
fi
if command -v mpirun >/dev/null; then
  ! mpirun -n 2 "$amacrine" train --dry-run study.toml study.output=advised recording.file=whole.h5 training.segments=1 >log 2>&1 ||
    fail "two ranks share one segment"
  grep -q 'use at most 1 ranks' log || fail "ranks for one segment"
  helps 'use at most' train --dry-run study.output=advised recording.file=whole.h5 training.segments=1
fi
# Outputs that cannot be made.
echo '{"id": "cut sho' >out/model.h5.lock
says 4 'remove that file and start again' train --overwrite recording.file=whole.h5 training.l2=0.01
rm out/model.h5.lock
helps 'remove that file' train --overwrite recording.file=whole.h5 training.l2=0.01
says 4 'or give another study\.output' train recording.file=whole.h5 study.output=/proc
helps 'another study' train --dry-run recording.file=whole.h5 study.output=advised
# Studies.
printf '"training.l2" = 0.01\n' | cat - study.toml >dotted.toml
! "$amacrine" train --dry-run dotted.toml recording.file=whole.h5 >log 2>&1 || fail "a key with a dot is read"
grep -q 'holds a dot; use a table instead' log || fail "a key with a dot"
sed 's/^\[training\]/&\nl2 = 0.01/' study.toml >dotted.toml
run train --dry-run dotted.toml recording.file=whole.h5 study.output=advised
passed=$((passed + 2))
# A verb that is misspelt.
! "$amacrine" trian study.toml >log 2>&1 || fail "trian is no verb"
grep -q "did you mean 'train'" log || fail "trian: no verb is suggested"
passed=$((passed + 1))
echo "$passed pieces of advice help"
