// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/growth.hpp"
#include "amacrine/recording/settings.hpp"

#include <array>
#include <string>
#include <vector>

namespace amacrine::pathway {

/// Which part of the fitted frames a fit sees. What both halves say as the whole does is not chance.
enum Fold : std::size_t { whole, first_half, second_half };
inline constexpr std::size_t fold_count = 3;

/// One cell's models. Without a reason in `left_out` all folds are there.
struct CellFit {
  std::string left_out;  ///< why the cell was not fitted
  Shape shape;
  double scale = 1;                                 ///< CellData::scale
  std::array<std::vector<Step>, fold_count> folds;  ///< steps as of grow()
};

/// What the fits are of: a recording's training part, its cells' centres known where they can be.
struct Study {
  const recording::Recording& recording;
  const recording::RecordingSettings& recording_settings;
  const PathwaySettings& settings;
  std::size_t history = 40;
};

/// The training part's usable frames and its tail, as frames of CellData. Throws InputError where it is too short.
Division divide(const Study& study);
/// The data of cell n, whose centre is known.
CellData cell_data(const Study& study, const Bases& bases, std::size_t n);

/// Collective. Fits every cell on every fold; the pairs are tasks that are dealt to the ranks, and each has the bits it has on
/// any rank with any number of threads. Everything comes back on every rank. Throws parallel::Stopped where the run was asked to
/// stop, InputError where the training part is too short.
std::vector<CellFit> fit_cells(const parallel::Communicator& communicator, const Study& study);

/// All models of all fits as one list of numbers, which a file can hold: numbers below 2^53 are exact.
std::vector<double> packed_fits(const std::vector<CellFit>& fits);
/// The fits of the study's cells from such a list. Throws InputError where it is of other cells or another shape; `source` names
/// where it is from.
std::vector<CellFit> unpacked_fits(const Study& study, const std::vector<double>& packed, const std::string& source);

/// Rates (T) Hz of a cell's model over a movie; the first history - 1 + minimum_lag frames have no value (NaN). Local.
std::vector<float> predict(const Study& study, const CellFit& fit, const Model& model, const recording::Cell& cell,
                           const recording::StoredMovie& movie);

}  // namespace amacrine::pathway
