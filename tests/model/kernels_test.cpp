// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/kernels.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/random.hpp"

#include <cmath>

#include <gtest/gtest.h>

using namespace amacrine;

namespace {

/// A dense host array of doubles, for brute force.
struct Dense {
  std::vector<std::size_t> shape;
  std::vector<double> values;
  explicit Dense(std::vector<std::size_t> extents) : shape(std::move(extents)) {
    std::size_t n = 1;
    for (std::size_t extent : shape) n *= extent;
    values.assign(n, 0.0);
  }
  template <class... I>
  double& operator()(I... index) {
    const std::size_t where[] = {static_cast<std::size_t>(index)...};
    std::size_t at = 0;
    for (std::size_t axis = 0; axis < shape.size(); ++axis) at = at * shape[axis] + where[axis];
    return values[at];
  }
};

/// Random values that float holds exactly.
Dense random_dense(std::vector<std::size_t> shape, std::uint64_t id) {
  Dense dense(std::move(shape));
  core::Random random(7, core::Stream::test, id);
  for (double& value : dense.values) value = static_cast<double>(static_cast<float>(random.normal()));
  return dense;
}

template <class S>
core::View4<S> view4(const Dense& dense) {
  core::View4<S> view("test::view4", dense.shape[0], dense.shape[1], dense.shape[2], dense.shape[3]);
  Kokkos::View<S*, Kokkos::HostSpace> flat("test::flat", view.size());
  for (std::size_t n = 0; n < view.size(); ++n) flat(n) = static_cast<S>(dense.values[n]);
  Kokkos::deep_copy(core::View1<S>(view.data(), view.size()), flat);
  return view;
}

template <class S>
core::View5<S> view5(const Dense& dense) {
  core::View5<S> view("test::view5", dense.shape[0], dense.shape[1], dense.shape[2], dense.shape[3], dense.shape[4]);
  Kokkos::View<S*, Kokkos::HostSpace> flat("test::flat", view.size());
  for (std::size_t n = 0; n < view.size(); ++n) flat(n) = static_cast<S>(dense.values[n]);
  Kokkos::deep_copy(core::View1<S>(view.data(), view.size()), flat);
  return view;
}

struct Case {
  std::size_t G, B, T, Y, X, C, KY, KX, spacing = 1;
  std::size_t OY() const { return Y - KY + 1; }
  std::size_t OX() const { return X - KX + 1; }
  /// Frames of a phase, and of all: whole rounds of the spacing.
  std::size_t phase() const { return B + (T + spacing - 1) / spacing - 1; }
  std::size_t F() const { return spacing * phase(); }
};

/// frames (G, Y, X, F) in the order of time -> as the kernels take them, sorted by their phase.
Dense by_phase(Dense& frames, const Case& k) {
  Dense sorted(frames.shape);
  for (std::size_t row = 0; row < k.G * k.Y * k.X; ++row)
    for (std::size_t f = 0; f < k.F(); ++f)
      sorted.values[row * k.F() + f % k.spacing * k.phase() + f / k.spacing] = frames.values[row * k.F() + f];
  return sorted;
}

Dense brute_temporal(Dense& frames, Dense& kernel, const Case& k) {
  Dense out({k.G, k.C, k.OY(), k.OX(), k.B});
  for (std::size_t g = 0; g < k.G; ++g)
    for (std::size_t c = 0; c < k.C; ++c)
      for (std::size_t y = 0; y < k.OY(); ++y)
        for (std::size_t x = 0; x < k.OX(); ++x)
          for (std::size_t b = 0; b < k.B; ++b)
            for (std::size_t l = 0; l < k.T; ++l)
              for (std::size_t j = 0; j < k.KY; ++j)
                for (std::size_t i = 0; i < k.KX; ++i)
                  out(g, c, y, x, b) += kernel(c, l, j, i) * frames(g, y + j, x + i, k.spacing * b + l);
  return out;
}

/// The inner product that ties a linear map to its gradients.
double dot(const Dense& a, const Dense& b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.values.size(); ++n) sum += a.values[n] * b.values[n];
  return sum;
}

/// Largest difference, relative to the spread of the expected values.
template <class V>
double error(const V& view, const Dense& expected) {
  const auto found = core::to_host(view);
  double scale = 0, worst = 0;
  for (double value : expected.values) scale += value * value;
  scale = std::sqrt(scale / static_cast<double>(expected.values.size()));
  for (std::size_t n = 0; n < found.size(); ++n) {
    const double e = std::abs(static_cast<double>(found[n]) - expected.values[n]) / scale;
    if (!(e <= worst)) worst = e;
  }
  return worst;
}

template <class S>
constexpr double tolerance = std::is_same_v<S, float> ? 3e-6 : 1e-13;

