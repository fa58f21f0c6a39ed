// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/adam.hpp"

#include <cmath>

namespace amacrine::training {

using core::View1;

namespace {

double l2_of(const model::ParameterEntry& entry, const TrainingSettings& settings) {
  return entry.weight_decay ? settings.l2 : entry.name == "readout.weight" ? settings.l2_readout : 0.0;
}

}  // namespace

template <class S>
Adam<S> make_adam(const model::ParameterLayout& layout, const TrainingSettings& settings, const std::vector<float>& rate_scale) {
  std::vector<S> decay(layout.parameter_count);
  for (const model::ParameterEntry& entry : layout.parameters)
    for (std::size_t i = 0; i < entry.size; ++i)
      decay[entry.offset + i] = static_cast<S>(2 * l2_of(entry, settings) + settings.adam.weight_decay);
  return {View1<S>("training::adam_first", layout.parameter_count), View1<S>("training::adam_second", layout.parameter_count),
          core::to_device("training::decay", decay),
          core::to_device("training::rate_scale", rate_scale.empty() ? std::vector<S>(layout.parameter_count, S(1))
                                                                     : std::vector<S>(rate_scale.begin(), rate_scale.end()))};
}

template <class S>
void adam_step(const core::Exec& exec, const AdamSettings& settings, double rate, std::uint64_t step, const View1<S>& gradient,
               const Adam<S>& adam, const View1<S>& parameters) {
  const double steps = static_cast<double>(step);
  const S b1 = static_cast<S>(settings.beta1), b2 = static_cast<S>(settings.beta2), epsilon = static_cast<S>(settings.epsilon);
  const S new1 = static_cast<S>(1.0 - settings.beta1), new2 = static_cast<S>(1.0 - settings.beta2);
  const S size = static_cast<S>(rate / (1.0 - std::pow(settings.beta1, steps)));
  const S correct = static_cast<S>(1.0 / std::sqrt(1.0 - std::pow(settings.beta2, steps)));
  const View1<S> first = adam.first, second = adam.second, decay = adam.decay, rate_scale = adam.rate_scale;
  Kokkos::parallel_for(
      "training::adam", Kokkos::RangePolicy<core::Exec>(exec, 0, parameters.extent(0)), KOKKOS_LAMBDA(const std::size_t i) {
        const S g = gradient(i) + decay(i) * parameters(i);
        first(i) = b1 * first(i) + new1 * g;
        second(i) = b2 * second(i) + new2 * g * g;
        parameters(i) -= rate_scale(i) * size * first(i) / (Kokkos::sqrt(second(i)) * correct + epsilon);
      });
}

double l2_penalty(const model::ParameterLayout& layout, const TrainingSettings& settings, const std::vector<float>& parameters) {
  double sum = 0;
  for (const model::ParameterEntry& entry : layout.parameters) {
    const double l2 = l2_of(entry, settings);
    if (l2 == 0) continue;
    for (std::size_t i = 0; i < entry.size; ++i)
      sum += l2 * static_cast<double>(parameters[entry.offset + i]) * static_cast<double>(parameters[entry.offset + i]);
  }
  return sum;
}

#define AMACRINE_INSTANTIATE(S)                                                                                              \
  template Adam<S> make_adam<S>(const model::ParameterLayout&, const TrainingSettings&, const std::vector<float>&);          \
  template void adam_step<S>(const core::Exec&, const AdamSettings&, double, std::uint64_t, const View1<S>&, const Adam<S>&, \
                             const View1<S>&);
AMACRINE_INSTANTIATE(float)
AMACRINE_INSTANTIATE(double)
#undef AMACRINE_INSTANTIATE

}  // namespace amacrine::training
