// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/lesioner.hpp"

#include "amacrine/core/numbers.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::lesion {

using core::as_size;

namespace {

constexpr std::size_t windows_at_once = 64;  // through the first layer

std::vector<stimulus::Centre> centres_of(const model::Model& model, const attribution::Plan& plan) {
  const stimulus::Centre middle{0.5 * (model.screen.height - 1), 0.5 * (model.screen.width - 1)};
  std::vector<stimulus::Centre> centres;
  for (int cell : plan.cells) centres.push_back(model.cells[as_size(cell)].centre.value_or(middle));
  return centres;
}

/// h(s0) of every unit from W * s0.
template <class S>
core::View1<S> baseline_activity(const model::InferenceLayer<S>& layer, const std::vector<double>& drive) {
  const std::vector<S> gain = core::to_host(layer.gain), offset = core::to_host(layer.offset);
  std::vector<S> h(drive.size());
  for (std::size_t u = 0; u < h.size(); ++u) {
    const S x = gain[u] * static_cast<S>(drive[u]) + offset[u];
    h[u] = x < 0 ? S(0) : x;
  }
  return core::to_device("lesion::baseline", h);
}

/// out(first + b, u) = h(u, b).
template <class S>
void keep_windows(const core::Exec& exec, const core::View5<S>& h, std::size_t first, const core::View2<S>& out) {
  const std::size_t windows = h.extent(4), units = h.size() / windows;
  const core::View2<S> from(h.data(), units, windows);
  Kokkos::parallel_for(
      "lesion::keep_windows", Kokkos::MDRangePolicy<core::Exec, Kokkos::Rank<2>>(exec, {0, 0}, {windows, units}),
      KOKKOS_LAMBDA(const std::size_t b, const std::size_t u) { out(first + b, u) = from(u, b); });
  exec.fence("lesion::keep_windows");
}

}  // namespace

template <class S>
Lesioner<S>::Lesioner(const core::Exec& exec, const model::Model& model, const LesionPlan& plan,
                      const attribution::AttributionSettings& attribution, const LesionSettings& settings)
    : exec_(exec),
      plan_(plan),
      settings_(settings),
      attribution_(attribution),
      network_(model::make_inference<S>(model)),
      attributor_(exec, network_, attribution),
      head_(exec, network_, attribution.target),
      centres_(centres_of(model, plan.windows)) {
  const std::vector<S> gain = core::to_host(network_.hidden[0].gain);
  gain_.assign(gain.begin(), gain.end());
  baseline_ = baseline_activity(network_.hidden[0], attributor_.plain().baseline_drive());
}

template <class S>
Units<S> Lesioner<S>::with_positions(const core::View2<S>& activity, const std::vector<std::vector<int>>& positions) const {
  const std::size_t all = gain_.size();
  std::vector<int> flat;
  flat.reserve(positions.size() * all);
  for (const auto& row : positions) flat.insert(flat.end(), row.begin(), row.end());
  core::View2<int> view(core::uninitialised("lesion::position"), positions.size(), all);
  Kokkos::deep_copy(core::View1<int>(view.data(), view.size()), core::to_device("lesion::position", flat));
  return {activity, baseline_, view};
}

template <class S>
double Lesioner<S>::rest(std::size_t cell) {
  const core::View2<S> grey(baseline_.data(), 1, baseline_.size());
  const Units<S> units = with_positions(grey, {members_first(std::vector<bool>(gain_.size(), true))});
  return head_.respond(units, {{0, 0, 0, gain_.size(), false}}, model_cell(cell)).front();
}

template <class S>
const core::Array<float, 3>& Lesioner<S>::movie(std::size_t cell, std::size_t condition) {
  if (shown_cell_ != cell || shown_condition_ != condition) {
    shown_ = stimulus::render(plan_.windows.stimuli[condition].condition, plan_.windows.screen, centres_[cell]).contrast;
    shown_cell_ = cell;
    shown_condition_ = condition;
  }
  return shown_;
}

