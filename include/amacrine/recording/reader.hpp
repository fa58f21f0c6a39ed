// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "amacrine/recording/settings.hpp"
#include "amacrine/recording/source.hpp"

#include <string>
#include <vector>

/// Reader of the lab's ganglion-cell files: train/ and test/ with time (T), stimulus (T, Y, X), response/binned and
/// response/firing_rate_* (cells, T); repeats of the test part as test/repeats/cellNN (repeats, T) or test/repeats/firing_rate_*
/// (repeats, cells, T). See docs/results/recording.md.
namespace amacrine::recording {

enum class Load { train, test, both };

/// Reads a recording, cells selected in the order asked for. Local, every rank reading for itself; collective where `ranks` are
/// given: one rank of a node then reads the training movie into memory that the node's ranks share. Parts that are not loaded
/// stay empty, except the facts that need them: contrast coding of lab files and silent cells come from the training part,
/// streamed. The test part's responses are checked even where only the training part is loaded. Receptive-field centres are the
/// given ones or the file's; fitted ones are left empty (see fit_centres). Throws InputError with file, dataset, what was
/// expected and what to do: missing datasets, wrong shapes, NaN, responses that are not what their name says, cells out of range,
/// blocks that do not fit, files cut short.
Recording load_recording(const std::string& path, const RecordingSettings& settings, Load load = Load::both,
                         const parallel::Communicator* ranks = nullptr);

/// What determines a training on the recording at `path`: its training part and the file's attributes. Collective. A mended test
/// part changes nothing in it.
io::Input training_input(const parallel::Communicator& communicator, const std::string& path, const RecordingSettings& settings);
/// The recording as an input of a step, by the bytes of its file, or of its files where the format has several. Collective.
io::Input recording_input(const parallel::Communicator& communicator, const std::string& role, const std::string& path,
                          const RecordingSettings& settings);
/// The role of that input.
constexpr const char* training_part = "training part of the recording";
/// Bytes that load_recording takes on this rank for movies and responses. Collective where `ranks` are given: of a training movie
/// that the ranks of a node share, the first of them counts all.
double loaded_bytes(const std::string& path, const RecordingSettings& settings, Load load,
                    const parallel::Communicator* ranks = nullptr);
/// One line about a recording for people: frame interval, how long a model's windows of `history` frames last, and duration, mean
/// and largest rate of each cell of the parts that are loaded.
std::string description(const Recording& recording, int history);
/// Logs that line and warns where the interval, the windows' length or the rates are not those of a retina.
void describe_and_check(const Recording& recording, int history);

/// Frame interval in ms by the file's attribute frame_ms or its train/time (in its attribute `units`, s or ms, else s), 0 where
/// the file does not say. `asked_ms` (0: none) is the interval the study names; an axis without a unit may count in ms that agree
/// with it. Throws InputError naming the values: an interval that is not above 0, an axis that does not ascend or is irregular,
/// units that are not understood, or an attribute and an axis that contradict each other by more than 1 %.
double frame_ms_of_file(const Source& reader, double asked_ms = 0);

/// Mean and sd of contrast, for all pixels together ("scalar"), per pixel ("per_pixel"), or 0 and 1 ("none"): one pass in double.
/// Pixels (or movies) that never change get scale 1.
Normalisation fit_normalisation(const StoredMovie& movie, const ContrastCoding& coding, const std::string& kind);
/// The normalisation of the test movie: `train` itself, or the test movie's own statistics where the settings say "own".
Normalisation test_normalisation(const Recording& recording, const RecordingSettings& settings, const Normalisation& train);

/// Refuses (InputError) a recording that does not fit a model: frame interval, height, width, cells, or a part shorter than
/// `history` + minimum_lag frames.
struct ModelShape {
  int history = 40, height = 50, width = 50;
  double frame_ms = 10.0;
  int minimum_lag = 0;
};
void check_fits(const Recording& recording, const ModelShape& shape);

}  // namespace amacrine::recording
