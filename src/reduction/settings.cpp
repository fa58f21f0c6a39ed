// SPDX-License-Identifier: Apache-2.0
#include "amacrine/reduction/settings.hpp"

namespace amacrine::reduction {

ReductionSettings read_reduction(core::Study& study) {
  ReductionSettings s;
  s.subjects = study.get<std::vector<std::string>>("reduction.subjects", s.subjects);
  s.keep_share = study.number("reduction.keep_share", s.keep_share, 0.01, 1.0);
  s.keep_at_most = static_cast<int>(study.integer("reduction.keep_at_most", s.keep_at_most, 1, 64));
  s.keep_at_most_joint = static_cast<int>(study.integer("reduction.keep_at_most_joint", s.keep_at_most_joint, 1, 64));
  s.silent_below_hz = study.number("reduction.silent_below_hz", s.silent_below_hz, 0.0, 1000.0);
  s.least_share = study.number("reduction.least_share", s.least_share, 0.0, 1.0);
  s.lobe_threshold = study.number("reduction.lobe_threshold", s.lobe_threshold, 0.0, 0.99);
  s.fast_below_ms = study.number("reduction.fast_below_ms", s.fast_below_ms, 0.0, 10000.0);
  s.balance_threshold = study.number("reduction.balance_threshold", s.balance_threshold, 0.0, 1.0);
  s.column_threshold = study.number("reduction.column_threshold", s.column_threshold, 0.0, 0.99);
  s.valley = study.number("reduction.valley", s.valley, 0.0, 1.0);
  s.knots = static_cast<int>(study.integer("reduction.knots", s.knots, 1, 64));
  s.held_out_every = static_cast<int>(study.integer("reduction.held_out_every", s.held_out_every, 0, 1000));
  core::require<core::StudyError>(
      s.held_out_every != 1,
      "{}: reduction.held_out_every = 1 would hold out every condition; use 2 or more, or 0 to hold out none",
      study.where("reduction.held_out_every"));
  s.prior = study.number("reduction.prior", s.prior, 0.0, 1e6);
  s.starts = static_cast<int>(study.integer("reduction.starts", s.starts, 1, 100));
  s.iterations = static_cast<int>(study.integer("reduction.iterations", s.iterations, 1, 100000));
  return s;
}

}  // namespace amacrine::reduction
