// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/array.hpp"
#include "amacrine/core/memory.hpp"

#include <string>

#include <Kokkos_Core.hpp>

/// View aliases. Layout is always LayoutRight (last axis fastest, HDF5 order), on the host and on the device.
/// Axis letters: G segments, B windows of a segment, F frames of a segment (F = B + T - 1), T history, Y X pixels, C D channels,
/// N cells, P parameters. In activations and frames the *time* axis (B or F) is last, so that SIMD lanes and warps run over
/// neighbouring windows.
namespace amacrine::core {

using Exec = Kokkos::DefaultExecutionSpace;
using HostExec = Kokkos::DefaultHostExecutionSpace;

template <class T>
using View1 = Kokkos::View<T*, Kokkos::LayoutRight, Exec>;
template <class T>
using View2 = Kokkos::View<T**, Kokkos::LayoutRight, Exec>;
template <class T>
using View3 = Kokkos::View<T***, Kokkos::LayoutRight, Exec>;
template <class T>
using View4 = Kokkos::View<T****, Kokkos::LayoutRight, Exec>;
template <class T>
using View5 = Kokkos::View<T*****, Kokkos::LayoutRight, Exec>;

/// Allocates without initialising: label is "room::thing".
inline auto uninitialised(const std::string& label) { return Kokkos::view_alloc(Kokkos::WithoutInitializing, label); }

/// A view for a workspace of megabytes: not initialised, on a host on large pages where there are some.
template <class V, class... Extents>
V workspace(const std::string& label, Extents... extents) {
  V view(uninitialised(label), static_cast<std::size_t>(extents)...);
  if constexpr (Kokkos::SpaceAccessibility<Kokkos::HostSpace, typename V::memory_space>::accessible)
    prefer_large_pages(view.data(), view.size() * sizeof(typename V::value_type));
  return view;
}

/// Copies a host array's values into a flat device view (synchronous).
template <class T>
View1<T> to_device(const std::string& label, const std::vector<T>& values) {
  View1<T> device(uninitialised(label), values.size());
  Kokkos::View<const T*, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(values.data(),
                                                                                                               values.size());
  Kokkos::deep_copy(device, host);
  return device;
}

/// Copies any contiguous view to the host, flat (synchronous).
template <class V>
std::vector<typename V::non_const_value_type> to_host(const V& view) {
  using T = typename V::non_const_value_type;
  std::vector<T> values(view.size());
  Kokkos::View<T*, Kokkos::LayoutRight, Kokkos::HostSpace, Kokkos::MemoryTraits<Kokkos::Unmanaged>> host(values.data(),
                                                                                                         values.size());
  Kokkos::View<const T*, Kokkos::LayoutRight, typename V::memory_space, Kokkos::MemoryTraits<Kokkos::Unmanaged>> flat(
      view.data(), view.size());
  Kokkos::deep_copy(host, flat);
  return values;
}

}  // namespace amacrine::core
