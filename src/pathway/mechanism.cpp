// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/evidence.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace amacrine::pathway {

namespace {

/// Whether the runner-up is as good on the held-out frames as the model itself, within the error of the difference.
bool as_good(const Problem& problem, const Step& step) {
  Step other;
  other.held_out = held_out_loss(problem, step.runner_up);
  const Difference worse = difference(step, other);
  return worse.mean <= worse.error;
}

std::vector<Difference> above_lowest(const std::vector<Step>& steps) {
  const Step& best = steps[lowest(steps)];
  std::vector<Difference> above;
  for (const Step& step : steps) above.push_back(difference(best, step));
  return above;
}

std::string claim(const char* text, const Agreement& agreement, int agreeing) {
  return agreement.disputed(agreeing) ? fmt::format("{} (disputed, {} of {})", text, agreeing, agreement.fits)
                                      : std::string(text);
}

std::string line(const Pathway& p, const Agreement& a) {
  const char* const polarity = p.polarity > 0 ? "ON" : p.polarity < 0 ? "OFF" : "no polarity";
  const std::string what =
      p.linear() ? std::string("linear, neither sign nor side known")
                 : claim(p.sign() > 0 ? "excitatory" : "inhibitory", a, a.sign) + ", " + claim(polarity, a, a.polarity);
  return fmt::format("    {}: peak {}, at {} px, w {:+.4g} Hz, threshold {:+.3g}, closed {:.0f} % of the time, sd {:.1f} Hz\n",
                     what, claim(fmt::format("{:.0f} ms", p.peak_ms).c_str(), a, a.peak),
                     claim(fmt::format("({:+.1f}, {:+.1f})", p.dy_px, p.dx_px).c_str(), a, a.place), p.weight_hz, p.threshold,
                     100 * p.closed, p.spread_hz);
}

}  // namespace

Mechanism mechanism_of(const Study& study, const CellFit& fit, std::size_t n, const NetworkRates& network) {
  Mechanism mechanism;
  mechanism.left_out = fit.left_out;
  mechanism.layers = judge_layers(study, fit, n, network);
  if (!fit.left_out.empty()) return mechanism;
  const Bases bases = make_bases(study.settings, study.history);
  const Division division = divide(study);
  const CellData data = cell_data(study, bases, n);
  const std::vector<Step>& steps = fit.folds[whole];
  mechanism.number = chosen(steps);
  for (std::size_t half : {first_half, second_half}) mechanism.number_of_halves[half - 1] = chosen(fit.folds[half]);
  mechanism.held_out = above_lowest(steps);
  for (const Step& each : steps) mechanism.held_out_loss.push_back(mean_loss(each));
  const Step& step = steps[mechanism.number];
  mechanism.rest_hz = step.model.rest() * fit.shape.unit_hz;
  mechanism.beta_per_hz = step.model.beta();
  const double minimum_lag_ms = 1000 * fit.shape.frame_s * study.recording_settings.minimum_lag;
  const auto described = [&](const Model& model) {
    std::vector<Pathway> pathways = describe(bases, fit, model, data, division.fitted);
    for (Pathway& pathway : pathways) pathway.peak_ms += minimum_lag_ms;
    return pathways;
  };
  mechanism.pathways = described(step.model);
  mechanism.agreement.resize(mechanism.pathways.size());
  for (std::size_t half : {first_half, second_half})
    compare(mechanism.pathways, described(step_of(fit.folds[half], mechanism.number).model), mechanism.agreement);
  const Problem problem{study.settings, bases, data, fit.shape, division.fitted, division.held_out};
  if (as_good(problem, step)) compare(mechanism.pathways, described(step.runner_up), mechanism.agreement);
  return mechanism;
}

std::string table(const recording::Cell& cell, const Mechanism& m) {
  if (!m.left_out.empty()) return fmt::format("{}: not fitted: {}\n", cell.name, m.left_out);
  const bool disputed = m.number_of_halves[0] != m.number || m.number_of_halves[1] != m.number;
  std::string text = fmt::format(
      "{}: {} pathway{}{}{}\n", cell.name, m.number, m.number == 1 ? "" : "s",
      m.types() < m.number ? fmt::format(" of {} type{}", m.types(), m.types() == 1 ? "" : "s") : "",
      disputed ? fmt::format("; {} and {} in the halves of the recording", m.number_of_halves[0], m.number_of_halves[1]) : "");
  text += "  nats per second above the best:";
  for (std::size_t k = 0; k < m.held_out.size(); ++k)
    text += fmt::format("  {}: {:.2f} ± {:.2f}", k, m.held_out[k].mean, m.held_out[k].error);
  text += "\n";
  for (std::size_t k = 0; k < m.pathways.size(); ++k) text += line(m.pathways[k], m.agreement[k]);
  text += "  " + words(m.layers) + "\n";
  if (!m.following.empty()) text += "  " + words(m.following) + "\n";
  return text;
}

}  // namespace amacrine::pathway
