// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/dealt_tasks.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/reduction/reduction_file.hpp"
#include "drivers/inputs.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace amacrine::drivers {

namespace {

/// Where each cell's receptive field is centred along x, in pixels: as the model file holds it, or where the circuit was put.
std::map<std::string, double> centres_x(const Context& context, const std::string& subject) {
  std::map<std::string, double> centres;
  if (subject == "circuit") {
    const std::string path = recording::recording_path(context.settings.recording, context.settings.output);
    const auto recording = recording::load_recording(path, context.settings.recording, recording::Load::test);
    const auto planted = planted_cells(path, recording.cells);
    for (std::size_t n = 0; n < planted.size(); ++n) centres[recording.cells[n].name] = planted[n].centre.x;
    return centres;
  }
  std::vector<recording::Cell> cells = model::read_model(context.output(subject == "ln" ? "ln.h5" : "model.h5")).cells;
  place_given(context, cells);
  for (const recording::Cell& cell : cells)
    if (cell.centre) centres[cell.name] = cell.centre->x;
  return centres;
}

void announce(const std::string& subject, const reduction::AttributionFile& source) {
  std::size_t frames = 0, held_out = 0;
  for (const auto& condition : source.conditions()) {
    frames += condition.windows;
    held_out += condition.held_out;
  }
  core::log("reduce {}: {} cells, {} conditions ({} held out), {} frames, {} channels of {} columns", subject,
            source.cells().size(), source.conditions().size(), held_out, frames, source.layer().channels.size(),
            source.layer().columns());
}

std::string checksum_of_model(const io::Reader& file, const std::string& role) {
  const auto inputs = file.provenance().inputs;
  const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const io::Input& input) { return input.role == role; });
  return found == inputs.end() ? std::string{} : found->checksum;
}

/// How much of its ceiling each cell's score reaches, by the evaluation of the same model: against a simulated rate without noise
/// the ceiling is 1, against the mean over trials their noise ceiling. A circuit is its own truth. Empty where there is none.
std::map<std::string, double> shares_of_ceiling(const std::string& subject, const std::string& attributions,
                                                const std::string& evaluation) {
  std::map<std::string, double> shares;
  const io::Reader file(evaluation);
  if (checksum_of_model(file, subject) != checksum_of_model(io::Reader(attributions), subject)) {
    core::warn(
        "reduce: {} is not of the model whose attributions are reduced; run `amacrine evaluate` again, since how well it "
        "predicts each cell is not known without",
        evaluation);
    return shares;
  }
  const auto models = file.read_strings("model"), cells = file.read_strings("cell");
  const auto at = static_cast<std::size_t>(std::find(models.begin(), models.end(), subject) - models.begin());
  const auto score = file.read<double>("score", {at, 0}, {1, cells.size()});
  const bool noiseless = file.text_attribute("score_reference") == "noiseless";
  const auto ceiling = noiseless ? std::vector<double>(cells.size(), 1.0) : file.read<double>("noise_ceiling");
  for (std::size_t n = 0; n < cells.size(); ++n)
    if (ceiling[n] > 0) shares[cells[n]] = score[n] / ceiling[n];
  return shares;
}

/// Each cell on whichever rank is free; their tables, in the order of cells, come back on every rank.
std::string reduce_cells(const Context& context, const std::map<std::string, double>& shares,
                         const reduction::AttributionFile& source, const std::vector<reduction::ChannelLabel>& labels,
                         reduction::ReductionFile& file) {
  const std::string& subject = source.subject();
  const auto centres = centres_x(context, subject);
  const parallel::TaskList tasks{"reduce " + subject, "cells", std::vector<double>(source.cells().size(), 1.0)};
  const auto tables = parallel::run_dealt<char>(context.world, tasks, [&](std::size_t n, std::vector<char>& text) {
    reduction::AttributedCell cell = source.read_cell(n);
    if (const auto centre = centres.find(cell.name); centre != centres.end()) cell.centre_x = centre->second;
    if (const auto share = shares.find(cell.name); share != shares.end()) cell.share_of_ceiling = share->second;
    if (subject == "circuit") cell.share_of_ceiling = 1;
    const auto reduced = reduction::reduce_cell(source.layer(), source.lines(), labels, cell, context.settings.reduction);
    file.write_cell(n, cell, reduced);
    const std::string table = reduction::table(reduced, source.layer());
    text.insert(text.end(), table.begin(), table.end());
    return cell.name;
  });
  std::string all;
  for (std::size_t n = 0; n < tables.tasks(); ++n) all.append(tables.of(n).begin(), tables.of(n).end());
  return all;
}

void reduce_subject(const Context& context, const std::string& subject, const std::string& attributions) {
  const std::string path = context.output("reduction_" + subject + ".h5");
  const std::string evaluation = context.output("evaluation.h5");
  const bool evaluated = subject != "circuit" && file_exists(context.world, evaluation);
  std::vector<io::Input> inputs{io::checked_input(context.world, "attributions", attributions)};
  if (evaluated) inputs.push_back(io::checked_input(context.world, "evaluation", evaluation));
  const auto provenance =
      io::make_provenance(context.world, context.study, "reduce", with_given_centres(context, tables_of("reduce")), inputs);
  const std::optional<io::OutputLock> lock = context.claim(path, provenance);
  if (!lock) return;

  const reduction::AttributionFile source(attributions, context.settings.reduction);
  announce(subject, source);
  // One cell at a time, whose floats become doubles.
  const double bytes = static_cast<double>(std::filesystem::file_size(attributions));
  parallel::require_memory(context.world, 2 * bytes / static_cast<double>(source.cells().size()), "reduce",
                           "use fewer ranks on a host, or store coarser levels");
  if (context.options.dry_run) return;

  const auto labels = reduction::label_channels(source.layer(), context.settings.reduction);
  reduction::ReductionFile file(context.world, path, source, labels, context.settings.reduction, provenance);
  const auto shares = evaluated ? shares_of_ceiling(subject, attributions, evaluation) : std::map<std::string, double>{};
  const std::string tables = reduce_cells(context, shares, source, labels, file);
  io::require_unchanged(context.world, provenance.inputs);
  file.finish();
  core::log("{}reduce: wrote {}", tables, path);
}

}  // namespace

/// Reduces attributions to the few pathways that carry each response, names them, and fits the model made of them alone.
int reduce(Context& context) {
  const auto& wanted = context.settings.reduction.subjects;
  int found = 0;
  for (const std::string& subject : wanted.empty() ? context.settings.attribution.subjects : wanted) {
    const std::string attributions = context.output("attributions_" + subject + ".h5");
    if (!file_exists(context.world, attributions)) {
      core::log("reduce: there is no {}; subject '{}' is left out", attributions, subject);
      continue;
    }
    reduce_subject(context, subject, attributions);
    ++found;
  }
  core::require<core::InputError>(found > 0, "no attributions to reduce in {}: run `amacrine attribute {}` first",
                                  context.settings.output, context.options.study_file);
  return 0;
}

}  // namespace amacrine::drivers
