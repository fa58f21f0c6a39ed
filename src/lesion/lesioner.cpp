// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/lesioner.hpp"

#include "amacrine/core/numbers.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

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

template <class S>
void copy_window(const core::Exec& exec, const core::View2<S>& from, std::size_t at, const core::View2<S>& to, std::size_t row) {
  const std::size_t units = from.extent(1);
  Kokkos::deep_copy(exec, core::View1<S>(to.data() + row * units, units), core::View1<S>(from.data() + at * units, units));
}

/// Places of the units where a group's come first, both parts by number.
std::vector<int> places_of(const std::vector<bool>& members) {
  auto inside = 0, outside = static_cast<int>(std::count(members.begin(), members.end(), true));
  std::vector<int> places(members.size());
  for (std::size_t u = 0; u < members.size(); ++u) places[u] = members[u] ? inside++ : outside++;
  return places;
}

/// A random order (Fisher and Yates), as places.
std::vector<int> random_places(std::size_t units, core::Random random) {
  std::vector<int> places(units);
  std::iota(places.begin(), places.end(), 0);
  for (std::size_t i = units; i > 1; --i) std::swap(places[i - 1], places[random.below(static_cast<std::uint32_t>(i))]);
  return places;
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
  const Units<S> units = with_positions(grey, {places_of(std::vector<bool>(gain_.size(), true))});
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
  const core::View2<S> out(core::uninitialised("lesion::activity"), windows, gain_.size());
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
    places.push_back(places_of(in));
    out.pathway_units.push_back(static_cast<std::size_t>(std::count(in.begin(), in.end(), true)));
    for (std::size_t u = 0; u < all; ++u) any[u] = any[u] || in[u];
  }
  places.push_back(places_of(any));
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

/// The chosen rows of each condition of a stimulus, counted from the condition's first.
template <class S>
struct Lesioner<S>::Chosen {
  std::size_t condition;
  std::vector<std::size_t> windows;

  static std::vector<Chosen> of(const LesionPlan& plan, std::size_t stimulus, const std::vector<std::size_t>& rows) {
    std::vector<Chosen> parts;
    std::size_t first = 0;
    for (std::size_t condition : plan.stimuli[stimulus].conditions) {
      Chosen part{condition, {}};
      const std::size_t end = first + plan.windows.stimuli[condition].windows;
      for (std::size_t row : rows)
        if (row >= first && row < end) part.windows.push_back(row - first);
      if (!part.windows.empty()) parts.push_back(std::move(part));
      first = end;
    }
    return parts;
  }
};

template <class S>
core::View2<S> Lesioner<S>::chosen_activities(std::size_t cell, std::size_t stimulus, const StimulusLesions& found) {
  const core::View2<S> out(core::uninitialised("lesion::chosen"), found.chosen.size(), gain_.size());
  std::size_t row = 0;
  for (const Chosen& part : Chosen::of(plan_, stimulus, found.chosen)) {
    const core::View2<S> all = activities(cell, part.condition);
    for (std::size_t w : part.windows) copy_window(exec_, all, w, out, row++);
    exec_.fence("lesion::chosen_activities");
  }
  return out;
}

/// A of the chosen rows, (W, U).
template <class S>
std::vector<double> Lesioner<S>::attributions(std::size_t cell, std::size_t stimulus, const StimulusLesions& found) {
  std::vector<double> out;
  out.reserve(found.chosen.size() * gain_.size());
  for (const Chosen& part : Chosen::of(plan_, stimulus, found.chosen)) {
    const attribution::PlannedStimulus& planned = plan_.windows.stimuli[part.condition];
    auto& engine = attributor_.engine(planned.symmetry, attribution::Level::unit);
    for (std::size_t w = 0; w < part.windows.size() && !parallel::stop_asked(); w += as_size(attribution_.block_windows)) {
      attribution::Piece piece{movie(cell, part.condition), {}};
      const std::size_t end = std::min(part.windows.size(), w + as_size(attribution_.block_windows));
      for (std::size_t k = w; k < end; ++k) piece.frames.push_back(planned.frame(part.windows[k]));
      const auto& block = engine.attribute({piece}, {model_cell(cell)}, attribution::Level::unit);
      out.insert(out.end(), block.unit_attribution.begin(), block.unit_attribution.end());
    }
  }
  out.resize(found.chosen.size() * gain_.size());
  return out;
}

