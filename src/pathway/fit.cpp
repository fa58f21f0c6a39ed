// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/fit.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/dealer.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/recording/sampler.hpp"
#include "packing.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

namespace amacrine::pathway {

namespace {

/// Why a cell cannot be fitted; empty where it can.
std::string reason_against(const recording::Cell& cell) {
  if (cell.silent) return "no spikes in the training part";
  if (!cell.centre)
    return "no receptive field was found; give recording.centre_y and recording.centre_x with recording.centres = \"given\"";
  return {};
}

/// The cells with the reasons against their fits alone.
std::vector<CellFit> unfitted(const Study& study) {
  std::vector<CellFit> cells(study.recording.cells.size());
  for (std::size_t n = 0; n < cells.size(); ++n) cells[n].left_out = reason_against(study.recording.cells[n]);
  return cells;
}

double mean_of(std::span<const float> rates) {
  double sum = 0;
  for (float rate : rates) sum += static_cast<double>(rate);
  return sum / static_cast<double>(rates.size());
}

/// A cell's data and units; kept while the tasks that follow are of the same cell.
struct Prepared {
  std::size_t cell;
  CellData data;
  Shape shape;
};

Prepared prepare(const Study& study, const Bases& bases, std::size_t n) {
  constexpr double least_unit_hz = 5, units_of_mean = 3;
  const double mean_hz = mean_of(study.recording.train.target.row(n));
  CellData data = cell_data(study, bases, n);
  const Shape shape{bases.bumps(), bases.courses(), std::max(least_unit_hz, units_of_mean * mean_hz), data.frame_s};
  return {n, std::move(data), shape};
}

/// The tasks of this rank, one after another.
class Worker {
 public:
  explicit Worker(const Study& study)
      : study_(study), bases_(make_bases(study.settings, study.history)), division_(divide(study)) {}

  PackedFit run(std::size_t n, std::size_t fold) {
    if (!prepared_ || prepared_->cell != n) prepared_ = prepare(study_, bases_, n);
    Problem problem{study_.settings, bases_, prepared_->data, prepared_->shape, division_.fitted, division_.held_out};
    if (fold != whole) problem.fitted = half_of(division_.fitted, fold == first_half ? 0 : 1);
    return {n, fold, prepared_->shape.unit_hz, prepared_->data.scale, grow(problem)};
  }

 private:
  const Study& study_;
  Bases bases_;
  Division division_;
  std::optional<Prepared> prepared_;
};

}  // namespace

Division divide(const Study& study) {
  recording::RecordingSettings settings = study.recording_settings;
  settings.validation_fraction = study.settings.held_out;
  const auto lag = static_cast<std::size_t>(settings.minimum_lag);
  const recording::Sampling sampling{
      .history = study.history, .minimum_lag = lag, .segments = 1, .windows = block_frames, .data_seed = 1, .spacing = 1};
  const recording::SegmentSampler sampler(study.recording, settings, sampling);
  const auto earlier = [&](std::vector<Range> ranges) {
    for (Range& range : ranges) range = {range.begin - lag, range.end - lag};
    return ranges;
  };
  return {earlier(sampler.training()), earlier(sampler.validation())};
}

CellData cell_data(const Study& study, const Bases& bases, std::size_t n) {
  const recording::Recording& r = study.recording;
  return make_cell_data(project(r.train.movie, r.coding, bases, *r.cells[n].centre), r.train.target.row(n), bases,
                        r.screen.frame_ms / 1000, static_cast<std::size_t>(study.recording_settings.minimum_lag));
}

std::vector<double> packed_fits(const std::vector<CellFit>& fits) {
  std::vector<double> packed;
  for (std::size_t n = 0; n < fits.size(); ++n)
    for (std::size_t fold = 0; fits[n].left_out.empty() && fold < fold_count; ++fold)
      pack({n, fold, fits[n].shape.unit_hz, fits[n].scale, fits[n].folds[fold]}, packed);
  return packed;
}

std::vector<CellFit> unpacked_fits(const Study& study, const std::vector<double>& packed, const std::string& source) {
  std::vector<CellFit> cells = unfitted(study);
  const Bases bases = make_bases(study.settings, study.history);
  bool same = true;
  for (PackedFit& fit : unpack(packed)) {
    const Shape shape{bases.bumps(), bases.courses(), fit.unit_hz, study.recording.screen.frame_ms / 1000};
    same = same && fit.cell < cells.size() && cells[fit.cell].left_out.empty() && fit.fold < fold_count && !fit.steps.empty() &&
           fit.steps.back().model.values.size() == shape.size(fit.steps.size() - 1);
    if (!same) break;
    CellFit& cell = cells[fit.cell];
    cell.shape = shape, cell.scale = fit.scale;
    cell.folds[fit.fold] = std::move(fit.steps);
  }
  for (const CellFit& cell : cells)
    for (const std::vector<Step>& steps : cell.folds) same = same && (!cell.left_out.empty() || !steps.empty());
  core::require<core::InputError>(
      same, "{}: its fits are of other cells or filters than this study's; fit again with --overwrite to replace them", source);
  return cells;
}

std::vector<CellFit> fit_cells(const parallel::Communicator& communicator, const Study& study) {
  std::vector<std::size_t> fitted;
  const std::vector<CellFit> cells = unfitted(study);
  for (std::size_t n = 0; n < cells.size(); ++n)
    if (cells[n].left_out.empty()) fitted.push_back(n);
  Worker worker(study);
  core::Progress progress("fit", static_cast<double>(fitted.size() * fold_count), "fits");
  std::vector<double> packed;
  parallel::Dealer dealer(communicator, fitted.size() * fold_count);
  while (!parallel::stop_asked()) {
    const std::optional<std::size_t> task = dealer.next();
    if (!task) break;
    const std::size_t n = fitted[*task / fold_count];
    pack(worker.run(n, *task % fold_count), packed);
    progress.update(static_cast<double>(*task + 1), study.recording.cells[n].name);
  }
  dealer.close();
  parallel::throw_if_stopped(communicator);
  return unpacked_fits(study, communicator.gather_all<double>(packed), study.recording.path);
}

std::vector<float> predict(const Study& study, const CellFit& fit, const Model& model, const recording::Cell& cell,
                           const recording::StoredMovie& movie) {
  const Bases bases = make_bases(study.settings, study.history);
  const std::size_t frames = movie.frames(), lag = static_cast<std::size_t>(study.recording_settings.minimum_lag);
  const std::vector<float> unknown(frames, 0.0F);
  const CellData data = make_cell_data(project(movie, study.recording.coding, bases, *cell.centre), unknown, bases,
                                       fit.shape.frame_s, lag, fit.scale);
  std::vector<float> rates(frames, std::numeric_limits<float>::quiet_NaN());
  for (const Range& block : blocks_of({{study.history - 1, frames - std::min(frames, lag)}}, block_frames)) {
    const Response response = respond(fit.shape, bases, data, model, block);
    std::copy(response.rate_hz.begin(), response.rate_hz.end(), rates.begin() + static_cast<std::ptrdiff_t>(block.begin + lag));
  }
  return rates;
}

}  // namespace amacrine::pathway
