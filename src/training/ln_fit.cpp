// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/ln_fit.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "ln_likelihood.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::training {
namespace {

constexpr int most_steps = 8;

/// Target frames of the recording whose windows lie in one block, split where validation begins.
struct Targets {
  std::vector<std::size_t> training, validation;
};

void thin(std::vector<std::size_t>& frames, std::size_t most) {
  const std::size_t stride = (frames.size() + most - 1) / most;
  if (stride < 2) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < frames.size(); i += stride) frames[kept++] = frames[i];
  frames.resize(kept);
}

Targets targets_of(const TrainingRun& run) {
  const recording::Recording& recording = run.recording;
  const std::size_t frames = recording.train.movie.frames();
  const auto reach = static_cast<std::size_t>(run.architecture.history - 1 + run.recording_settings.minimum_lag);
  // Without a validation part the last tenth serves.
  const double share = run.recording_settings.validation_fraction > 0 ? run.recording_settings.validation_fraction : 0.1;
  const std::size_t split = frames - static_cast<std::size_t>(std::llround(static_cast<double>(frames) * share));
  Targets targets;
  for (std::size_t b = 0; b < recording.block_starts.size(); ++b) {
    const std::size_t end = b + 1 < recording.block_starts.size() ? recording.block_starts[b + 1] : frames;
    for (std::size_t t = recording.block_starts[b] + std::max(recording.skip_frames, reach); t < end; ++t)
      if (t < split || t >= split + reach) (t < split ? targets.training : targets.validation).push_back(t);
  }
  core::require<core::InputError>(
      !targets.training.empty() && !targets.validation.empty(),
      "{}: {} windows to fit the linear-nonlinear baseline and {} to choose its penalty; record longer, or "
      "set training.ln = false",
      recording.path, targets.training.size(), targets.validation.size());
  thin(targets.training, run.settings.ln_windows);
  thin(targets.validation, run.settings.ln_windows / 4);
  return targets;
}

/// The mean rate: less than that hardly tells apart what a threshold hides.
double background_of(std::span<const float> rate) {
  double mean = 0;
  for (const float hz : rate) mean += static_cast<double>(hz) / static_cast<double>(rate.size());
  return std::max(mean, 0.01);
}

LnData data_of(const LnFeatures& features, const TrainingRun& run, std::size_t cell, const std::vector<std::size_t>& targets) {
  LnData data{features, targets, {}, background_of(run.recording.train.target.row(cell))};
  for (std::size_t& frame : data.last) {
    data.rate.push_back(run.recording.train.target.row(cell)[frame]);
    frame -= static_cast<std::size_t>(run.recording_settings.minimum_lag);
  }
  return data;
}

/// softplus' inverse of the mean rate, at a filter of zero.
std::vector<double> start_of(const LnData& data) {
  double mean = 0;
  for (const float rate : data.rate) mean += static_cast<double>(rate) / static_cast<double>(data.rate.size());
  std::vector<double> start(data.features.count(), 0.0);
  mean = std::max(mean, 0.1);
  start.back() = mean + std::log(-std::expm1(-mean));
  return start;
}

std::vector<double> fit_cell(const LnData& training, const LnData& validation) {
  std::vector<double> best = start_of(training);
  double loss = ln_losses(validation, {best})[0];
  for (int step = 0; step < most_steps; ++step) {
    const std::vector<std::vector<double>> candidates = ln_steps(ln_moments(training, best), best, training.features.crop());
    const std::vector<double> losses = ln_losses(validation, candidates);
    const auto at = std::min_element(losses.begin(), losses.end());
    if (!(*at < loss - 1e-4 * std::abs(loss))) break;
    loss = *at;
    best = candidates[static_cast<std::size_t>(at - losses.begin())];
  }
  return best;
}

/// Where the cells look: as given, or by their spike-triggered averages; the middle of the screen where that shows nothing.
std::vector<stimulus::Centre> centres_of(const TrainingRun& run) {
  const recording::Recording& recording = run.recording;
  const stimulus::Centre middle{0.5 * (run.architecture.height - 1), 0.5 * (run.architecture.width - 1)};
  std::vector<recording::ReceptiveField> fields;
  std::vector<stimulus::Centre> centres;
  for (std::size_t n = 0; n < recording.cells.size(); ++n) {
    if (!recording.cells[n].centre && fields.empty())
      fields = recording::fit_receptive_fields(recording.train.movie, recording.coding, recording.train.target);
    centres.push_back(recording.cells[n].centre ? *recording.cells[n].centre : fields[n].found ? fields[n].centre : middle);
  }
  return centres;
}

model::Model empty_model(const TrainingRun& run) {
  const recording::Recording& recording = run.recording;
  model::Model model;
  model.kind = "ln";
  model.architecture = run.architecture;
  model.parameters.assign(model::make_layout(run.architecture).parameter_count, 0.0F);
  model.normalisation =
      recording::fit_normalisation(recording.train.movie, recording.coding, run.recording_settings.normalisation);
  model.coding = recording.coding;
  model.screen = recording.screen;
  model.minimum_lag = run.recording_settings.minimum_lag;
  model.cells = recording.cells;
  return model;
}

}  // namespace

void require_ln_windows(const TrainingRun& run) { targets_of(run); }

model::Model fit_ln(const parallel::Communicator& communicator, const TrainingRun& run) {
  model::Model model = empty_model(run);
  const model::ParameterLayout layout = model::make_layout(run.architecture);
  const model::ParameterEntry &weight = layout.parameter("readout.weight"), &bias = layout.parameter("readout.bias");
  const auto height = static_cast<std::size_t>(run.architecture.height), width = static_cast<std::size_t>(run.architecture.width);
  const std::size_t cells = run.recording.cells.size(), inputs = weight.size / cells;
  const Targets targets = targets_of(run);
  const std::vector<stimulus::Centre> centres = centres_of(run);
  for (std::size_t n = 0; n < cells; ++n) {
    if (static_cast<int>(n % static_cast<std::size_t>(communicator.size())) != communicator.rank()) continue;
    const LnFeatures features(run.recording.train.movie, model.coding, model.normalisation,
                              crop_around(centres[n], height, width), static_cast<std::size_t>(run.architecture.history));
    const std::vector<double> fitted =
        fit_cell(data_of(features, run, n, targets.training), data_of(features, run, n, targets.validation));
    const std::vector<float> filter = features.filter(fitted, height, width);
    std::copy(filter.begin(), filter.end(), model.parameters.begin() + static_cast<std::ptrdiff_t>(weight.offset + n * inputs));
    model.parameters[bias.offset + n] = static_cast<float>(fitted.back());
  }
  for (std::size_t n = 0; n < cells; ++n) {
    const int owner = static_cast<int>(n % static_cast<std::size_t>(communicator.size()));
    communicator.broadcast(model.parameters.data() + weight.offset + n * inputs, inputs * sizeof(float), owner);
    communicator.broadcast(model.parameters.data() + bias.offset + n, sizeof(float), owner);
  }
  return model;
}

}  // namespace amacrine::training