/// By order: (W, U), or (U) where one order serves all windows; of ablations in deep networks always (U).
template <class S>
std::vector<std::vector<double>> Lesioner<S>::scores(std::size_t cell, std::size_t stimulus, const StimulusLesions& found,
                                                     const core::View2<S>& activity) {
  const std::size_t all = gain_.size(), windows = found.chosen.size();
  const Units<S> units = with_positions(activity, {places_of(std::vector<bool>(all, true))});
  const std::vector<double> a = attributions(cell, stimulus, found);
  const auto gradient = gradients(exec_, attributor_.plain().network(), attribution_.target, units, model_cell(cell));
  const std::size_t ablated = ablated_windows(network_.architecture, windows);
  std::vector<std::size_t> of_ablation;
  for (std::size_t k = 0; k < ablated; ++k) of_ablation.push_back((2 * k + 1) * windows / (2 * ablated));
  const auto effect = ablation_effects(exec_, network_, attribution_.target, head_, units, of_ablation, model_cell(cell));
  const std::vector<S> h = core::to_host(activity), h0 = core::to_host(baseline_);
  const bool each = settings_.order_per_window;
  std::vector<std::vector<double>> out(scored_orders, std::vector<double>(each ? windows * all : all, 0.0));
  for (std::size_t w = 0; w < windows; ++w) {
    const double sign = found.rate[found.chosen[w]] < found.rest ? -1.0 : 1.0;
    for (std::size_t u = 0; u < all; ++u) {
      const double change = static_cast<double>(h[w * all + u]) - static_cast<double>(h0[u]), of_unit = a[w * all + u];
      const std::size_t at = each ? w * all + u : u;
      out[0][at] += std::abs(of_unit);
      out[1][at] += sign * of_unit;
      out[2][at] += std::abs(change);
      out[3][at] += std::abs(gradient(w, u) * change);
    }
  }
  std::vector<double>& of_units = out[static_cast<std::size_t>(Order::ablation)];
  if (ablated < windows) of_units.assign(all, 0.0);
  for (std::size_t k = 0; k < ablated; ++k)
    for (std::size_t u = 0; u < all; ++u) of_units[each && ablated == windows ? k * all + u : u] += std::abs(effect(k, u));
  return out;
}

/// Places of the units by order (scored, then random) and window: one row per order, or with an order per window one for each.
template <class S>
std::vector<std::vector<int>> Lesioner<S>::orders(std::size_t cell, std::size_t stimulus, const StimulusLesions& found,
                                                  const core::View2<S>& activity) {
  const std::size_t all = gain_.size(), rows = settings_.order_per_window ? found.chosen.size() : 1;
  std::vector<std::vector<int>> places;
  for (const std::vector<double>& score : scores(cell, stimulus, found, activity))
    for (std::size_t w = 0; w < rows; ++w) {
      const auto begin = score.begin() + static_cast<std::ptrdiff_t>(score.size() > all ? w * all : 0);
      places.push_back(ranks_of({begin, begin + static_cast<std::ptrdiff_t>(all)}));
    }
  const std::uint64_t task = cell * plan_.stimuli.size() + stimulus;
  for (int draw = 0; draw < settings_.random_orders; ++draw)
    for (std::size_t w = 0; w < rows; ++w)
      places.push_back(
          random_places(all, core::Random(settings_.seed, core::Stream::lesions, (task << 32) + (as_size(draw) << 20) + w)));
  return places;
}

/// Curves of the orders from what the lanes gave: (W, O, inner sizes, kept and without).
template <class S>
std::vector<OrderResult> Lesioner<S>::results_of(const StimulusLesions& out, const std::vector<double>& found) const {
  const std::size_t windows = out.chosen.size(), sizes = plan_.sizes.size(), inner = sizes - 2;
  const std::size_t count = scored_orders + as_size(settings_.random_orders);
  std::vector<double> full;
  for (std::size_t row : out.chosen) full.push_back(out.rate[row]);
  std::vector<OrderResult> results;
  for (std::size_t o = 0; o < count; ++o) {
    core::Array<double, 2> kept({sizes, windows}, out.rest), without({sizes, windows}, out.rest);
    std::copy(full.begin(), full.end(), kept.row(sizes - 1).begin());
    std::copy(full.begin(), full.end(), without.row(0).begin());
    for (std::size_t w = 0; w < windows; ++w)
      for (std::size_t k = 0; k < inner; ++k) {
        const std::size_t lane = ((w * count + o) * inner + k) * 2;
        kept(k + 1, w) = found[lane];
        without(k + 1, w) = found[lane + 1];
      }
    OrderResult result{curve(kept, full, out.rest), curve(without, full, out.rest), {}};
    result.summary = summarise(plan_.sizes, result.kept, result.without);
    results.push_back(std::move(result));
  }
  return results;
}

template <class S>
void Lesioner<S>::draw_curves(std::size_t cell, std::size_t stimulus, StimulusLesions& out) {
  const core::View2<S> activity = chosen_activities(cell, stimulus, out);
  const std::vector<std::vector<int>> places = orders(cell, stimulus, out, activity);
  if (parallel::stop_asked()) return;
  const std::size_t windows = out.chosen.size(), rows = settings_.order_per_window ? windows : 1, count = places.size() / rows;
  std::vector<Lane> lanes;
  for (std::size_t w = 0; w < windows; ++w)
    for (std::size_t o = 0; o < count; ++o)
      for (std::size_t k = 1; k + 1 < plan_.sizes.size(); ++k)
        for (bool kept : {true, false}) lanes.push_back({w, o * rows + (rows > 1 ? w : 0), 0, plan_.sizes[k].units, kept});
  const std::vector<double> found = head_.respond(with_positions(activity, places), lanes, model_cell(cell));
  const std::vector<OrderResult> results = results_of(out, found);
  out.orders.assign(results.begin(), results.begin() + scored_orders);
  out.random.assign(results.begin() + scored_orders, results.end());
  out.orders.push_back(mean_of(out.random));
}

template <class S>
StimulusLesions Lesioner<S>::run(std::size_t cell, std::size_t stimulus) {
  StimulusLesions out;
  out.rest = rest(cell);
  lesion_pathways(cell, stimulus, out);
  if (parallel::stop_asked()) return out;
  choose(out);
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

template class Lesioner<float>;
template class Lesioner<double>;

}  // namespace amacrine::lesion