template <class S>
struct Kernels : testing::Test {};
using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Kernels, Scalars);

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {1, 1, 1, 1, 1, 1, 1, 1},   {2, 3, 5, 7, 6, 2, 3, 4},   {1, 5, 4, 6, 9, 3, 6, 9},    {3, 17, 7, 8, 7, 5, 4, 3},
      {1, 33, 40, 6, 5, 9, 3, 2}, {2, 32, 40, 9, 9, 8, 5, 5}, {1, 49, 17, 5, 6, 11, 2, 3}, {1, 16, 50, 5, 5, 30, 5, 5},
      {2, 64, 33, 4, 4, 7, 2, 2}, {1, 2, 97, 4, 4, 6, 2, 2},
  };
  return list;
}

/// Of the first layer: also windows apart, by spacings that divide the history and that do not, up to one beyond it.
std::vector<Case> temporal_cases() {
  std::vector<Case> list = cases();
  for (const Case& apart : {Case{2, 5, 12, 6, 5, 3, 3, 2, 4}, Case{1, 17, 13, 5, 6, 9, 2, 3, 5},
                            Case{2, 33, 40, 5, 4, 8, 5, 4, 2}, Case{1, 3, 70, 4, 4, 5, 2, 2, 2}, Case{1, 2, 3, 4, 4, 2, 2, 2, 7}})
    list.push_back(apart);
  return list;
}

TYPED_TEST(Kernels, TemporalForwardEqualsBruteForce) {
  for (const Case& k : temporal_cases()) {
    Dense frames = random_dense({k.G, k.Y, k.X, k.F()}, 1), kernel = random_dense({k.C, k.T, k.KY, k.KX}, 2);
    const Dense expected = brute_temporal(frames, kernel, k);
    core::View5<TypeParam> out("test::out", k.G, k.C, k.OY(), k.OX(), k.B);
    model::temporal_conv_forward<TypeParam>(core::Exec(), view4<TypeParam>(by_phase(frames, k)), view4<TypeParam>(kernel), out,
                                            k.spacing);
    EXPECT_LE(error(out, expected), tolerance<TypeParam>)
        << "B " << k.B << " T " << k.T << " spacing " << k.spacing << " C " << k.C;
  }
}

TYPED_TEST(Kernels, TemporalKernelGradientEqualsBruteForce) {
  for (const Case& k : temporal_cases()) {
    Dense frames = random_dense({k.G, k.Y, k.X, k.F()}, 1), delta = random_dense({k.G, k.C, k.OY(), k.OX(), k.B}, 3);
    Dense expected({k.G, k.C, k.T, k.KY, k.KX});
    for (std::size_t g = 0; g < k.G; ++g)
      for (std::size_t c = 0; c < k.C; ++c)
        for (std::size_t l = 0; l < k.T; ++l)
          for (std::size_t j = 0; j < k.KY; ++j)
            for (std::size_t i = 0; i < k.KX; ++i)
              for (std::size_t y = 0; y < k.OY(); ++y)
                for (std::size_t x = 0; x < k.OX(); ++x)
                  for (std::size_t b = 0; b < k.B; ++b)
                    expected(g, c, l, j, i) += delta(g, c, y, x, b) * frames(g, y + j, x + i, k.spacing * b + l);
    core::View5<TypeParam> d_kernel("test::d_kernel", k.G, k.C, k.T, k.KY, k.KX);
    model::temporal_conv_kernel_gradient<TypeParam>(core::Exec(), view4<TypeParam>(by_phase(frames, k)), view5<TypeParam>(delta),
                                                    d_kernel, k.spacing);
    EXPECT_LE(error(d_kernel, expected), tolerance<TypeParam>)
        << "B " << k.B << " T " << k.T << " spacing " << k.spacing << " C " << k.C;
    // One gradient for all segments.
    Dense total({1, k.C, k.T, k.KY, k.KX});
    for (std::size_t n = 0; n < expected.values.size(); ++n) total.values[n % total.values.size()] += expected.values[n];
    core::View5<TypeParam> summed("test::summed", 1, k.C, k.T, k.KY, k.KX);
    model::temporal_conv_kernel_gradient<TypeParam>(core::Exec(), view4<TypeParam>(by_phase(frames, k)), view5<TypeParam>(delta),
                                                    summed, k.spacing);
    EXPECT_LE(error(summed, total), tolerance<TypeParam>)
        << "B " << k.B << " T " << k.T << " spacing " << k.spacing << " C " << k.C;
  }
}

