// SPDX-License-Identifier: Apache-2.0
// The frequency-domain convolutions against sums written out over every tap, in double, at awkward sizes and at full size.
#include "amacrine/model/spectral.hpp"

#include "amacrine/core/random.hpp"

#include <cmath>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace amacrine;
using core::uninitialised;
using core::View4;
using core::View5;

struct Sizes {
  std::size_t segments, channels, history, kernel, height, width, windows, out_channels, second_kernel, runs = 1, spacing = 1;
  model::SegmentShape shape() const { return {windows, runs, spacing}; }
  /// Frames of a phase: those that its windows need, each with the lags that fall on the phase.
  std::size_t phase() const { return windows / runs + (history + spacing - 1) / spacing - 1; }
  std::size_t frames() const { return runs * spacing * phase(); }
  /// Where the frame lies that window b sees at lag l: number `spacing * (b of its run) + l` of its run, sorted by phase.
  std::size_t at(std::size_t b, std::size_t l) const {
    const std::size_t in_run = b % (windows / runs) * spacing + l;
    return b / (windows / runs) * spacing * phase() + in_run % spacing * phase() + in_run / spacing;
  }
  std::size_t oy() const { return height - kernel + 1; }
  std::size_t ox() const { return width - kernel + 1; }
  std::size_t py() const { return oy() - second_kernel + 1; }
  std::size_t px() const { return ox() - second_kernel + 1; }
};

template <class V>
std::vector<double> fill(const V& view, std::uint64_t id) {
  using S = typename V::non_const_value_type;
  core::Random random(7, core::Stream::test, id);
  std::vector<S> values(view.size());
  for (S& value : values) value = static_cast<S>(random.normal());
  Kokkos::View<const S*, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(values.data(), values.size());
  Kokkos::View<S*, typename V::memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>> flat(view.data(), view.size());
  Kokkos::deep_copy(flat, host);
  return {values.begin(), values.end()};
}

/// Largest difference over the largest true value; infinite where anything is NaN.
template <class S>
double error(const std::vector<S>& found, const std::vector<double>& truth) {
  double worst = 0, scale = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const double difference = std::abs(static_cast<double>(found[i]) - truth[i]);
    if (!(difference <= 1e30)) return INFINITY;
    worst = std::max(worst, difference);
    scale = std::max(scale, std::abs(truth[i]));
  }
  return worst / scale;
}

/// First layer by the definition: forward value of one output and gradient of one tap.
struct FirstLayer {
  const Sizes& n;
  const std::vector<double>&frames, &kernel, &d_out;
  double frame(std::size_t g, std::size_t y, std::size_t x, std::size_t f) const {
    return frames[((g * n.height + y) * n.width + x) * n.frames() + f];
  }
  double forward(std::size_t g, std::size_t c, std::size_t y, std::size_t x, std::size_t b) const {
    double sum = 0;
    for (std::size_t l = 0; l < n.history; ++l)
      for (std::size_t j = 0; j < n.kernel; ++j)
        for (std::size_t i = 0; i < n.kernel; ++i)
          sum += kernel[((c * n.history + l) * n.kernel + j) * n.kernel + i] * frame(g, y + j, x + i, n.at(b, l));
    return sum;
  }
  double gradient(std::size_t g, std::size_t c, std::size_t l, std::size_t j, std::size_t i) const {
    double sum = 0;
    for (std::size_t y = 0; y < n.oy(); ++y)
      for (std::size_t x = 0; x < n.ox(); ++x)
        for (std::size_t b = 0; b < n.windows; ++b)
          sum += d_out[(((g * n.channels + c) * n.oy() + y) * n.ox() + x) * n.windows + b] * frame(g, y + j, x + i, n.at(b, l));
    return sum;
  }
};

