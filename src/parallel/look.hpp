// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace amacrine::parallel::detail {

/// Has the timer of the StopListener write this rank's number to `descriptor` every two seconds, from inside a signal handler;
/// -1: no more. False where there is no such timer.
bool give_signs(int descriptor, int rank);

}  // namespace amacrine::parallel::detail
