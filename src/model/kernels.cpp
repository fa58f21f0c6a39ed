// SPDX-License-Identifier: Apache-2.0
#include "amacrine/model/kernels.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/model/segment_shape.hpp"
#include "kernels_device.hpp"
#include "kernels_host.hpp"

namespace amacrine::model {

namespace {

using core::View4;
using core::View5;

constexpr bool on_host = std::is_same_v<core::Exec, core::HostExec>;

void check(bool fits, const char* operation) {
  core::require(fits, "{}: the shapes of its arrays do not fit together", operation);
}

/// Shapes of a first-layer convolution: frames (G,Y,X,F), taps (T,KY,KX), outputs (G,C,OY,OX,B).
template <class S>
void check_temporal(const View4<S>& frames, std::size_t T, std::size_t KY, std::size_t KX, const View5<S>& out,
                    std::size_t spacing, const char* operation) {
  check(frames.extent(0) == out.extent(0) && frames.extent(1) == out.extent(2) + KY - 1 &&
            frames.extent(2) == out.extent(3) + KX - 1 && frames.extent(3) == SegmentShape(out.extent(4), 1, spacing).frames(T),
        operation);
}

/// Shapes of a convolution (C,D,KY,KX) between in (G,D,Y,X,B) and out (G,C,OY,OX,B).
template <class S>
void check_conv(const View5<S>& in, std::size_t C, std::size_t D, std::size_t KY, std::size_t KX, const View5<S>& out,
                const char* operation) {
  check(in.extent(0) == out.extent(0) && in.extent(1) == D && out.extent(1) == C && in.extent(2) == out.extent(2) + KY - 1 &&
            in.extent(3) == out.extent(3) + KX - 1 && in.extent(4) == out.extent(4),
        operation);
}

}  // namespace

template <class S>
void temporal_conv_forward(const core::Exec& exec, const View4<S>& frames, const View4<S>& kernel, const View5<S>& out,
                           std::size_t spacing) {
  check_temporal(frames, kernel.extent(1), kernel.extent(2), kernel.extent(3), out, spacing, "model::temporal_conv_forward");
  check(out.extent(1) == kernel.extent(0), "model::temporal_conv_forward");
  if constexpr (on_host) {
    host::temporal_conv_forward(exec, frames, kernel, out, spacing);
  } else {
    device::temporal_conv_forward(exec, frames, kernel, out, spacing);
  }
}

template <class S>
void temporal_conv_kernel_gradient(const core::Exec& exec, const View4<S>& frames, const View5<S>& d_out,
                                   const View5<S>& d_kernel, std::size_t spacing) {
  check_temporal(frames, d_kernel.extent(2), d_kernel.extent(3), d_kernel.extent(4), d_out, spacing,
                 "model::temporal_conv_kernel_gradient");
  check(d_kernel.extent(0) > 0 && d_out.extent(0) % d_kernel.extent(0) == 0 && d_out.extent(1) == d_kernel.extent(1),
        "model::temporal_conv_kernel_gradient");
  if constexpr (on_host) {
    host::temporal_conv_kernel_gradient(exec, frames, d_out, d_kernel, spacing);
  } else {
    device::temporal_conv_kernel_gradient(exec, frames, d_out, d_kernel, spacing);
  }
}

template <class S>
void conv_forward(const core::Exec& exec, const View5<S>& in, const View4<S>& kernel, const View5<S>& out) {
  check_conv(in, kernel.extent(0), kernel.extent(1), kernel.extent(2), kernel.extent(3), out, "model::conv_forward");
  if constexpr (on_host) {
    host::conv_forward(exec, in, kernel, out);
  } else {
    device::conv_forward(exec, in, kernel, out);
  }
}

template <class S>
void transpose(const core::Exec& exec, const char* label, const View5<S>& d_out, const View4<S>& kernel, const View5<S>& d_in) {
  check_conv(d_in, kernel.extent(0), kernel.extent(1), kernel.extent(2), kernel.extent(3), d_out, label);
  if constexpr (on_host) {
    host::conv_transpose(exec, label, d_out, kernel, d_in);
  } else {
    device::conv_transpose(exec, label, d_out, kernel, d_in);
  }
}

template <class S>
void conv_input_gradient(const core::Exec& exec, const View5<S>& d_out, const View4<S>& kernel, const View5<S>& d_in) {
  transpose(exec, "model::conv_input_gradient", d_out, kernel, d_in);
}

template <class S>
void temporal_conv_transpose(const core::Exec& exec, const View5<S>& d_out, const View4<S>& kernel, const View5<S>& d_window) {
  transpose(exec, "model::temporal_conv_transpose", d_out, kernel, d_window);
}

template <class S>
void conv_kernel_gradient(const core::Exec& exec, const View5<S>& in, const View5<S>& d_out, const View5<S>& d_kernel) {
  check_conv(in, d_kernel.extent(1), d_kernel.extent(2), d_kernel.extent(3), d_kernel.extent(4), d_out,
             "model::conv_kernel_gradient");
  check(d_kernel.extent(0) == d_out.extent(0), "model::conv_kernel_gradient");
  if constexpr (on_host) {
    host::conv_kernel_gradient(exec, in, d_out, d_kernel);
  } else {
    device::conv_kernel_gradient(exec, in, d_out, d_kernel);
  }
}

#define AMACRINE_INSTANTIATE(S)                                                                                              \
  template void temporal_conv_forward<S>(const core::Exec&, const View4<S>&, const View4<S>&, const View5<S>&, std::size_t); \
  template void temporal_conv_kernel_gradient<S>(const core::Exec&, const View4<S>&, const View5<S>&, const View5<S>&,       \
                                                 std::size_t);                                                               \
  template void conv_forward<S>(const core::Exec&, const View5<S>&, const View4<S>&, const View5<S>&);                       \
  template void conv_input_gradient<S>(const core::Exec&, const View5<S>&, const View4<S>&, const View5<S>&);                \
  template void conv_kernel_gradient<S>(const core::Exec&, const View5<S>&, const View5<S>&, const View5<S>&);               \
  template void temporal_conv_transpose<S>(const core::Exec&, const View5<S>&, const View4<S>&, const View5<S>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::model
