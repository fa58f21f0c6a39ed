// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/settings.hpp"

namespace amacrine::lesion {

LesionSettings read_lesions(core::Study& study) {
  LesionSettings s;
  s.windows = static_cast<int>(study.integer("lesions.windows", s.windows, 1, 100000));
  s.least_response = study.number("lesions.least_response", s.least_response, 0.0, 1.0);
  s.silent_below_hz = study.number("lesions.silent_below_hz", s.silent_below_hz, 0.0, 1e6);
  s.order_per_window = study.choose("lesions.orders_of", "stimulus", {"stimulus", "window"}) == "window";
  s.random_orders = static_cast<int>(study.integer("lesions.random_orders", s.random_orders, 1, 1000));
  s.seed = static_cast<std::uint64_t>(study.integer("lesions.seed", 1, 0, INT64_MAX));
  return s;
}

}  // namespace amacrine::lesion
