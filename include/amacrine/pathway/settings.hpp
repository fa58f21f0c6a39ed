// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"

#include <cstdint>

/// Few rectified pathways with free filters, fitted to a cell's spikes (docs/pathways.md).
namespace amacrine::pathway {

/// How pathway models are fitted. Table [pathways]; docs/study/pathways.md.
struct PathwaySettings {
  int most = 6;                 ///< the largest number of pathways tried
  int candidates = 6;           ///< new pathways tried at each number
  int short_steps = 100;        ///< of each of them
  int long_steps = 500;         ///< of the best two
  double radius_px = 9;         ///< filters reach so far from the receptive field's centre, along y and x
  double spacing_px = 1.5;      ///< between the bumps that filters are made of
  double held_out = 1.0 / 6;    ///< share of the training part by whose likelihood the number is chosen: its tail
  double learning_rate = 0.05;  ///< largest of the one-cycle schedule; parameters are of order 1
  double spatial_prior = 1.0;  ///< minus log likelihood of a spatial coefficient that differs from its neighbours by its filter's
                               ///< largest: half of this
  double temporal_prior = 1.0;  ///< the same of a bend of the time course
  std::uint64_t seed = 1;
};

/// Reads and checks the [pathways] table. Throws StudyError.
PathwaySettings read_pathways(core::Study& study);

}  // namespace amacrine::pathway
