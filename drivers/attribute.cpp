// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/baseline.hpp"
#include "amacrine/attribution/cost.hpp"
#include "amacrine/attribution/movie.hpp"
#include "amacrine/attribution/run.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/model/circuit_network.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "drivers/inputs.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

namespace amacrine::drivers {

namespace {

/// A model whose responses are attributed, and where it came from.
struct Attributed {
  model::Model model;
  io::Input input;
};

Attributed model_file(const Context& context, const std::string& role, const std::string& path) {
  require_made(context, role, path);
  Attributed read{model::read_model(path), io::checked_input(context.world, role, path)};
  place_given(context, read.model.cells);
  return read;
}

/// The simulated recording's cells without a state as one network. No cells where the recording is of real cells, or all are
/// dynamic.
Attributed circuit_network(const Context& context) {
  const auto& settings = context.settings.recording;
  const std::string path = recording::recording_path(settings, context.settings.output);
  const recording::Recording recording = recording::load_recording(path, settings, recording::Load::test);
  const std::vector<PlantedCell> planted = planted_cells(path, recording.cells);
  std::vector<model::PlacedCircuit> circuits;
  for (std::size_t n = 0; n < planted.size(); ++n) {
    const recording::Circuit& circuit = planted[n].circuit;
    if (circuit.stateless()) {
      circuits.push_back({recording.cells[n].name, circuit, planted[n].centre});
    } else {
      core::log("attribute: {} is a {} circuit, whose state no feed-forward network holds; it is left out",
                recording.cells[n].name, circuit.name);
    }
  }
  Attributed subject;
  subject.input = recording::recording_input(context.world, "recording", path, settings);
  if (!circuits.empty()) subject.model = model::make_circuit_model(circuits, recording.screen);
  return subject;
}

Attributed load_subject(const Context& context, const std::string& name) {
  if (name == "circuit") return circuit_network(context);
  return model_file(context, name, context.output(name == "ln" ? "ln.h5" : "model.h5"));
}

std::vector<std::string> tables_for(const std::string& subject, attribution::Source source) {
  std::vector<std::string> tables = tables_of("attribute");
  if (subject == "circuit" || source == attribution::Source::recording)
    tables.insert(tables.end(), {"recording", "!recording.file"});
  return tables;
}

/// The subject's file, the movie's and the baseline's. A dry run reads no movie to the end for its checksum, unless an earlier
/// output is there to be compared with.
std::vector<io::Input> inputs_of(const Context& context, const Attributed& subject, const std::string& movie, bool unchecked) {
  std::vector<io::Input> inputs{subject.input};
  const std::string& baseline = context.settings.attribution.baseline_frame.file;
  const bool recorded = context.settings.attribution.source == attribution::Source::recording;
  for (const auto& [role, path] : {std::pair<std::string, std::string>{"movie", movie}, {"baseline", baseline}}) {
    if (path.empty() || path == subject.input.path) continue;
    if (unchecked) {
      inputs.push_back({role, path, ""});
    } else {
      inputs.push_back(recorded && role == "movie"
                           ? recording::recording_input(context.world, role, path, context.settings.recording)
                           : io::checked_input(context.world, role, path));
    }
  }
  return inputs;
}

std::string file_name(const std::string& subject, attribution::Source source) {
  const std::string stimuli = source == attribution::Source::catalogue ? "" : std::string("_") + to_string(source);
  return "attributions_" + subject + stimuli + ".h5";
}

void announce(const std::string& subject, const attribution::Plan& plan, const attribution::Cost& cost, std::size_t file_bytes,
              int ranks) {
  core::log(
      "attribute {}: {} stimuli, {} windows, {} rows in {} tasks; {:.3g} multiply-adds, at most {} of memory a rank, {} on disk",
      subject, plan.stimuli.size(), plan.windows, plan.rows(), plan.tasks, cost.multiply_adds,
      core::human_bytes(cost.memory_bytes), core::human_bytes(static_cast<double>(file_bytes)));
  for (const attribution::CostPart& part : cost.parts)
    core::log("  {} rows: {}; {:.3g} multiply-adds{}", part.rows, part.how, part.multiply_adds,
              part.seconds > 0 ? ", about " + core::human_seconds(part.seconds / ranks) + " by its first windows" : "");
}

/// Warns of implausible rates among the rows of a file of attributions of `chosen` cells of the model.
void warn_of_rows(const std::string& path, const std::string& subject, const model::Model& model,
                  const std::vector<int>& chosen) {
  const io::Reader file(path);
  const std::vector<float> rows = file.read<float>("rate");  // (window, cell)
  std::vector<recording::Cell> cells;
  for (int n : chosen) cells.push_back(model.cells[static_cast<std::size_t>(n)]);
  core::Array<float, 2> rates({cells.size(), rows.size() / cells.size()});
  for (std::size_t i = 0; i < rows.size(); ++i) rates(i % cells.size(), i / cells.size()) = rows[i];
  warn_of_rates(subject, cells, rates, "window");
}

/// False where the run was asked to stop.
bool attribute_subject(Context& context, const std::string& name) {
  const Attributed subject = load_subject(context, name);
  if (subject.model.cells.empty()) {
    core::log("attribute: the recording holds no feed-forward circuits; subject '{}' is left out", name);
    return true;
  }
  const attribution::AttributionSettings settings = attribution::with_baseline(context.settings.attribution, subject.model);
  const std::string recording_file = recording::recording_path(context.settings.recording, context.settings.output);
  const std::string path = context.output(file_name(name, settings.source));
  const bool unchecked = context.options.dry_run && !file_exists(context.world, path);
  const auto inputs = inputs_of(context, subject, attribution::movie_path(settings, recording_file), unchecked);
  const auto provenance = io::make_provenance(context.world, context.study, "attribute",
                                              with_given_centres(context, tables_for(name, settings.source)), inputs);
  const std::optional<io::OutputLock> lock = context.claim(path, provenance);
  if (!lock) return true;

  const auto catalogue = stimulus::catalogue(context.settings.probe, subject.model.screen);
  const attribution::Movie movie = attribution::open_movie(settings, recording_file, context.settings.recording, subject.model);
  const attribution::Plan plan = attribution::make_plan(settings, catalogue, subject.model, movie);
  attribution::Attributor<float> attributor(core::Exec(), model::make_inference<float>(subject.model), settings);
  const attribution::FirstLayerFacts layer = attribution::first_layer_facts(attributor.plain());
  const auto file_for = [&](const attribution::Plan& a_plan, const attribution::AttributionSettings& asked) {
    return attribution::AttributionFile(context.world, path, name, a_plan, subject.model, layer, asked, provenance);
  };
  attribution::AttributionFile file = file_for(plan, settings);
  attribution::require_size(plan, settings, file.predicted_bytes(),
                            [&](const auto& other, const auto& asked) { return file_for(other, asked).predicted_bytes(); });
  attribution::Cost cost = attribution::cost_of(plan, attributor);
  io::require_space(context.world, path, file.predicted_bytes());
  if (parallel::device_memory_is_host())
    parallel::require_memory(context.world, cost.memory_bytes, "attribution", "lower attribution.block_windows");
  if (context.options.dry_run) attribution::estimate_seconds(plan, attributor, cost);
  announce(name, plan, cost, file.predicted_bytes(), context.world.size());
  if (context.options.dry_run) return true;

  file.create();
  if (context.world.root()) file.write_frame();
  if (!attribution::run_plan(context.world, plan, attributor, file)) {
    core::log("attribute: stopped by {}; what was computed is in {}.partial. The same command goes on",
              parallel::stop_signal(context.world), path);
    return false;
  }
  io::require_unchanged(context.world, inputs);
  file.finish();
  if (context.world.root()) warn_of_rows(path, name, subject.model, plan.cells);
  core::log("attribute: wrote {}", path);
  return true;
}

}  // namespace

/// Attributes the responses of the trained network and of the circuits to their first-layer units (paper Eqs. 1 and 2).
int attribute(Context& context) {
  for (const std::string& subject : context.settings.attribution.subjects)
    if (!attribute_subject(context, subject)) return static_cast<int>(core::ExitCode::run_again);
  return 0;
}

}  // namespace amacrine::drivers
