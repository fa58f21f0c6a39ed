// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/training/evaluation.hpp"
#include "drivers/inputs.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

#include <fmt/format.h>

namespace amacrine::drivers {

namespace {

/// A trained model to be scored, where it lies, and the model as read.
struct Candidate {
  std::string name, path;
  model::Model model;
};

/// model.h5 and, where it lies beside it, ln.h5.
std::vector<Candidate> candidates(const Context& context) {
  std::vector<Candidate> found{{"network", context.output("model.h5"), {}}};
  if (file_exists(context.world, context.output("ln.h5"))) found.push_back({"ln", context.output("ln.h5"), {}});
  return found;
}

/// The file records these settings, so they must be those that are used: the model's.
void check_settings(const recording::RecordingSettings& settings, const Candidate& candidate) {
  const auto check = [&](const char* key, const auto& asked, const auto& used) {
    core::require<core::StudyError>(asked == used,
                                    "recording.{} is {}, but {} was trained with {}, which is what an evaluation uses. Set it to "
                                    "that, or train again",
                                    key, asked, candidate.path, used);
  };
  check("normalisation", settings.normalisation, candidate.model.normalisation.kind);
  check("minimum_lag", settings.minimum_lag, candidate.model.minimum_lag);
}

/// Reads the models; each must fit the recording, whose test movie it will see in its normalisation or in the movie's own.
void read_models(const Context& context, const recording::Recording& recording, std::vector<Candidate>& models) {
  for (Candidate& candidate : models) {
    candidate.model = model::read_model(candidate.path);
    check_model_fits(candidate.model, candidate.path, recording);
    check_settings(context.settings.recording, candidate);
    candidate.model.normalisation =
        recording::test_normalisation(recording, context.settings.recording, candidate.model.normalisation);
  }
}

/// Rates of all cells over the whole test movie. Collective.
core::Array<float, 2> test_rates(const Context& context, const Candidate& candidate, const recording::Recording& recording) {
  const auto network = model::make_inference<float>(candidate.model);
  const std::size_t frames = recording.test.movie.frames();
  const double start = core::wall_seconds();
  auto rates = model::predict(context.world, network, recording.test.movie, recording.coding, 0, frames);
  warn_of_rates(candidate.name, recording.cells, rates);
  core::log("  {}: {} frames in {}", candidate.name, frames, core::human_seconds(core::wall_seconds() - start));
  return rates;
}

void describe(const Context& context, const std::vector<Candidate>& models, const recording::Recording& recording) {
  core::log("evaluate: {} cells over {} test frames, the first {} left out; {} bootstrap samples of {} frame blocks",
            recording.cells.size(), recording.test.movie.frames(), context.settings.evaluation.discard_frames,
            context.settings.evaluation.bootstrap_samples, context.settings.evaluation.bootstrap_block);
  for (const Candidate& candidate : models) {
    const model::Architecture& network = candidate.model.architecture;
    core::log("  {}: {} ({:.3g} multiply-adds in all)", candidate.name, model::describe(network),
              network.multiply_adds() * static_cast<double>(recording.test.movie.frames()));
  }
}

/// Bytes of the time series in the file: the models' rates, target and noiseless rates, and the repeats.
std::size_t series_bytes(const recording::Recording& recording, std::size_t models) {
  const std::size_t series = recording.cells.size() * recording.test.movie.frames() * sizeof(float);
  return (models + 2 + recording.test.repeats.extent(0)) * series;
}

}  // namespace

/// Scores the trained models against the recording's test part, beside the ceilings its repeats allow.
int evaluate(Context& context) {
  const Settings& settings = context.settings;
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  const std::string path = context.output("evaluation.h5");
  std::vector<Candidate> models = candidates(context);

  require_made(context, "recording", recording_file);
  require_made(context, "network", models[0].path);
  std::vector<io::Input> inputs{recording::recording_input(context.world, "recording", recording_file, settings.recording)};
  for (const Candidate& candidate : models) inputs.push_back(io::checked_input(context.world, candidate.name, candidate.path));
  const io::Provenance provenance = io::make_provenance(context.world, context.study, "evaluate", tables_of("evaluate"), inputs);
  const std::optional<io::OutputLock> lock = context.claim(path, provenance);
  if (!lock) return 0;

  parallel::require_memory(context.world, recording::loaded_bytes(recording_file, settings.recording, recording::Load::test),
                           recording_file, "use fewer ranks on a host, or another machine");
  const recording::Recording recording = recording::load_recording(recording_file, settings.recording, recording::Load::test);
  read_models(context, recording, models);
  require_unchanged(context.world, inputs, recording_file, settings.recording);
  recording::describe_and_check(recording, models[0].model.architecture.history);
  describe(context, models, recording);
  io::require_space(context.world, path, series_bytes(recording, models.size()));
  if (context.options.dry_run) return 0;

  std::vector<training::Prediction> predictions;
  predictions.reserve(models.size());
  for (const Candidate& candidate : models) predictions.push_back({candidate.name, test_rates(context, candidate, recording)});
  const training::Evaluation evaluation = training::evaluate_predictions(recording, predictions, settings.evaluation);
  training::write_evaluation(context.world, path, evaluation, provenance);
  core::log("{}evaluate: wrote {}", training::evaluation_table(evaluation), path);
  return 0;
}

}  // namespace amacrine::drivers
