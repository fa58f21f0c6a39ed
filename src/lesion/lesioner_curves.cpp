// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/numbers.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/lesion/lesioner.hpp"
#include "amacrine/parallel/stop.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace amacrine::lesion {

using core::as_size;

namespace {

template <class S>
void copy_window(const core::Exec& exec, const core::View2<S>& from, std::size_t at, const core::View2<S>& to, std::size_t row) {
  const std::size_t units = from.extent(1);
  Kokkos::deep_copy(exec, core::View1<S>(to.data() + row * units, units), core::View1<S>(from.data() + at * units, units));
}

/// A random order (Fisher and Yates), as places.
std::vector<int> random_places(std::size_t units, core::Random random) {
  std::vector<int> places(units);
  std::iota(places.begin(), places.end(), 0);
  for (std::size_t i = units; i > 1; --i) std::swap(places[i - 1], places[random.below(static_cast<std::uint32_t>(i))]);
  return places;
}

}  // namespace

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
  core::View2<S> out(core::uninitialised("lesion::chosen"), found.chosen.size(), gain_.size());
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
  const Units<S> units = with_positions(activity, {members_first(std::vector<bool>(all, true))});
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

#define AMACRINE_INSTANTIATE(S) template void Lesioner<S>::draw_curves(std::size_t, std::size_t, StimulusLesions&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::lesion
