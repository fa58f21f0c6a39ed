// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/reduce.hpp"

#include <cmath>

#include <fmt/format.h>

namespace amacrine::reduction {
namespace {

std::string figure(double value) { return std::isfinite(value) ? fmt::format("{:6.3f}", value) : std::string("     -"); }

/// One line for each pathway that has a weight; or why there is none.
std::string lines_of_pathways(const Reduction& reduction, const FirstLayer& layer, double least_share) {
  if (reduction.pathways.empty()) return "       no response\n";
  if (!(reduction.judged_r() >= least_share))
    return fmt::format("       no mechanism: these pathways reach r = {:.2f} with the response, below {:g}\n",
                       reduction.judged_r(), least_share);
  std::string text;
  for (std::size_t i = 0; i < reduction.pathways.size(); ++i) {
    const Pathway& p = reduction.pathways[i];
    if (!reduction.model.uses(i)) continue;
    const std::string where =
        std::isfinite(p.position_px) && p.column_first >= 0 ? fmt::format(" at {:+.1f} px", p.position_px) : std::string{};
    text += fmt::format("      {:3.0f} %  {}{}: {}, lobe {:.0f} ms, w {:+.4g} Hz, threshold {:+.3g}\n", 100 * p.share,
                        layer.channels[static_cast<std::size_t>(p.channel)], where, describe(p), p.lobe_ms,
                        reduction.model.weight[i], reduction.model.threshold[i]);
  }
  return text;
}

std::string standing(const CellReduction& cell) {
  if (!std::isfinite(cell.share_of_ceiling)) return ", share of the ceiling not known (run `amacrine evaluate` before `reduce`)";
  return fmt::format(", {:.0f} % of the ceiling", 100 * cell.share_of_ceiling);
}

}  // namespace

std::string table(const CellReduction& cell, const FirstLayer& layer) {
  std::string text = fmt::format("{}: rest {:.1f} Hz{}", cell.name, cell.rest, standing(cell));
  if (cell.share_of_ceiling < cell.least_share)
    return text + fmt::format("; below {:.0f} % (reduction.least_share) no mechanism is named\n", 100 * cell.least_share);
  text += "; r with the network, per stimulus and with one set for all stimuli\n";
  const auto row = [&](const std::string& name, const Reduction& r, const std::string& one) {
    text += fmt::format("  {:<20} {:>8} {:>5.0f} % {:>8} {:>8}{}\n", name, r.used(), 100 * r.share_kept, figure(r.fitted.r),
                        figure(r.held_out.r), one);
    text += lines_of_pathways(r, layer, cell.least_share);
  };
  text += fmt::format("  {:<20} {:>8} {:>7} {:>8} {:>8} {:>10} {:>10}\n", "stimulus", "pathways", "share", "fitted", "held out",
                      "one: fitted", "held out");
  for (std::size_t s = 0; s < cell.stimuli.size(); ++s)
    row(cell.stimuli[s].stimulus, cell.stimuli[s],
        fmt::format(" {:>10} {:>10}", figure(cell.joint_fitted[s].r), figure(cell.joint_held_out[s].r)));
  row("one set for all", cell.joint, {});
  return text;
}

}  // namespace amacrine::reduction