/// h(s) of all windows of a condition. Neighbouring windows go together; the last block overlaps the one before it, so that all
/// blocks are of one size.
template <class S>
core::View2<S> Lesioner<S>::activities(std::size_t cell, std::size_t condition) {
  const auto& planned = plan_.windows.stimuli[condition];
  const core::Array<float, 3>& contrast = movie(cell, condition);
  const std::size_t windows = planned.windows, block = std::min(windows, windows_at_once);
  core::View2<S> out(core::uninitialised("lesion::activity"), windows, gain_.size());
  const core::View5<S> z = model::make_first_layer(network_, 1, block);
  for (std::size_t done = 0; done < windows && !parallel::stop_asked(); done += block) {
    const std::size_t first = std::min(done, windows - block);
    model::first_layer(exec_, network_, model::window_frames(network_, contrast, planned.first_frame + first, block), z);
    model::head_rectify(exec_, network_.hidden[0], z, z, z);
    keep_windows(exec_, z, first, out);
  }
  return out;
}

template <class S>
std::vector<bool> Lesioner<S>::members(const UnitGroup& group) const {
  const std::size_t height = network_.hidden[0].gain.extent(1), width = network_.hidden[0].gain.extent(2);
  std::vector<bool> in(gain_.size());
  for (std::size_t u = 0; u < in.size(); ++u) {
    const auto channel = static_cast<int>(u / (height * width)), column = static_cast<int>(u % width);
    const bool placed = group.column_first < 0 || (column >= group.column_first && column <= group.column_last);
    in[u] = channel == group.channel && placed && !(group.gain_sign * gain_[u] < 0);
  }
  return in;
}

/// Every window's response with all units, and without those of pathways.
template <class S>
void Lesioner<S>::lesion_pathways(std::size_t cell, std::size_t stimulus, StimulusLesions& out) {
  const auto groups = plan_.pathways.empty() ? std::vector<UnitGroup>{} : plan_.pathways[cell][stimulus];
  const std::size_t all = gain_.size(), rows = plan_.stimuli[stimulus].windows, count = groups.size();
  std::vector<bool> any(all, false);
  std::vector<std::vector<int>> places;
  for (const UnitGroup& group : groups) {
    const std::vector<bool> in = members(group);
    places.push_back(members_first(in));
    out.pathway_units.push_back(static_cast<std::size_t>(std::count(in.begin(), in.end(), true)));
    for (std::size_t u = 0; u < all; ++u) any[u] = any[u] || in[u];
  }
  places.push_back(members_first(any));
  const auto together = static_cast<std::size_t>(std::count(any.begin(), any.end(), true));
  out.without_pathway = core::Array<double, 2>({count, rows});
  for (std::size_t condition : plan_.stimuli[stimulus].conditions) {
    const Units<S> units = with_positions(activities(cell, condition), places);
    std::vector<Lane> lanes;
    for (std::size_t w = 0; w < units.activity.extent(0); ++w) {
      lanes.push_back({w, count, 0, all, true});
      for (std::size_t i = 0; i < count; ++i) lanes.push_back({w, i, 0, out.pathway_units[i], false});
      if (count > 0) lanes.push_back({w, count, 0, together, true});
      if (count > 0) lanes.push_back({w, count, 0, together, false});
    }
    const std::vector<double> found = head_.respond(units, lanes, model_cell(cell));
    const std::size_t each = count > 0 ? count + 3 : 1;
    for (std::size_t w = 0; w < units.activity.extent(0); ++w) {
      const std::size_t row = out.rate.size();
      out.rate.push_back(found[w * each]);
      for (std::size_t i = 0; i < count; ++i) out.without_pathway(i, row) = found[w * each + 1 + i];
      if (count > 0) out.only_pathways.push_back(found[w * each + count + 1]);
      if (count > 0) out.without_pathways.push_back(found[w * each + count + 2]);
    }
  }
}

