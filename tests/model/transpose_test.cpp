// SPDX-License-Identifier: Apache-2.0
// The transposed first layer of single windows in the frequency domain against the direct kernel.
#include "amacrine/core/random.hpp"
#include "amacrine/model/kernels.hpp"
#include "amacrine/model/lane_conv.hpp"
#include "amacrine/model/spectral.hpp"
#include "support/compare.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace amacrine::model::transpose_test {
namespace {

struct TransposeCase {
  std::size_t channels, history, kernel_y, kernel_x, height, width, rows;
  std::size_t units_y() const { return height - kernel_y + 1; }
  std::size_t units_x() const { return width - kernel_x + 1; }
};

template <class S>
std::vector<S> deviates(std::size_t count, std::uint64_t id) {
  core::Random random(23, core::Stream::test, id);
  std::vector<S> values(count);
  for (S& value : values) value = static_cast<S>(random.normal());
  return values;
}

template <class V>
void copy_in(const std::vector<typename V::non_const_value_type>& values, const V& view) {
  using S = typename V::non_const_value_type;
  Kokkos::deep_copy(core::View1<S>(view.data(), view.size()), core::to_device("test::values", values));
}

/// A kernel, weights of its units, and what the direct kernel makes of them: (T, Y, X, rows).
template <class S>
struct Direct {
  core::View4<S> kernel;
  core::View5<S> weights;
  std::vector<S> windows;

  explicit Direct(const TransposeCase& n)
      : kernel(core::uninitialised("test::kernel"), n.channels, n.history, n.kernel_y, n.kernel_x),
        weights(core::uninitialised("test::weights"), 1, n.channels, n.units_y(), n.units_x(), n.rows) {
    copy_in(deviates<S>(kernel.size(), 1), kernel);
    copy_in(deviates<S>(weights.size(), 2), weights);
    const core::View5<S> out(core::uninitialised("test::windows"), 1, n.history, n.height, n.width, n.rows);
    temporal_conv_transpose(core::Exec(), weights, kernel, out);
    windows = core::to_host(out);
  }
};

template <class S>
void check_planes(const TransposeCase& n, double tolerance) {
  const Direct<S> direct(n);
  SpectralConv<S> engine(1, n.history, n.channels, n.kernel_y, n.kernel_x, n.height, n.width, n.rows);
  engine.set_kernel(core::Exec(), direct.kernel);
  const core::View5<S> out(core::uninitialised("test::windows"), 1, n.history, n.height, n.width, n.rows);
  engine.backward(core::Exec(), direct.weights, out, core::View5<S>());
  EXPECT_LE(test::relative_error(core::to_host(out), direct.windows), tolerance) << n.height << " x " << n.width;
}

/// As many rows as a register has lanes.
template <class S>
void check_lanes(TransposeCase n, double tolerance) {
  n.rows = static_cast<std::size_t>(LaneConv<S>::lanes);
  const Direct<S> direct(n);
  const LaneConv<S> engine(core::Exec(), direct.kernel, static_cast<int>(n.height), static_cast<int>(n.width));
  std::vector<S> scratch(engine.scratch()), found(direct.windows.size());
  const std::vector<S> weights = core::to_host(direct.weights);
  const std::size_t in_row = n.units_x() * n.rows, out_row = n.width * n.rows;
  engine.backward(
      [&](int c, int y, S* row) {
        const std::size_t at = static_cast<std::size_t>(c) * n.units_y() + static_cast<std::size_t>(y);
        std::copy_n(weights.data() + at * in_row, in_row, row);
      },
      [&](int lag, int y, const S* row) {
        const std::size_t at = static_cast<std::size_t>(lag) * n.height + static_cast<std::size_t>(y);
        std::copy_n(row, out_row, found.data() + at * out_row);
      },
      scratch.data());
  EXPECT_LE(test::relative_error(found, direct.windows), tolerance) << n.height << " x " << n.width;
}

constexpr TransposeCase odd{3, 7, 5, 4, 13, 11, 5}, wide{5, 19, 4, 6, 17, 23, 37}, full{8, 40, 15, 15, 50, 50, 3};

TEST(Transpose, PlanesOfSpectraAreTheDirectKernel) {
  for (const TransposeCase& n : {odd, wide}) {
    check_planes<double>(n, 1e-12);
    check_planes<float>(n, 2e-6);
  }
}
TEST(FullTranspose, PlanesOfSpectraAreTheDirectKernel) {
  check_planes<double>(full, 1e-12);
  check_planes<float>(full, 3e-6);
}

/// Host code: nothing to run where the default execution space is a device.
TEST(NeedsHost, LanesOfWindowsAreTransposedAsByTheDirectKernel) {
  if (!core::detail::exec_is_host) GTEST_SKIP() << "SKIPPED: windows lie in lanes on hosts only";
  for (const TransposeCase& n : {odd, wide, full}) {
    check_lanes<double>(n, 1e-12);
    check_lanes<float>(n, 3e-6);
  }
}

}  // namespace
}  // namespace amacrine::model::transpose_test
