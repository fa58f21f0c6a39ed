// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/settings.hpp"
#include "amacrine/model/inference.hpp"

#include <functional>
#include <vector>

namespace amacrine::lesion {

/// First-layer units of W windows: their activity h(s), what it is at the baseline, h(s0), and orders in which they are taken. U
/// units (c, y, x).
template <class S>
struct Units {
  core::View2<S> activity;    ///< (W, U)
  core::View1<S> baseline;    ///< (U)
  core::View2<int> position;  ///< (R, U) place of each unit in each of R orders
};

/// One evaluation of the network on window `window`: units at places [first, end) of an order are removed, that is, held at
/// their baseline value, and all others keep their activity; where `kept` is set it is the other way round.
struct Lane {
  std::size_t window = 0, order = 0, first = 0, end = 0;
  bool kept = false;
};

/// A network past its first layer, on activities some of which are replaced by their baseline values. Needs a hidden layer.
template <class S>
class MaskedHead {
 public:
  MaskedHead(const core::Exec& exec, const model::InferenceNetwork<S>& network, attribution::Target target);

  /// Called after each batch with the state of lanes [first, first + count): as model::HeadState holds them, lanes last.
  using Look = std::function<void(const model::HeadState<S>& state, std::size_t first, std::size_t count)>;
  /// Responses of a cell (L), Hz: the rate, or its drive. A lane's bits do not depend on the others. Where the run is asked to
  /// stop (parallel/stop.hpp) the rest stays 0: the caller looks.
  std::vector<double> respond(const Units<S>& units, const std::vector<Lane>& lanes, int cell, const Look& look = {});

  std::size_t unit_count() const { return units_; }
  /// Multiply-adds of a lane.
  double multiply_adds() const;
  /// Bytes of memory this holds.
  double bytes() const;

 private:
  void fill(const Units<S>& units, const std::vector<Lane>& lanes, std::size_t first);

  core::Exec exec_;
  model::InferenceNetwork<S> network_;
  attribution::Target target_;
  std::size_t units_ = 0, batch_ = 0;
  model::HeadState<S> state_;
};

}  // namespace amacrine::lesion
