// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/random.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/model/kernels.hpp"
#include "naive_network.hpp"

#include <cstring>
#include <type_traits>

#include <gtest/gtest.h>

using namespace amacrine;

namespace {

template <class V>
V random_view(const V& view, std::uint64_t id) {
  std::vector<typename V::value_type> values(view.size());
  core::Random random(9, core::Stream::test, id);
  for (auto& value : values) value = static_cast<typename V::value_type>(random.normal());
  Kokkos::deep_copy(core::View1<typename V::value_type>(view.data(), view.size()), core::to_device("test::values", values));
  return view;
}

/// The bits of everything the kernels and the head compute on `exec`.
template <class S>
std::vector<S> all_results(const core::Exec& exec) {
  constexpr std::size_t G = 3, B = 21, T = 18, C = 5, D = 6;
  const auto frames = random_view(core::View4<S>("test::frames", G, 13, 12, B + T - 1), 1);
  const auto kernel1 = random_view(core::View4<S>("test::kernel1", C, T, 4, 5), 2);
  const auto d_out = random_view(core::View5<S>("test::d_out", G, C, 10, 8, B), 3);
  const auto in = random_view(core::View5<S>("test::in", G, D, 13, 12, B), 4);
  const auto kernel2 = random_view(core::View4<S>("test::kernel2", C, D, 4, 5), 5);
  const core::View5<S> out1("test::out1", G, C, 10, 8, B), out2("test::out2", G, C, 10, 8, B),
      d_in("test::d_in", G, D, 13, 12, B);
  const core::View5<S> d_kernel1("test::d_kernel1", G, C, T, 4, 5), d_kernel2("test::d_kernel2", G, C, D, 4, 5);
  const core::View5<S> d_window("test::d_window", G, T, 13, 12, B);
  model::temporal_conv_forward(exec, frames, kernel1, out1);
  model::temporal_conv_kernel_gradient(exec, frames, d_out, d_kernel1);
  model::temporal_conv_transpose(exec, d_out, kernel1, d_window);
  model::conv_forward(exec, in, kernel2, out2);
  model::conv_input_gradient(exec, d_out, kernel2, d_in);
  model::conv_kernel_gradient(exec, in, d_out, d_kernel2);

  model::Architecture a;
  a.history = 5, a.height = 11, a.width = 9, a.cells = 3, a.norm = model::Norm::per_unit;
  a.hidden = {{3, 4, 3}, {2, 3, 4}};
  const auto network = model::make_inference<S>(test::random_model(a, 5));
  const auto z = random_view(model::make_first_layer(network, 2, B), 6);
  auto state = model::make_head_state(network, 2, B);
  model::head_forward(exec, network, z, state);
  exec.fence();
  std::vector<S> all;
  for (const auto& view : {out1, out2, d_in, d_kernel1, d_kernel2, d_window, state.h[1]}) {
    const auto values = core::to_host(view);
    all.insert(all.end(), values.begin(), values.end());
  }
  const auto rate = core::to_host(state.rate);
  all.insert(all.end(), rate.begin(), rate.end());
  return all;
}

/// The same execution space with one thread, where it has threads to choose.
template <class E>
E single_thread(const E& exec) {
  if constexpr (std::is_constructible_v<E, int>) {
    return E(1);
  } else {
    return exec;
  }
}

template <class S>
void expect_same_bits() {
  const core::Exec exec, single = single_thread(exec);
  if (!std::is_constructible_v<core::Exec, int> || exec.concurrency() < 2) {
    GTEST_SKIP() << "SKIPPED: numbers of threads cannot be compared with " << exec.concurrency() << " threads of " << exec.name();
  }
  const auto many = all_results<S>(exec), one = all_results<S>(single);
  ASSERT_EQ(many.size(), one.size());
  EXPECT_EQ(std::memcmp(many.data(), one.data(), many.size() * sizeof(S)), 0);
}

TEST(NeedsThreads, DoNotChangeBits) { expect_same_bits<float>(); }
TEST(NeedsThreads, DoNotChangeBitsInDouble) { expect_same_bits<double>(); }

}  // namespace