// For the second layer a case's T is its number of input channels D.
TYPED_TEST(Kernels, ConvForwardEqualsBruteForce) {
  for (const Case& k : cases()) {
    Dense in = random_dense({k.G, k.T, k.Y, k.X, k.B}, 4), kernel = random_dense({k.C, k.T, k.KY, k.KX}, 2);
    Dense expected({k.G, k.C, k.OY(), k.OX(), k.B});
    for (std::size_t g = 0; g < k.G; ++g)
      for (std::size_t c = 0; c < k.C; ++c)
        for (std::size_t y = 0; y < k.OY(); ++y)
          for (std::size_t x = 0; x < k.OX(); ++x)
            for (std::size_t b = 0; b < k.B; ++b)
              for (std::size_t d = 0; d < k.T; ++d)
                for (std::size_t j = 0; j < k.KY; ++j)
                  for (std::size_t i = 0; i < k.KX; ++i)
                    expected(g, c, y, x, b) += kernel(c, d, j, i) * in(g, d, y + j, x + i, b);
    core::View5<TypeParam> out("test::out", k.G, k.C, k.OY(), k.OX(), k.B);
    model::conv_forward<TypeParam>(core::Exec(), view5<TypeParam>(in), view4<TypeParam>(kernel), out);
    EXPECT_LE(error(out, expected), tolerance<TypeParam>) << "B " << k.B << " D " << k.T << " C " << k.C;
  }
}

TYPED_TEST(Kernels, TransposedConvolutionsEqualBruteForce) {
  for (const Case& k : cases()) {
    Dense delta = random_dense({k.G, k.C, k.OY(), k.OX(), k.B}, 3), kernel = random_dense({k.C, k.T, k.KY, k.KX}, 2);
    Dense expected({k.G, k.T, k.Y, k.X, k.B});
    for (std::size_t g = 0; g < k.G; ++g)
      for (std::size_t c = 0; c < k.C; ++c)
        for (std::size_t y = 0; y < k.OY(); ++y)
          for (std::size_t x = 0; x < k.OX(); ++x)
            for (std::size_t b = 0; b < k.B; ++b)
              for (std::size_t d = 0; d < k.T; ++d)
                for (std::size_t j = 0; j < k.KY; ++j)
                  for (std::size_t i = 0; i < k.KX; ++i)
                    expected(g, d, y + j, x + i, b) += kernel(c, d, j, i) * delta(g, c, y, x, b);
    core::View5<TypeParam> d_in("test::d_in", k.G, k.T, k.Y, k.X, k.B), d_window("test::d_window", k.G, k.T, k.Y, k.X, k.B);
    model::conv_input_gradient<TypeParam>(core::Exec(), view5<TypeParam>(delta), view4<TypeParam>(kernel), d_in);
    model::temporal_conv_transpose<TypeParam>(core::Exec(), view5<TypeParam>(delta), view4<TypeParam>(kernel), d_window);
    EXPECT_LE(error(d_in, expected), tolerance<TypeParam>) << "B " << k.B << " D " << k.T << " C " << k.C;
    EXPECT_LE(error(d_window, expected), tolerance<TypeParam>) << "B " << k.B << " D " << k.T << " C " << k.C;
  }
}

TYPED_TEST(Kernels, ConvKernelGradientEqualsBruteForce) {
  for (const Case& k : cases()) {
    Dense in = random_dense({k.G, k.T, k.Y, k.X, k.B}, 4), delta = random_dense({k.G, k.C, k.OY(), k.OX(), k.B}, 3);
    Dense expected({k.G, k.C, k.T, k.KY, k.KX});
    for (std::size_t g = 0; g < k.G; ++g)
      for (std::size_t c = 0; c < k.C; ++c)
        for (std::size_t d = 0; d < k.T; ++d)
          for (std::size_t j = 0; j < k.KY; ++j)
            for (std::size_t i = 0; i < k.KX; ++i)
              for (std::size_t y = 0; y < k.OY(); ++y)
                for (std::size_t x = 0; x < k.OX(); ++x)
                  for (std::size_t b = 0; b < k.B; ++b)
                    expected(g, c, d, j, i) += delta(g, c, y, x, b) * in(g, d, y + j, x + i, b);
    core::View5<TypeParam> d_kernel("test::d_kernel", k.G, k.C, k.T, k.KY, k.KX);
    model::conv_kernel_gradient<TypeParam>(core::Exec(), view5<TypeParam>(in), view5<TypeParam>(delta), d_kernel);
    EXPECT_LE(error(d_kernel, expected), tolerance<TypeParam>) << "B " << k.B << " D " << k.T << " C " << k.C;
  }
}