/// What is left of the response without pathways, over all rows.
template <class S>
void Lesioner<S>::score_pathways(StimulusLesions& out) const {
  const std::size_t count = out.pathway_units.size(), rows = out.rate.size();
  if (count == 0 || out.chosen.empty()) return;
  core::Array<double, 2> responses({count + 2, rows});
  std::copy(out.without_pathway.values().begin(), out.without_pathway.values().end(), responses.values().begin());
  std::copy(out.without_pathways.begin(), out.without_pathways.end(), responses.row(count).begin());
  std::copy(out.only_pathways.begin(), out.only_pathways.end(), responses.row(count + 1).begin());
  out.pathways = curve(responses, out.rate, out.rest);
}

/// Of the rows that respond, as many as are asked for, evenly spaced.
template <class S>
void Lesioner<S>::choose(StimulusLesions& out) const {
  double largest = 0, all = 0, used = 0;
  for (double r : out.rate) {
    largest = std::max(largest, std::abs(r - out.rest));
    all += std::abs(r - out.rest);
  }
  std::vector<std::size_t> responding;
  if (!(largest > settings_.silent_below_hz)) return;
  for (std::size_t i = 0; i < out.rate.size(); ++i)
    if (std::abs(out.rate[i] - out.rest) >= settings_.least_response * largest) responding.push_back(i);
  out.responding = responding.size();
  const std::size_t count = std::min(responding.size(), as_size(settings_.windows));
  for (std::size_t k = 0; k < count; ++k) out.chosen.push_back(responding[(2 * k + 1) * responding.size() / (2 * count)]);
  for (std::size_t i : out.chosen) used += std::abs(out.rate[i] - out.rest);
  out.share_used = used / all;
}

template <class S>
StimulusLesions Lesioner<S>::run(std::size_t cell, std::size_t stimulus) {
  StimulusLesions out;
  out.rest = rest(cell);
  lesion_pathways(cell, stimulus, out);
  if (parallel::stop_asked()) return out;
  choose(out);
  score_pathways(out);
  if (!out.chosen.empty()) draw_curves(cell, stimulus, out);
  return out;
}

template <class S>
double Lesioner<S>::multiply_adds(std::size_t cell, std::size_t stimulus) const {
  const std::size_t pathways = plan_.pathways.empty() ? 0 : plan_.pathways[cell][stimulus].size();
  const auto rows = static_cast<double>(plan_.stimuli[stimulus].windows);
  const double windows = std::min(rows, static_cast<double>(settings_.windows));
  const double orders = static_cast<double>(scored_orders) + settings_.random_orders;
  const double curves =
      windows * orders * 2.0 * static_cast<double>(plan_.sizes.size() - std::min<std::size_t>(2, plan_.sizes.size()));
  return (rows * static_cast<double>(pathways > 0 ? pathways + 3 : 1) + curves) * head_.multiply_adds();
}

template <class S>
double Lesioner<S>::bytes() const {
  const auto all = static_cast<double>(gain_.size());
  const double windows = settings_.windows, rows = settings_.order_per_window ? windows : 1.0;
  const double orders = (static_cast<double>(scored_orders) + settings_.random_orders) * rows;
  const double activities = all * sizeof(S) * (2 * windows + static_cast<double>(plan_.most_frames()));
  const double scores = all * sizeof(double) * (3 * windows + static_cast<double>(scored_orders) * rows);
  return head_.bytes() + activities + scores + 3 * all * orders * sizeof(int);
}

#define AMACRINE_INSTANTIATE(S)                                                                                     \
  template Lesioner<S>::Lesioner(const core::Exec&, const model::Model&, const LesionPlan&,                         \
                                 const attribution::AttributionSettings&, const LesionSettings&);                   \
  template StimulusLesions Lesioner<S>::run(std::size_t, std::size_t);                                              \
  template core::View2<S> Lesioner<S>::activities(std::size_t, std::size_t);                                        \
  template const core::Array<float, 3>& Lesioner<S>::movie(std::size_t, std::size_t);                               \
  template Units<S> Lesioner<S>::with_positions(const core::View2<S>&, const std::vector<std::vector<int>>&) const; \
  template double Lesioner<S>::rest(std::size_t);                                                                   \
  template double Lesioner<S>::multiply_adds(std::size_t, std::size_t) const;                                       \
  template double Lesioner<S>::bytes() const;
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::lesion
