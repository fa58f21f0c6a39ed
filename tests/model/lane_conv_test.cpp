// SPDX-License-Identifier: Apache-2.0
// Convolutions a register of lanes at a time against sums written out over every tap, in double, at awkward sizes.
#include "amacrine/model/lane_conv.hpp"

#include "amacrine/core/random.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace amacrine::model::lane_conv_test {
namespace {

constexpr int inputs = 3, outputs = 9, kernel_y = 4, kernel_x = 5, height = 13, width = 11;
constexpr int out_height = height - kernel_y + 1, out_width = width - kernel_x + 1;

template <class S>
struct LaneCase {
  static constexpr int L = LaneConv<S>::lanes;
  std::vector<S> taps, in, d_out;
  LaneConv<S> convolution;
  std::vector<S> scratch;

  LaneCase() {
    core::Random random(17, core::Stream::test);
    const auto draw = [&](std::vector<S>& values, int count) {
      for (int i = 0; i < count; ++i) values.push_back(static_cast<S>(random.normal()));
    };
    draw(taps, outputs * inputs * kernel_y * kernel_x);
    draw(in, inputs * height * width * L);
    draw(d_out, outputs * out_height * out_width * L);
    const core::View4<S> kernel(core::uninitialised("test::kernel"), outputs, inputs, kernel_y, kernel_x);
    Kokkos::deep_copy(core::View1<S>(kernel.data(), kernel.size()), core::to_device("test::taps", taps));
    convolution = LaneConv<S>(core::Exec(), kernel, height, width);
    scratch.resize(convolution.scratch());
  }
  double tap(int c, int d, int j, int i) const {
    return static_cast<double>(taps[static_cast<std::size_t>(((c * inputs + d) * kernel_y + j) * kernel_x + i)]);
  }
  double input(int d, int y, int x, int l) const {
    return static_cast<double>(in[static_cast<std::size_t>(((d * height + y) * width + x) * L + l)]);
  }
  double gradient(int c, int y, int x, int l) const {
    if (y < 0 || x < 0 || y >= out_height || x >= out_width) return 0;
    return static_cast<double>(d_out[static_cast<std::size_t>(((c * out_height + y) * out_width + x) * L + l)]);
  }
  double from_channel(int c, int d, int y, int x, int l) const {
    double sum = 0;
    for (int j = 0; j < kernel_y; ++j)
      for (int i = 0; i < kernel_x; ++i) sum += tap(c, d, j, i) * input(d, y + j, x + i, l);
    return sum;
  }
  double transposed(int d, int y, int x, int l) const {
    double sum = 0;
    for (int c = 0; c < outputs; ++c)
      for (int j = 0; j < kernel_y; ++j)
        for (int i = 0; i < kernel_x; ++i) sum += tap(c, d, j, i) * gradient(c, y - j, x - i, l);
    return sum;
  }
  void fill_input(int d, int y, S* row) const { std::copy_n(in.data() + (d * height + y) * width * L, width * L, row); }
};

template <class S>
void check(double tolerance) {
  LaneCase<S> test;
  constexpr int L = LaneCase<S>::L;
  double worst = 0;
  int seen = 0;
  const auto compare = [&](double found, double wanted) {
    if (!(std::abs(found - wanted) <= worst)) worst = std::abs(found - wanted);
    ++seen;
  };
  const auto input = [&](int d, int y, S* row) { test.fill_input(d, y, row); };
  test.convolution.forward(
      input,
      [&](int c, int y, const S* row) {
        for (int x = 0; x < out_width; ++x)
          for (int l = 0; l < L; ++l) {
            double wanted = 0;
            for (int d = 0; d < inputs; ++d) wanted += test.from_channel(c, d, y, x, l);
            compare(static_cast<double>(row[x * L + l]), wanted);
          }
      },
      test.scratch.data());
  test.convolution.by_channel(
      input,
      [&](int d, int c, int y, const S* row) {
        for (int x = 0; x < out_width; ++x)
          for (int l = 0; l < L; ++l) compare(static_cast<double>(row[x * L + l]), test.from_channel(c, d, y, x, l));
      },
      test.scratch.data());
  test.convolution.backward(
      [&](int c, int y, S* row) { std::copy_n(test.d_out.data() + (c * out_height + y) * out_width * L, out_width * L, row); },
      [&](int d, int y, const S* row) {
        for (int x = 0; x < width; ++x)
          for (int l = 0; l < L; ++l) compare(static_cast<double>(row[x * L + l]), test.transposed(d, y, x, l));
      },
      test.scratch.data());
  EXPECT_EQ(seen, (outputs * (1 + inputs) * out_height * out_width + inputs * height * width) * L);
  EXPECT_LT(worst, tolerance);
}

/// Host code: nothing to run where the default execution space is a device.
TEST(NeedsHost, LaneConvAgreesWithSumsOverEveryTap) {
  if (!core::detail::exec_is_host) GTEST_SKIP() << "SKIPPED: windows lie in lanes on hosts only";
  check<double>(1e-12);
  check<float>(1e-4);
}

}  // namespace
}  // namespace amacrine::model::lane_conv_test
