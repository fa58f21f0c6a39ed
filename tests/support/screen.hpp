// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/stimulus/stimulus.hpp"

/// The field every test draws on unless it says otherwise: 50 x 50 pixels, 10 ms frames, the cell in the middle.
namespace amacrine::test {

inline const stimulus::Screen screen;
inline const stimulus::Centre centre;

}  // namespace amacrine::test