/// Compares `found` with `truth(flat index)` at `samples` places (all of them when there are fewer).
template <class S, class Truth>
void expect_near(const std::vector<S>& found, std::size_t samples, double tolerance, const Truth& truth) {
  const std::size_t step = std::max<std::size_t>(1, found.size() / samples);
  std::vector<S> picked;
  std::vector<double> expected;
  for (std::size_t at = 0; at < found.size(); at += step) {
    picked.push_back(found[at]);
    expected.push_back(truth(at));
  }
  EXPECT_TRUE(error(picked, expected) <= tolerance)
      << "error " << error(picked, expected) << " over " << picked.size() << " values";
}

template <class S>
void check_first_layer(const Sizes& n, std::size_t samples, double tolerance, std::size_t together = 1) {
  View4<S> frames(uninitialised("test::frames"), n.segments, n.height, n.width, n.frames());
  View4<S> kernel(uninitialised("test::kernel"), n.channels, n.history, n.kernel, n.kernel);
  View5<S> out(uninitialised("test::out"), n.segments, n.channels, n.oy(), n.ox(), n.windows), d_out("test::d_out", out.layout());
  View5<S> d_kernel(uninitialised("test::d_kernel"), n.segments / together, n.channels, n.history, n.kernel, n.kernel);
  const std::vector<double> s = fill(frames, 1), w = fill(kernel, 2), d = fill(d_out, 3);
  const FirstLayer truth{n, s, w, d};
  core::Exec exec;
  model::SpectralTemporalConv<S> engine(n.segments, n.channels, n.history, n.kernel, n.kernel, n.height, n.width, n.shape(),
                                        model::SpectralUse::gradients, together);
  engine.set_kernel(exec, kernel);
  engine.forward(exec, frames, out);
  engine.kernel_gradient(exec, d_out, d_kernel);
  expect_near(core::to_host(out), samples, tolerance, [&](std::size_t i) {
    return truth.forward(i / (n.windows * n.ox() * n.oy() * n.channels), i / (n.windows * n.ox() * n.oy()) % n.channels,
                         i / (n.windows * n.ox()) % n.oy(), i / n.windows % n.ox(), i % n.windows);
  });
  const std::size_t k = n.kernel;
  expect_near(core::to_host(d_kernel), samples, tolerance, [&](std::size_t i) {
    double sum = 0;
    for (std::size_t g = 0; g < together; ++g)
      sum += truth.gradient(i / (k * k * n.history * n.channels) * together + g, i / (k * k * n.history) % n.channels,
                            i / (k * k) % n.history, i / k % k, i % k);
    return sum;
  });
}

/// The second layer by the definition.
struct SecondLayer {
  const Sizes& n;
  const std::vector<double>&in, &kernel, &d_out;
  std::size_t k() const { return n.second_kernel; }
  double input(std::size_t g, std::size_t d, std::size_t y, std::size_t x, std::size_t b) const {
    return in[(((g * n.channels + d) * n.oy() + y) * n.ox() + x) * n.windows + b];
  }
  double slope(std::size_t g, std::size_t c, std::size_t y, std::size_t x, std::size_t b) const {
    return d_out[(((g * n.out_channels + c) * n.py() + y) * n.px() + x) * n.windows + b];
  }
  double weight(std::size_t c, std::size_t d, std::size_t j, std::size_t i) const {
    return kernel[((c * n.channels + d) * k() + j) * k() + i];
  }
  double forward(std::size_t g, std::size_t c, std::size_t y, std::size_t x, std::size_t b) const {
    double sum = 0;
    for (std::size_t d = 0; d < n.channels; ++d)
      for (std::size_t j = 0; j < k(); ++j)
        for (std::size_t i = 0; i < k(); ++i) sum += weight(c, d, j, i) * input(g, d, y + j, x + i, b);
    return sum;
  }
  double input_gradient(std::size_t g, std::size_t d, std::size_t y, std::size_t x, std::size_t b) const {
    double sum = 0;
    for (std::size_t c = 0; c < n.out_channels; ++c)
      for (std::size_t j = 0; j < k(); ++j)
        for (std::size_t i = 0; i < k(); ++i)
          if (y >= j && x >= i && y - j < n.py() && x - i < n.px()) sum += weight(c, d, j, i) * slope(g, c, y - j, x - i, b);
    return sum;
  }
  double kernel_gradient(std::size_t g, std::size_t c, std::size_t d, std::size_t j, std::size_t i) const {
    double sum = 0;
    for (std::size_t y = 0; y < n.py(); ++y)
      for (std::size_t x = 0; x < n.px(); ++x)
        for (std::size_t b = 0; b < n.windows; ++b) sum += slope(g, c, y, x, b) * input(g, d, y + j, x + i, b);
    return sum;
  }
};

