// SPDX-License-Identifier: Apache-2.0
// The named parameter sets: what the simulated cells were made for, and the published ones (docs/study/probe.md has the table).
#include "amacrine/stimulus/catalogue.hpp"

namespace amacrine::stimulus {
namespace {

/// first, first + step, ..., `count` values; multiples are computed, not accumulated, so that 0.1 * 3 stays next to 0.3.
std::vector<double> range(double first, double step, int count) {
  std::vector<double> values(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = first + step * i;
  return values;
}

}  // namespace

bool named_probe(ParameterSet set, OsrProbe& probe) {
  probe = OsrProbe{};
  if (set == ParameterSet::bright) {
    probe.contrast *= -1;
  } else if (set == ParameterSet::library) {
    probe.periods_ms = {200};
    probe.flashes = 5;
    probe.before = 10;
    probe.repeat_group = true;
  } else if (set == ParameterSet::figure) {
    probe.periods_ms = {80};
    probe.flashes = 8;
    probe.before = 76;
    probe.after = 42;  // the omitted cycle of 8 frames, then 34 of grey
  } else if (set == ParameterSet::paper) {
    probe.aligned_end = true;
  }
  return true;
}

bool named_probe(ParameterSet set, LatencyProbe& probe) {
  if (set == ParameterSet::library) return false;
  probe = LatencyProbe{};
  if (set == ParameterSet::bright) {
    for (double& contrast : probe.contrasts) contrast *= -1;
  } else if (set == ParameterSet::figure) {
    probe.contrasts = range(-0.15, -0.15, 20);
    probe.before = 40;
    probe.after = 30;
  } else if (set == ParameterSet::paper) {
    probe.contrasts = range(-0.1, -0.1, 20);
    probe.before = probe.flash_frames = probe.after = 40;
  }
  return true;
}

bool named_probe(ParameterSet set, ReversalProbe& probe) {
  probe = ReversalProbe{};
  if (set == ParameterSet::bright) probe.contrast *= -1;
  if (set == ParameterSet::circuits || set == ParameterSet::bright) return true;
  probe.positions_px = range(-9, 1, 12);
  probe.speed = set == ParameterSet::figure ? 0.14 : 0.24;
  probe.width = set == ParameterSet::paper ? 6.0 : 2.0;
  probe.contrast = -1;
  probe.frames = 210;
  return true;
}

bool named_probe(ParameterSet set, AnticipationProbe& probe) {
  probe = AnticipationProbe{};
  probe.flash_positions_px = range(-7, 0.5, 29);
  if (set == ParameterSet::bright) probe.contrast *= -1;
  if (set == ParameterSet::circuits || set == ParameterSet::bright) return true;
  probe.speed = set == ParameterSet::figure ? 0.176 : 0.08;
  probe.width = set == ParameterSet::paper ? 4.0 : 2.0;
  probe.contrast = -1;
  probe.half_path = 30;
  probe.extra_frames = 1;
  probe.flash_positions_px = range(-25, 1, 51);
  probe.flash_before = 43;
  probe.flash_total = 70;
  return true;
}

}  // namespace amacrine::stimulus
