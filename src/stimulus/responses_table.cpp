// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/responses.hpp"

#include <cmath>

#include <fmt/format.h>

namespace amacrine::stimulus {
namespace {

/// "present" and why not, in words of fixed length.
std::string verdict(Presence presence) {
  return presence == Presence::present        ? "present"
         : presence == Presence::not_measured ? "-"
                                              : "absent (" + presence_name(presence) + ")";
}

std::string osr_line(const OsrFigures& f) {
  std::string latencies;
  for (double latency : f.latency_ms) latencies += std::isfinite(latency) ? fmt::format(" {:.0f}", latency) : " -";
  return fmt::format("slope {:.2f} ({:.2f} to {:.2f}), response / ongoing at least {:.1f}, latencies{} ms", f.slope,
                     f.slope_interval.low, f.slope_interval.high, f.min_ratio, latencies);
}
std::string latency_line(const LatencyFigures& f) {
  std::string latencies;
  for (double latency : f.latency_ms) latencies += std::isfinite(latency) ? fmt::format(" {:.0f}", latency) : " -";
  return fmt::format("time to peak falls by {:.0f} ms{}:{} ms", f.total_shift_ms, f.monotonic == 1 ? "" : " (not at every step)",
                     latencies);
}
std::string reversal_line(const ReversalFigures& f) {
  return fmt::format("burst {:.0f} ms after the reversal, sd {:.1f} ms, burst / smooth at least {:.1f}", f.latency_mean_ms,
                     f.latency_sd_ms, f.ratio);
}
std::string anticipation_line(const AnticipationFigures& f) {
  std::string ahead;
  for (const auto& d : f.directions)
    ahead += std::isnan(d.ahead_um)
                 ? " -"
                 : fmt::format(" {:.0f} ({:.0f} to {:.0f})", d.ahead_um, d.ahead_interval.low, d.ahead_interval.high);
  return fmt::format("moving peak ahead by{} um", ahead);
}

}  // namespace

std::string phenomena_table(const Responses& responses) {
  std::string text;
  const auto add = [&](const std::string& cell, const char* phenomenon, Presence presence, const std::string& line,
                       double surprise) {
    const bool figures = !is_absent(presence);
    text += fmt::format("  {:<26}{:<14}{:<30}{}{}\n", cell, phenomenon, verdict(presence), figures ? line : "",
                        figures && std::isfinite(surprise) ? fmt::format("; surprise {:.2f}", surprise) : "");
  };
  for (std::size_t s = 0; s < responses.sets.size(); ++s) {
    text += fmt::format("{}, parameter set {}:\n", responses.subject, set_name(responses.sets[s]));
    for (std::size_t n = 0; n < responses.cells.size(); ++n) {
      const PhenomenonFigures& f = responses.figures[s][n];
      add(responses.cells[n], "osr", f.osr.overall, osr_line(f.osr), f.osr.surprise_index);
      add("", "latency", f.latency.overall, latency_line(f.latency), f.latency.surprise_index);
      add("", "reversal", f.reversal.overall, reversal_line(f.reversal), f.reversal.surprise_index);
      add("", "anticipation", f.anticipation.overall, anticipation_line(f.anticipation), f.anticipation.surprise_index);
    }
  }
  return text;
}

}  // namespace amacrine::stimulus
