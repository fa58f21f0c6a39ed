// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/masked_head.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>

namespace amacrine::lesion {

namespace {

/// Lanes of a batch: few enough that a core's cache holds their activities.
std::size_t batch_of(std::size_t units) { return units > 1000 ? 64 : 256; }

/// A batch's lanes on the device: window, order, first, end, kept.
core::View2<int> upload_lanes(const std::vector<Lane>& lanes, std::size_t first, std::size_t batch) {
  std::vector<int> values;
  values.reserve(5 * batch);
  for (std::size_t b = 0; b < batch; ++b) {
    const Lane& lane = lanes[std::min(first + b, lanes.size() - 1)];  // the last one fills an incomplete batch
    for (std::size_t value : {lane.window, lane.order, lane.first, lane.end}) values.push_back(static_cast<int>(value));
    values.push_back(lane.kept ? 1 : 0);
  }
  core::View2<int> out(core::uninitialised("lesion::lanes"), batch, 5);
  Kokkos::deep_copy(core::View1<int>(out.data(), out.size()), core::to_device("lesion::lanes", values));
  return out;
}

/// h(u, b): the activity of lane b's window, or the baseline's.
template <class S>
void mask(const core::Exec& exec, const Units<S>& units, const core::View2<int>& lanes, const core::View2<S>& h) {
  const core::View2<S> activity = units.activity;
  const core::View1<S> baseline = units.baseline;
  const core::View2<int> position = units.position;
  const std::size_t batch = h.extent(1);
  Kokkos::parallel_for(
      "lesion::mask", Kokkos::RangePolicy<core::Exec>(exec, 0, h.extent(0)), KOKKOS_LAMBDA(const std::size_t u) {
        for (std::size_t b = 0; b < batch; ++b) {
          const int place = position(lanes(b, 1), u);
          const bool inside = place >= lanes(b, 2) && place < lanes(b, 3);
          h(u, b) = inside == (lanes(b, 4) != 0) ? activity(lanes(b, 0), u) : baseline(u);
        }
      });
}

}  // namespace

template <class S>
MaskedHead<S>::MaskedHead(const core::Exec& exec, const model::InferenceNetwork<S>& network, attribution::Target target)
    : exec_(exec), network_(network), target_(target) {
  core::require(!network.hidden.empty(), "internal: lesions of a network without a hidden layer");
  units_ = network.architecture.units(0);
  batch_ = batch_of(units_);
  state_ = model::make_head_state(network_, 1, batch_);
}

template <class S>
void MaskedHead<S>::fill(const Units<S>& units, const std::vector<Lane>& lanes, std::size_t first) {
  mask(exec_, units, upload_lanes(lanes, first, batch_), core::View2<S>(state_.h[0].data(), units_, batch_));
}

template <class S>
std::vector<double> MaskedHead<S>::respond(const Units<S>& units, const std::vector<Lane>& lanes, int cell, const Look& look) {
  std::vector<double> responses(lanes.size(), 0.0);
  const auto row = core::as_size(cell) * batch_;
  for (std::size_t first = 0; first < lanes.size() && !parallel::stop_asked(); first += batch_) {
    fill(units, lanes, first);
    model::head_from_activity(exec_, network_, state_);
    exec_.fence("lesion::respond");
    const std::vector<S> found = core::to_host(target_ == attribution::Target::after_softplus ? state_.rate : state_.drive);
    const std::size_t count = std::min(batch_, lanes.size() - first);
    for (std::size_t b = 0; b < count; ++b) responses[first + b] = static_cast<double>(found[row + b]);
    if (look) look(state_, first, count);
  }
  return responses;
}

template <class S>
double MaskedHead<S>::multiply_adds() const {
  const model::Architecture& a = network_.architecture;
  double sum = static_cast<double>(network_.readout.size());
  for (int l = 1; l < a.layers(); ++l) {
    const core::View4<S>& kernel = network_.hidden[core::as_size(l)].kernel;
    const std::size_t taps = kernel.size() / kernel.extent(0);
    sum += static_cast<double>(a.units(l)) * static_cast<double>(taps);
  }
  return sum;
}

template <class S>
double MaskedHead<S>::bytes() const {
  double values = 0;
  for (const auto& layer : state_.x) values += 2.0 * static_cast<double>(layer.size());
  return values * sizeof(S);
}

template class MaskedHead<float>;
template class MaskedHead<double>;

}  // namespace amacrine::lesion
