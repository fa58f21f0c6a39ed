// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"

#include <cstdint>

namespace amacrine::lesion {

/// The [lesions] table; docs/study/lesions.md says what each key means.
struct LesionSettings {
  int windows = 64;             ///< of a cell and stimulus, at most
  double least_response = 0.1;  ///< a window responds where |r - r0| is at least this part of the largest of its stimulus
  double silent_below_hz = 1.0;
  bool order_per_window = false;  ///< every window has orders of its own, else one serves all windows of a stimulus
  int random_orders = 5;
  std::uint64_t seed = 1;
};

/// Reads and checks the [lesions] table. Throws core::StudyError.
LesionSettings read_lesions(core::Study& study);

}  // namespace amacrine::lesion