template <class S>
void check_second_layer(const Sizes& n, std::size_t samples, double tolerance) {
  View5<S> in(uninitialised("test::in"), n.segments, n.channels, n.oy(), n.ox(), n.windows), d_in("test::d_in", in.layout());
  View4<S> kernel(uninitialised("test::kernel"), n.out_channels, n.channels, n.second_kernel, n.second_kernel);
  View5<S> out(uninitialised("test::out"), n.segments, n.out_channels, n.py(), n.px(), n.windows),
      d_out("test::d_out", out.layout());
  View5<S> d_kernel(uninitialised("test::d_kernel"), n.segments, n.out_channels, n.channels, n.second_kernel, n.second_kernel);
  const std::vector<double> h = fill(in, 4), w = fill(kernel, 5), d = fill(d_out, 6);
  const SecondLayer truth{n, h, w, d};
  core::Exec exec;
  model::SpectralConv<S> engine(n.segments, n.channels, n.out_channels, n.second_kernel, n.second_kernel, n.oy(), n.ox(),
                                n.windows);
  engine.set_kernel(exec, kernel);
  engine.forward(exec, in, out);
  engine.backward(exec, d_out, d_in, d_kernel);
  const auto split = [&](std::size_t i, std::size_t channels, std::size_t height, std::size_t width, std::size_t last) {
    return std::array<std::size_t, 5>{i / (last * width * height * channels), i / (last * width * height) % channels,
                                      i / (last * width) % height, i / last % width, i % last};
  };
  expect_near(core::to_host(out), samples, tolerance, [&](std::size_t i) {
    const auto at = split(i, n.out_channels, n.py(), n.px(), n.windows);
    return truth.forward(at[0], at[1], at[2], at[3], at[4]);
  });
  expect_near(core::to_host(d_in), samples, tolerance, [&](std::size_t i) {
    const auto at = split(i, n.channels, n.oy(), n.ox(), n.windows);
    return truth.input_gradient(at[0], at[1], at[2], at[3], at[4]);
  });
  expect_near(core::to_host(d_kernel), samples, tolerance, [&](std::size_t i) {
    const auto at = split(i, n.out_channels, n.channels, n.second_kernel, n.second_kernel);
    return truth.kernel_gradient(at[0], at[1], at[2], at[3], at[4]);
  });
}

constexpr Sizes odd{3, 3, 7, 5, 13, 11, 5, 4, 3}, wide{2, 5, 19, 4, 17, 23, 37, 6, 7}, full{2, 8, 40, 15, 50, 50, 32, 8, 11};
/// Runs of windows that a transform over time takes in one block, in several, and not at all; two and more segments to a sum.
constexpr Sizes one_block{4, 2, 12, 3, 9, 8, 10, 2, 2}, blocks{6, 3, 9, 3, 8, 11, 61, 2, 2},
    long_history{2, 2, 90, 3, 8, 9, 20, 2, 2}, at_full_length{2, 2, 40, 3, 8, 8, 100, 2, 2},
    left_over{5, 3, 12, 3, 9, 8, 10, 2, 2};
/// Runs side by side: two, and three that do not fill their lanes; and as many to a sum as do not stay in its columns.
constexpr Sizes side_by_side{6, 3, 17, 3, 9, 8, 16, 2, 2, 2}, three_runs{12, 2, 22, 3, 8, 8, 15, 2, 2, 3},
    single_windows{4, 2, 9, 3, 8, 8, 16, 2, 2, 16}, full_side_by_side{4, 8, 40, 15, 50, 50, 16, 8, 11, 2};

