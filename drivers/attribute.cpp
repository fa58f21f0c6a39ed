// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/run.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/model/circuit_network.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
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
  return {model::read_model(path), io::checked_input(context.world, role, path)};
}

/// The simulated recording's feed-forward cells as one network. No cells where the recording is of real cells, or all are
/// dynamic.
Attributed circuit_network(const Context& context) {
  const auto& settings = context.settings.recording;
  const std::string path = recording::recording_path(settings, context.settings.output);
  const recording::Recording recording = recording::load_recording(path, settings, recording::Load::test);
  const std::vector<PlantedCell> planted = planted_cells(path, recording.cells);
  std::vector<model::PlacedCircuit> circuits;
  for (std::size_t n = 0; n < planted.size(); ++n) {
    const recording::Circuit& circuit = recording::circuit(planted[n].circuit);
    if (circuit.feed_forward()) {
      circuits.push_back({recording.cells[n].name, circuit, planted[n].centre});
    } else {
      core::log("attribute: {} is a {} circuit, which is no feed-forward network; it is left out", recording.cells[n].name,
                circuit.name);
    }
  }
  Attributed subject;
  subject.input = io::checked_input(context.world, "recording", path);
  if (!circuits.empty()) subject.model = model::make_circuit_model(circuits, recording.screen);
  return subject;
}

Attributed load_subject(const Context& context, const std::string& name) {
  if (name == "circuit") return circuit_network(context);
  return model_file(context, name, context.output(name == "ln" ? "ln.h5" : "model.h5"));
}

std::vector<std::string> tables_for(const std::string& subject) {
  std::vector<std::string> tables = tables_of("attribute");
  if (subject == "circuit") tables.push_back("recording");
  return tables;
}

void announce(const std::string& subject, const attribution::Plan& plan, const attribution::Cost& cost, std::size_t file_bytes) {
  core::log(
      "attribute {}: {} stimuli, {} windows ({} folded by symmetry), {} rows in {} tasks; {:.3g} multiply-adds, {} of memory, {} "
      "on disk",
      subject, plan.stimuli.size(), plan.windows, cost.folded_windows, cost.rows, plan.tasks.size(), cost.multiply_adds,
      core::human_bytes(cost.block_bytes), core::human_bytes(static_cast<double>(file_bytes)));
}

void attribute_subject(Context& context, const std::string& name) {
  const attribution::AttributionSettings& settings = context.settings.attribution;
  const Attributed subject = load_subject(context, name);
  if (subject.model.cells.empty()) {
    core::log("attribute: the recording holds no feed-forward circuits; subject '{}' is left out", name);
    return;
  }
  const std::string path = context.output("attributions_" + name + ".h5");
  const auto provenance = io::make_provenance(context.world, context.study, "attribute", tables_for(name), {subject.input});
  if (!context.options.dry_run && io::check_reuse(context.world, path, provenance, context.options.overwrite) == io::Reuse::reuse)
    return;

  const auto catalogue = stimulus::catalogue(context.settings.probe, subject.model.screen);
  const attribution::Plan plan = attribution::make_plan(settings, catalogue, subject.model);
  attribution::Attributor<float> attributor(core::Exec(), model::make_inference<float>(subject.model), settings);
  attribution::AttributionFile file(context.world, path, name, plan, subject.model,
                                    attribution::first_layer_facts(attributor.plain()), settings, provenance);
  announce(name, plan, attribution::cost_of(plan, attributor), file.predicted_bytes());
  if (context.options.dry_run) return;

  file.create();
  if (context.world.root()) file.write_frame();
  attribution::run_plan(context.world, plan, attributor, file);
  file.finish();
  core::log("attribute: wrote {}", path);
}

}  // namespace

/// Attributes the responses of the trained network and of the circuits to their first-layer units (paper Eqs. 1 and 2).
int attribute(Context& context) {
  for (const std::string& subject : context.settings.attribution.subjects) attribute_subject(context, subject);
  return 0;
}

}  // namespace amacrine::drivers
