// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/recording.hpp"
#include "drivers/verbs.hpp"

#include <string>
#include <vector>

namespace amacrine::drivers {

/// Collective. Throws InputError where a file that another verb makes is not there, naming the command to run first; `role` is
/// "recording", "network" or "ln".
void require_made(const Context& context, const std::string& role, const std::string& path);

/// Collective, once a recording was read: io::require_unchanged of the inputs and of the recording's other files.
void require_unchanged(const parallel::Communicator& world, std::vector<io::Input> inputs, const std::string& file,
                       const recording::RecordingSettings& settings);

/// Throws StudyError where the study's recording holds traces, to which nothing is fitted with a Poisson loss.
void require_spikes(const Context& context);

/// Collective. The training part of the study's recording, whose checksum is `input`'s, read and checked. Throws RefusedError
/// where it does not fit memory, InputError as recording::load_recording and describe_and_check do.
recording::Recording load_training_part(const Context& context, const std::string& file, const io::Input& input);

/// A model's cells with the centres the study gives (recording.centres = "given"), which hold whatever the model file says.
/// Throws InputError where there are not as many as cells.
void place_given(const Context& context, std::vector<recording::Cell>& cells);
/// `tables` with the keys of the centres where the study gives them.
std::vector<std::string> with_given_centres(const Context& context, std::vector<std::string> tables);

/// Warns of rates (N, T) Hz that no ganglion cell reaches, naming model, cell and the first of them; `one` is what the T are,
/// "frame" or "window".
void warn_of_rates(const std::string& model, const std::vector<recording::Cell>& cells, const core::Array<float, 2>& rates,
                   const std::string& one = "frame");

}  // namespace amacrine::drivers