TYPED_TEST(Kernels, AWindowsBitsDoNotDependOnItsBlock) {
  Dense frames = random_dense({1, 9, 8, 60}, 5), kernel = random_dense({5, 12, 4, 3}, 6);
  core::View5<TypeParam> all("test::all", 1, 5, 6, 6, 49);
  model::temporal_conv_forward<TypeParam>(core::Exec(), view4<TypeParam>(frames), view4<TypeParam>(kernel), all);
  const auto together = core::to_host(all);
  for (const std::size_t B : {1, 3, 4, 15, 16, 18, 32}) {
    Dense part({1, 9, 8, B + 11});
    const std::size_t first = 48 - B;
    for (std::size_t p = 0; p < 72; ++p)
      for (std::size_t f = 0; f < B + 11; ++f) part.values[p * (B + 11) + f] = frames.values[p * 60 + first + f];
    core::View5<TypeParam> some("test::some", 1, 5, 6, 6, B);
    model::temporal_conv_forward<TypeParam>(core::Exec(), view4<TypeParam>(part), view4<TypeParam>(kernel), some);
    const auto alone = core::to_host(some);
    for (std::size_t u = 0; u < 180; ++u)
      for (std::size_t b = 0; b < B; ++b)
        ASSERT_EQ(alone[u * B + b], together[u * 49 + first + b]) << "B " << B << " unit " << u << " window " << b;
  }
}

TEST(KernelShapes, AreChecked) {
  core::View4<float> frames("test::frames", 1, 5, 5, 9), kernel("test::kernel", 2, 4, 3, 3);
  core::View5<float> good("test::good", 1, 2, 3, 3, 6), bad("test::bad", 1, 2, 3, 3, 7);
  EXPECT_NO_THROW(model::temporal_conv_forward(core::Exec(), frames, kernel, good));
  EXPECT_THROW(model::temporal_conv_forward(core::Exec(), frames, kernel, bad), core::Error);
}

// The full size is checked through the identities that define a gradient: <d, W * s> = <W, grad> = <transpose, s>, in double.
TEST(FullKernels, FirstLayerGradientsAreTheAdjointsOfTheForward) {
  const Case k{1, 32, 40, 50, 50, 8, 15, 15};
  Dense frames = random_dense({k.G, k.Y, k.X, k.B + k.T - 1}, 1), kernel = random_dense({k.C, k.T, k.KY, k.KX}, 2);
  Dense delta = random_dense({k.G, k.C, k.OY(), k.OX(), k.B}, 3);
  core::View5<float> out("test::out", k.G, k.C, k.OY(), k.OX(), k.B), d_kernel("test::d_kernel", k.G, k.C, k.T, k.KY, k.KX);
  core::View5<float> d_window("test::d_window", k.G, k.T, k.Y, k.X, k.B);
  const auto s = view4<float>(frames), w = view4<float>(kernel);
  const auto d = view5<float>(delta);
  model::temporal_conv_forward(core::Exec(), s, w, out);
  model::temporal_conv_kernel_gradient(core::Exec(), s, d, d_kernel);
  model::temporal_conv_transpose(core::Exec(), d, w, d_window);
  Dense found_out(delta.shape), found_gradient(kernel.shape), windows({k.G, k.T, k.Y, k.X, k.B}), found_window(windows.shape);
  const auto o = core::to_host(out), dk = core::to_host(d_kernel), dw = core::to_host(d_window);
  found_out.values.assign(o.begin(), o.end());
  found_gradient.values.assign(dk.begin(), dk.end());
  found_window.values.assign(dw.begin(), dw.end());
  for (std::size_t l = 0; l < k.T; ++l)
    for (std::size_t y = 0; y < k.Y; ++y)
      for (std::size_t x = 0; x < k.X; ++x)
        for (std::size_t b = 0; b < k.B; ++b) windows(0, l, y, x, b) = frames(0, y, x, b + l);
  const double forward = dot(delta, found_out), scale = std::sqrt(dot(delta, delta) * dot(found_out, found_out));
  EXPECT_LE(std::abs(forward - dot(kernel, found_gradient)) / scale, 1e-8);
  EXPECT_LE(std::abs(forward - dot(windows, found_window)) / scale, 1e-8);
  // And some outputs one by one.
  for (const std::size_t n : {0, 7, 20735, 331775}) {
    const std::size_t b = n % k.B, x = n / k.B % k.OX(), y = n / k.B / k.OX() % k.OY(), c = n / k.B / k.OX() / k.OY();
    double expected = 0;
    for (std::size_t l = 0; l < k.T; ++l)
      for (std::size_t j = 0; j < k.KY; ++j)
        for (std::size_t i = 0; i < k.KX; ++i) expected += kernel(c, l, j, i) * frames(0, y + j, x + i, b + l);
    EXPECT_NEAR(found_out.values[n], expected, 95.0 * 3e-6);  // 95 = sd of a sum of 9,000 unit products
  }
}

}  // namespace
