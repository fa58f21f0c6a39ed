// SPDX-License-Identifier: Apache-2.0
#include "drivers/inputs.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/source.hpp"
#include "drivers/subjects.hpp"

#include <algorithm>

namespace amacrine::drivers {

void require_made(const Context& context, const std::string& role, const std::string& path) {
  if (file_exists(context.world, path)) return;
  const bool given = role == "recording" && !context.settings.recording.file.empty();
  core::require<core::InputError>(!given,
                                  "{} is not there; recording.file is seen from the folder the program is started in, then from "
                                  "the study file's",
                                  path);
  core::fail<core::InputError>("{} is not there: run `amacrine {} {}` first{}", path, role == "recording" ? "simulate" : "train",
                               context.options.study_file,
                               role == "recording" ? ", or name your recording with recording.file" : "");
}

void require_unchanged(const parallel::Communicator& world, std::vector<io::Input> inputs, const std::string& file,
                       const recording::RecordingSettings& settings) {
  for (const std::string& other : recording::open_source(file, settings)->other_files())
    inputs.push_back({"recording", other, ""});
  io::require_unchanged(world, inputs);
}

void require_spikes(const Context& context) {
  core::require<core::StudyError>(
      context.settings.recording.target != "trace",
      "{}: recording.target = \"trace\": networks and pathways are fitted to spikes or rates, with a Poisson "
      "loss; `amacrine inspect {}` shows receptive fields of traces",
      context.study.where("recording.target"), context.options.study_file);
}

recording::Recording load_training_part(const Context& context, const std::string& file, const io::Input& input) {
  const Settings& settings = context.settings;
  require_spikes(context);
  parallel::require_memory(context.world,
                           recording::loaded_bytes(file, settings.recording, recording::Load::train, &context.world), file,
                           "use fewer ranks on a host, or another machine");
  recording::Recording recording = recording::load_recording(file, settings.recording, recording::Load::train, &context.world);
  require_unchanged(context.world, {input}, file, settings.recording);
  recording::describe_and_check(recording, settings.architecture.history);
  return recording;
}

void place_given(const Context& context, std::vector<recording::Cell>& cells) {
  const recording::RecordingSettings& given = context.settings.recording;
  if (given.centres != "given") return;
  core::require<core::InputError>(
      given.centre_y.size() == cells.size() && given.centre_x.size() == cells.size(),
      "recording.centre_y and recording.centre_x have {} and {} numbers, but the model has {} cells; give one for each",
      given.centre_y.size(), given.centre_x.size(), cells.size());
  for (std::size_t n = 0; n < cells.size(); ++n) {
    cells[n].centre = stimulus::Centre{given.centre_y[n], given.centre_x[n]};
    cells[n].centre_error_px = 0;
  }
}

std::vector<std::string> with_given_centres(const Context& context, std::vector<std::string> tables) {
  const bool named = std::find(tables.begin(), tables.end(), "recording") != tables.end();
  if (context.settings.recording.centres == "given" && !named)
    tables.insert(tables.end(), {"recording.centres", "recording.centre_y", "recording.centre_x"});
  return tables;
}

void warn_of_rates(const std::string& model, const std::vector<recording::Cell>& cells, const core::Array<float, 2>& rates,
                   const std::string& one) {
  constexpr float largest_hz = 1000;
  for (std::size_t n = 0; n < rates.extent(0); ++n) {
    const auto row = rates.row(n);
    const auto beyond = [](float rate) { return !(rate <= largest_hz); };
    const auto count = std::count_if(row.begin(), row.end(), beyond);
    if (count == 0) continue;
    const auto first = std::find_if(row.begin(), row.end(), beyond);
    core::warn(
        "{}: cell {} ({}) is predicted to fire at {:.4g} Hz in {} {} and beyond {:g} Hz in {} of {} {}s, which no "
        "ganglion cell does; are movie and model on one scale of contrast?",
        model, cells[n].id, cells[n].name, *first, one, first - row.begin(), largest_hz, count, row.size(), one);
  }
}

}  // namespace amacrine::drivers
