// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/pathway/pathway_file.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/training/evaluation.hpp"
#include "drivers/fit_attributions.hpp"
#include "drivers/fit_network.hpp"
#include "drivers/inputs.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>
#include <limits>

namespace amacrine::drivers {

namespace {

/// The recording with the cells' receptive-field centres.
recording::Recording load(const Context& context, const std::string& file) {
  const auto& settings = context.settings.recording;
  require_spikes(context);
  parallel::require_memory(context.world, recording::loaded_bytes(file, settings, recording::Load::both, &context.world), file,
                           "use fewer ranks on a host, or another machine");
  recording::Recording recording = recording::load_recording(file, settings, recording::Load::both, &context.world);
  recording::describe_and_check(recording, context.settings.architecture.history);
  recording::fit_centres(recording, settings);
  return recording;
}

/// A cell's stimulus under the bumps, and its copy while it is made.
double bytes_of_a_cell(const recording::Recording& recording, const pathway::PathwaySettings& settings) {
  const auto bumps = static_cast<double>(pathway::make_bases(settings, 2).bumps());
  return 2 * bumps * static_cast<double>(recording.train.movie.frames()) * sizeof(float);
}

/// What stands beside the fits.
struct Network {
  pathway::NetworkRates rates;
  NetworkAttributions attributions;
};

/// This rank's cells are described and written; the tables of all, in the order of cells, come back on every rank, and the rates
/// go into `rates`.
std::string write_cells(const Context& context, const pathway::Study& study, const std::vector<pathway::CellFit>& fits,
                        const Network& network, pathway::PathwayFile& file, core::Array<float, 2>& rates) {
  const parallel::Range mine = context.world.owned(fits.size());
  std::string tables;
  std::vector<float> own;
  for (std::size_t n = mine.begin; n < mine.end; ++n) {
    const recording::Cell& cell = study.recording.cells[n];
    pathway::Mechanism mechanism = pathway::mechanism_of(study, fits[n], n, network.rates);
    mechanism.following = network.attributions.of(study, fits[n], mechanism, n);
    std::vector<float> rate;
    if (mechanism.left_out.empty())
      rate = pathway::predict(study, fits[n], fits[n].folds[pathway::whole][mechanism.number].model, cell,
                              study.recording.test.movie);
    file.write_cell(n, cell, mechanism, rate);
    tables += pathway::table(cell, mechanism);
    rate.resize(rates.extent(1), 0.0F);
    // What has no value is among the frames that a score leaves out.
    for (float& value : rate) value = value == value ? value : 0.0F;
    own.insert(own.end(), rate.begin(), rate.end());
  }
  const std::vector<float> all = context.world.gather_all<float>(own);
  std::copy(all.begin(), all.end(), rates.data());
  const std::vector<char> text = context.world.gather_all<char>(tables);
  return {text.begin(), text.end()};
}

/// The recording and, where they are there, the network and its attributions that stand beside the fits.
std::vector<io::Input> inputs_beside(const Context& context, const std::string& recording_file) {
  std::vector<io::Input> inputs{
      recording::recording_input(context.world, "recording", recording_file, context.settings.recording)};
  for (const auto& [role, name] : {std::pair{"network", "model.h5"}, std::pair{"attributions", "attributions_network.h5"}})
    if (const std::string path = context.output(name); file_exists(context.world, path))
      inputs.push_back(io::checked_input(context.world, role, path));
  return inputs;
}

/// Fits of all cells: those of an earlier run where they are still those of the study, for a network that came later.
std::vector<pathway::CellFit> fits_of(const Context& context, const pathway::Study& study, const std::string& path, bool before) {
  if (!before) return pathway::fit_cells(context.world, study);
  core::log("fit: the fits are those in {}, of the same study and recording; what stands beside them is made anew", path);
  return pathway::fitted_before(path, study);
}

}  // namespace

/// Fits few rectified pathways with free filters to each cell's spikes: how many, which filters, which sign, and how sure that
/// is.
int fit(Context& context) {
  const Settings& settings = context.settings;
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  const std::string path = context.output("pathways.h5");
  require_made(context, "recording", recording_file);
  const std::vector<io::Input> inputs = inputs_beside(context, recording_file);
  const io::Provenance provenance = io::make_provenance(context.world, context.study, "fit", tables_of("fit"), inputs);
  const bool before =
      !context.options.overwrite && context.world.any(context.world.root() && pathway::holds_fits(path, provenance));
  const std::optional<io::OutputLock> lock = context.claim(path, provenance, before);
  if (!lock) return 0;

  const recording::Recording recording = load(context, recording_file);
  require_unchanged(context.world, inputs, recording_file, settings.recording);
  const pathway::Study study{recording, settings.recording, settings.pathways,
                             static_cast<std::size_t>(settings.architecture.history)};
  pathway::divide(study);
  parallel::require_memory(context.world, bytes_of_a_cell(recording, settings.pathways), "fit",
                           "use fewer ranks on a host, or another machine");
  core::log("fit: {} cells, up to {} pathways each, {} bumps x {} lags; on all of the training part and on its halves",
            recording.cells.size(), settings.pathways.most, pathway::make_bases(settings.pathways, study.history).bumps(),
            study.history);
  io::require_space(context.world, path, pathway::PathwayFile::bytes(study));
  if (context.options.dry_run) return 0;

  // First, so that a model that cannot be read costs no fits.
  const Network network{network_over_test(context, recording), NetworkAttributions(context, provenance)};
  const std::vector<pathway::CellFit> fits = fits_of(context, study, path, before);
  pathway::PathwayFile file(context.world, path, study, fits, network.attributions.axes(), provenance);
  core::Array<float, 2> rates({recording.cells.size(), recording.test.movie.frames()});
  const std::string tables = write_cells(context, study, fits, network, file, rates);
  if (context.world.root()) file.write_fits();
  file.finish();
  const auto evaluation = training::evaluate_predictions(recording, {{"pathways", rates}}, settings.evaluation);
  core::log("{}{}fit: wrote {}", tables, training::evaluation_table(evaluation), path);
  return 0;
}

}  // namespace amacrine::drivers
