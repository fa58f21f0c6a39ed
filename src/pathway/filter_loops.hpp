// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

/// Inner loops over frames, written so that compilers turn them into vector instructions: several rows are taken together, so
/// that what is summed stays in registers.
namespace amacrine::pathway {

/// y_i += sum_r a_r x_r(i) over `rows` rows; `row(r)` points at the first value of a row.
template <class Real, class Row, class Factor>
inline void add_rows(Real* y, std::size_t count, std::size_t rows, const Row& row, const Factor& factor) {
  std::size_t r = 0;
  for (; r + 8 <= rows; r += 8) {
    const auto *x0 = row(r), *x1 = row(r + 1), *x2 = row(r + 2), *x3 = row(r + 3);
    const auto *x4 = row(r + 4), *x5 = row(r + 5), *x6 = row(r + 6), *x7 = row(r + 7);
    const Real a0 = factor(r), a1 = factor(r + 1), a2 = factor(r + 2), a3 = factor(r + 3);
    const Real a4 = factor(r + 4), a5 = factor(r + 5), a6 = factor(r + 6), a7 = factor(r + 7);
    for (std::size_t i = 0; i < count; ++i)
      y[i] += (a0 * static_cast<Real>(x0[i]) + a1 * static_cast<Real>(x1[i]) + a2 * static_cast<Real>(x2[i]) +
               a3 * static_cast<Real>(x3[i])) +
              (a4 * static_cast<Real>(x4[i]) + a5 * static_cast<Real>(x5[i]) + a6 * static_cast<Real>(x6[i]) +
               a7 * static_cast<Real>(x7[i]));
  }
  for (; r < rows; ++r) {
    const auto* x = row(r);
    const Real a = factor(r);
    for (std::size_t i = 0; i < count; ++i) y[i] += a * static_cast<Real>(x[i]);
  }
}

/// take(r, sum_i y_i x_r(i)) for every row; sums in 16 parts whose order is fixed.
template <class Real, class Row, class Take>
inline void dot_rows(const Real* y, std::size_t count, std::size_t rows, const Row& row, const Take& take) {
  constexpr std::size_t lanes = 16;
  const std::size_t whole = count / lanes * lanes;
  const auto finish = [&](std::size_t r, const Real* sums) {
    const auto* x = row(r);
    Real sum = 0;
    for (std::size_t l = 0; l < lanes; ++l) sum += sums[l];
    for (std::size_t i = whole; i < count; ++i) sum += y[i] * static_cast<Real>(x[i]);
    take(r, sum);
  };
  std::size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const auto *x0 = row(r), *x1 = row(r + 1), *x2 = row(r + 2), *x3 = row(r + 3);
    Real s0[lanes] = {}, s1[lanes] = {}, s2[lanes] = {}, s3[lanes] = {};
    for (std::size_t i = 0; i < whole; i += lanes)
      for (std::size_t l = 0; l < lanes; ++l) {
        s0[l] += y[i + l] * static_cast<Real>(x0[i + l]);
        s1[l] += y[i + l] * static_cast<Real>(x1[i + l]);
        s2[l] += y[i + l] * static_cast<Real>(x2[i + l]);
        s3[l] += y[i + l] * static_cast<Real>(x3[i + l]);
      }
    finish(r, s0), finish(r + 1, s1), finish(r + 2, s2), finish(r + 3, s3);
  }
  for (; r < rows; ++r) {
    const auto* x = row(r);
    Real s0[lanes] = {};
    for (std::size_t i = 0; i < whole; i += lanes)
      for (std::size_t l = 0; l < lanes; ++l) s0[l] += y[i + l] * static_cast<Real>(x[i + l]);
    finish(r, s0);
  }
}

}  // namespace amacrine::pathway
