// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <limits>

namespace amacrine::core {

/// What a figure holds where it has no value: a cell without spikes, a period too few, a share of nothing.
inline constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

/// A settings' int as an extent; it has been checked not to be negative.
constexpr std::size_t as_size(int value) { return static_cast<std::size_t>(value); }

}  // namespace amacrine::core
