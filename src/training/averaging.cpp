// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/averaging.hpp"

#include <cmath>

namespace amacrine::training {

template <class S>
void average_step(const core::Exec& exec, double decay, std::uint64_t step, const core::View1<S>& parameters,
                  const core::View1<S>& average) {
  const S share = static_cast<S>((1.0 - decay) / (1.0 - std::pow(decay, static_cast<double>(step))));
  const bool first = step == 1;
  Kokkos::parallel_for(
      "training::average", Kokkos::RangePolicy<core::Exec>(exec, 0, parameters.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        average(i) = first ? parameters(i) : average(i) + share * (parameters(i) - average(i));
      });
}

template void average_step<float>(const core::Exec&, double, std::uint64_t, const core::View1<float>&, const core::View1<float>&);
template void average_step<double>(const core::Exec&, double, std::uint64_t, const core::View1<double>&,
                                   const core::View1<double>&);

}  // namespace amacrine::training