/// Windows apart: spacings that divide the history and not, of runs alone, in blocks, and side by side; an odd number to a sum.
constexpr Sizes apart{4, 3, 12, 3, 9, 8, 10, 2, 2, 1, 4}, apart_unevenly{6, 2, 13, 3, 9, 8, 7, 2, 2, 1, 5},
    apart_in_blocks{2, 2, 40, 3, 8, 8, 70, 2, 2, 1, 2}, apart_side_by_side{6, 3, 17, 3, 9, 8, 16, 2, 2, 2, 3},
    apart_by_more{9, 2, 5, 3, 8, 9, 15, 2, 2, 5, 9}, full_apart{4, 8, 40, 15, 50, 50, 16, 8, 11, 2, 4};

TEST(Spectral, FirstLayerInDouble) {
  check_first_layer<double>(odd, 100000, 1e-13);
  check_first_layer<double>(wide, 3000, 1e-13);
}
TEST(Spectral, FirstLayerInTimeInDouble) {
  check_first_layer<double>(one_block, 100000, 1e-13);
  check_first_layer<double>(one_block, 100000, 1e-13, 2);
  check_first_layer<double>(left_over, 2000, 1e-13);
  check_first_layer<float>(left_over, 2000, 2e-6);
  check_first_layer<double>(blocks, 2000, 1e-13);
  check_first_layer<double>(blocks, 2000, 1e-13, 3);
  check_first_layer<double>(long_history, 2000, 1e-13);
  check_first_layer<double>(at_full_length, 2000, 1e-13, 2);
}
TEST(Spectral, FirstLayerOfRunsSideBySide) {
  check_first_layer<double>(side_by_side, 100000, 1e-13);
  check_first_layer<double>(side_by_side, 100000, 1e-13, 3);
  check_first_layer<float>(side_by_side, 100000, 2e-6, 2);
  check_first_layer<double>(three_runs, 2000, 1e-13);
  check_first_layer<double>(three_runs, 2000, 1e-13, 6);
  check_first_layer<float>(three_runs, 2000, 2e-6, 6);
  check_first_layer<double>(single_windows, 2000, 1e-13);
  check_first_layer<float>(single_windows, 2000, 2e-6, 4);
}
TEST(Spectral, FirstLayerOfWindowsApart) {
  check_first_layer<double>(apart, 100000, 1e-13);
  check_first_layer<float>(apart, 100000, 2e-6, 2);
  check_first_layer<double>(apart_unevenly, 100000, 1e-13, 3);
  check_first_layer<float>(apart_unevenly, 2000, 2e-6);
  check_first_layer<double>(apart_in_blocks, 2000, 1e-13);
  check_first_layer<double>(apart_in_blocks, 2000, 1e-13, 2);
  check_first_layer<double>(apart_side_by_side, 100000, 1e-13);
  check_first_layer<float>(apart_side_by_side, 2000, 2e-6, 6);
  check_first_layer<double>(apart_by_more, 2000, 1e-13, 9);
}
TEST(Spectral, RunsThatAreComputedSideBySide) {
  EXPECT_EQ(model::runs_side_by_side({64, 8, 8}, 40), 2u);
  EXPECT_EQ(model::runs_side_by_side({63, 8, 8}, 40), 1u) << "a segment would be left over";
  EXPECT_EQ(model::runs_side_by_side({9, 5, 3}, 40), 3u);
  EXPECT_EQ(model::runs_side_by_side({32, 16, 8}, 40), 1u);
  EXPECT_EQ(model::runs_side_by_side({512, 1, 8}, 40), 16u);
  EXPECT_EQ(model::runs_side_by_side({64, 8, 8}, 120), 1u) << "no transform over time is that long";
  EXPECT_EQ(model::runs_side_by_side({64, {8, 4}, 8}, 40), 2u);
  EXPECT_EQ(model::runs_side_by_side({64, {8, 4}, 8}, 120), 2u) << "a phase has 30 lags";
  EXPECT_EQ(model::runs_side_by_side({128, {4, 4}, 32}, 40), 4u);
  EXPECT_EQ(model::runs_side_by_side({128, {4, 4}, 33}, 40), 2u) << "33 ranks want a segment each";
  EXPECT_EQ(model::runs_side_by_side({128, {4, 4}, 1000}, 40), 1u);
}
TEST(Spectral, ForwardEnginesGiveAWindowTheSameBitsInAnySegment) {
  const Sizes n = one_block, more{4, 2, 12, 3, 9, 8, 27, 2, 2};
  const auto first_windows = [](const Sizes& sizes) {
    View4<float> frames("test::frames", 1, sizes.height, sizes.width, sizes.frames());
    View4<float> kernel(uninitialised("test::kernel"), sizes.channels, sizes.history, sizes.kernel, sizes.kernel);
    View5<float> out("test::out", 1, sizes.channels, sizes.oy(), sizes.ox(), sizes.windows);
    std::vector<float> values(frames.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      values[i] = std::sin(0.7f * static_cast<float>(i / sizes.frames()) + 1.3f * static_cast<float>(i % sizes.frames()));
    Kokkos::deep_copy(Kokkos::View<float*, View4<float>::memory_space>(frames.data(), frames.size()),
                      core::to_device("test::values", values));
    fill(kernel, 2);
    const core::Exec exec;
    model::SpectralTemporalConv<float> engine(1, sizes.channels, sizes.history, sizes.kernel, sizes.kernel, sizes.height,
                                              sizes.width, sizes.windows, model::SpectralUse::forward);
    engine.set_kernel(exec, kernel);
    engine.forward(exec, frames, out);
    std::vector<float> first;
    const std::vector<float> all = core::to_host(out);
    for (std::size_t i = 0; i < all.size(); i += sizes.windows) first.push_back(all[i]);
    return first;
  };
  EXPECT_EQ(first_windows(n), first_windows(more));
}
TEST(Spectral, SegmentsWhoseGradientsAreSummed) {
  EXPECT_EQ(model::gradient_segments(16, 40, 32, 8), 2u);
  EXPECT_EQ(model::gradient_segments(32, 40, 16, 8), 4u);
  EXPECT_EQ(model::gradient_segments(24, 40, 16, 8), 3u);
  EXPECT_EQ(model::gradient_segments(4, 40, 128, 8), 1u);
  EXPECT_EQ(model::gradient_segments(8, 40, 32, 8), 1u);
  EXPECT_EQ(model::gradient_segments(32, 40, 16, 16), 2u);
  EXPECT_EQ(model::gradient_segments(32, 40, 16, 32), 1u);
  EXPECT_EQ(model::gradient_segments(30, 40, 16, 8), 3u);
  EXPECT_EQ(model::gradient_segments(16, 120, 32, 8), 1u) << "no transform over time is that long";
}
TEST(Spectral, SecondLayerInDouble) {
  check_second_layer<double>(odd, 100000, 1e-13);
  check_second_layer<double>(wide, 3000, 1e-13);
}
TEST(Spectral, FloatStaysAtRoundOff) {
  check_first_layer<float>(wide, 3000, 2e-6);
  check_second_layer<float>(wide, 3000, 2e-6);
}
TEST(FullSpectral, BothLayersAtFullSize) {
  check_first_layer<float>(full, 400, 3e-6);
  check_first_layer<float>(full_side_by_side, 400, 3e-6, 2);
  check_first_layer<float>(full_apart, 400, 3e-6, 2);
  check_second_layer<float>(full, 400, 3e-6);
}
TEST(Spectral, SaysWhatItCanServe) {
  EXPECT_TRUE(model::spectral_possible(50, 50));
  EXPECT_FALSE(model::spectral_possible(500, 50));
  EXPECT_TRUE(model::spectral_pays(50, 50, 15, 15, 8));
  EXPECT_FALSE(model::spectral_pays(50, 50, 50, 50, 8));
}

}  // namespace
