// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/responses.hpp"

#include <cstddef>
#include <span>
#include <vector>

/// Which movies a catalogue of conditions needs for many cells, and where the answers to them belong.
namespace amacrine::stimulus {

/// One movie to be shown: a condition, and the cells whose responses to it are wanted. Bars are drawn around a receptive-field
/// centre, so they need a movie for each centre; everything else is one movie for all cells.
struct Showing {
  std::size_t condition = 0;
  std::vector<std::size_t> cells;
  Centre centre;  ///< px
};

/// The movies for cells with these centres, condition by condition.
std::vector<Showing> plan_showings(const std::vector<Condition>& conditions, const std::vector<Centre>& centres);

/// Makes room for the answers to responses.conditions of responses.cells, each with so many groups of trials; deviations are 0.
void make_room(Responses& responses, std::size_t groups);

/// Puts the answer to a movie where it belongs. `values`: the movie's departure from its declared symmetry, then for each of its
/// cells the rates in Hz (T), then those of each group of trials (G, T). Showings may come in any order. Throws core::Error where
/// the number of values is another.
void take_answer(Responses& responses, const Showing& showing, std::span<const double> values);

}  // namespace amacrine::stimulus
