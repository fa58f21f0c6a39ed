// SPDX-License-Identifier: Apache-2.0
#include "drivers/settings.hpp"

#include "amacrine/core/paths.hpp"

namespace amacrine::drivers {

Settings read_settings(core::Study& study) {
  Settings settings;
  settings.name = study.get<std::string>("study.name", "study");
  settings.output = core::expand_home(study.get<std::string>("study.output", "results/" + settings.name));
  settings.simulation = recording::read_simulation(study);
  const std::string preset = training::read_preset(study);
  settings.recording = recording::read_recording(study, recording::preset_recording(preset));
  settings.sessions = recording::read_sessions(study, settings.recording);
  settings.architecture = model::read_architecture(study, preset);
  settings.training = training::read_training(study);
  settings.evaluation = training::read_evaluation(study);
  settings.probe = stimulus::read_probe(study);
  settings.attribution = attribution::read_attribution(study);
  settings.reduction = reduction::read_reduction(study);
  settings.lesions = lesion::read_lesions(study);
  settings.pathways = pathway::read_pathways(study);
  settings.sweep = sweep::read_sweep(study);
  study.require_all_read();
  return settings;
}

std::vector<std::string> tables_of(const std::string& verb) {
  if (verb == "simulate") return {"simulation", "!simulation.circuit_files"};
  // The verbs after a training take given centres from the study, so new ones cost no training.
  if (verb == "train")
    return {"recording",
            "model",
            "training",
            "!recording.file",
            "!recording.centres",
            "!recording.centre_y",
            "!recording.centre_x",
            "!training.max_minutes",
            "!training.checkpoint_minutes"};
  // Of [recording] what an evaluation reads; everything else the model file says.
  if (verb == "evaluate")
    return {"recording.cells",         "recording.target",      "recording.test_statistics",
            "recording.normalisation", "recording.minimum_lag", "recording.frame_ms",
            "recording.pixel_um",      "recording.mapping",     "evaluation"};
  if (verb == "probe") return {"probe"};
  if (verb == "attribute")
    return {"probe", "attribution", "!attribution.movie_file", "!attribution.baseline_file", "!attribution.largest_file_gb"};
  if (verb == "reduce") return {"reduction"};
  // Attributions of the catalogue, unit by unit; how others are stored does not matter.
  if (verb == "lesion")
    return {"probe",
            "attribution.cells",
            "attribution.stimuli",
            "attribution.rule",
            "attribution.panels",
            "attribution.target",
            "attribution.baseline",
            "attribution.baseline_contrast",
            "attribution.baseline_dataset",
            "attribution.baseline_frame",
            "attribution.baseline_zero",
            "attribution.baseline_unit",
            "attribution.before_ms",
            "attribution.after_ms",
            "attribution.bar_range_px",
            "attribution.tolerance",
            "attribution.max_panels",
            "lesions"};
  if (verb == "fit")
    return {"recording.cells",        "recording.target",
            "recording.minimum_lag",  "recording.blocks",
            "recording.skip_seconds", "recording.frame_ms",
            "recording.pixel_um",     "recording.centres",
            "recording.centre_y",     "recording.centre_x",
            "recording.mapping",      "recording.test_statistics",
            "model.history",          "pathways"};
  if (verb == "sweep") return sweep::identity_tables();
  core::fail("no tables are known for the verb '{}'", verb);
}

}  // namespace amacrine::drivers
