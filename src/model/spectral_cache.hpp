// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/architecture.hpp"
#include "amacrine/model/spectral.hpp"

#include <cstddef>
#include <list>
#include <tuple>

namespace amacrine::model {

/// Engines by (layer, segments, windows), the most recently used first. Whether a layer is spectral depends on its sizes only,
/// never on how many windows share a call, so that a window's bits do not depend on its company.
template <class S>
class SpectralCache {
 public:
  explicit SpectralCache(const Architecture& architecture) : architecture_(architecture) {}

  bool serves(std::size_t layer) const {
    const ConvLayer& l = architecture_.hidden[layer];
    return spectral_pays(height(layer), width(layer), l.kernel_y, l.kernel_x, static_cast<std::size_t>(l.channels));
  }
  SpectralTemporalConv<S>& first(const core::Exec& exec, const core::View4<S>& kernel, std::size_t segments,
                                 std::size_t windows) {
    return find(exec, firsts_, 0, kernel, segments, windows, [&] {
      return SpectralTemporalConv<S>(segments, kernel.extent(0), kernel.extent(1), kernel.extent(2), kernel.extent(3),
                                     std::size_t(height(0)), std::size_t(width(0)), windows, SpectralUse::forward);
    });
  }
  SpectralConv<S>& later(const core::Exec& exec, std::size_t layer, const core::View4<S>& kernel, std::size_t segments,
                         std::size_t windows) {
    return find(exec, laters_, layer, kernel, segments, windows, [&] {
      return SpectralConv<S>(segments, kernel.extent(1), kernel.extent(0), kernel.extent(2), kernel.extent(3),
                             std::size_t(height(layer)), std::size_t(width(layer)), windows, SpectralUse::forward);
    });
  }

 private:
  using Key = std::tuple<std::size_t, std::size_t, std::size_t>;
  template <class E>
  using Engines = std::list<std::pair<Key, E>>;
  static constexpr std::size_t kept = 4;

  int height(std::size_t layer) const { return architecture_.out_y(static_cast<int>(layer) - 1); }
  int width(std::size_t layer) const { return architecture_.out_x(static_cast<int>(layer) - 1); }

  template <class E, class Make>
  E& find(const core::Exec& exec, Engines<E>& engines, std::size_t layer, const core::View4<S>& kernel, std::size_t segments,
          std::size_t windows, const Make& make) {
    const Key key{layer, segments, windows};
    for (auto at = engines.begin(); at != engines.end(); ++at) {
      if (at->first != key) continue;
      engines.splice(engines.begin(), engines, at);
      return engines.front().second;
    }
    engines.emplace_front(key, make());
    if (engines.size() > kept) engines.pop_back();
    engines.front().second.set_kernel(exec, kernel);
    return engines.front().second;
  }

  Architecture architecture_;
  Engines<SpectralTemporalConv<S>> firsts_;
  Engines<SpectralConv<S>> laters_;
};

}  // namespace amacrine::model
