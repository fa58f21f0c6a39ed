// SPDX-License-Identifier: Apache-2.0
#include "session_means.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>

namespace amacrine::training {

SessionMeans::SessionMeans(const SessionShare& share, const std::vector<std::size_t>& cells)
    : share_(share), weights_(cells.begin(), cells.end()) {
  core::require(cells.size() == share.mine.size(), "{} sessions were given of {} that this rank has", cells.size(),
                share.mine.size());
  const double all = total<double>(weights_, 1).front();
  for (double& weight : weights_) weight /= all;
}

/// local: of each of this rank's sessions `length` numbers -> their sum over all sessions.
template <class T>
std::vector<T> SessionMeans::total(const std::vector<T>& local, std::size_t length) const {
  std::vector<T> sum(length);
  if (share_.ranks.root()) share_.firsts.ordered_sum<T>(local, share_.count, sum);
  share_.ranks.broadcast(sum.data(), sum.size() * sizeof(T));
  return sum;
}

void SessionMeans::average(const std::vector<std::vector<float>*>& values, std::size_t length) const {
  std::vector<float> local;
  local.reserve(values.size() * length);
  for (std::size_t s = 0; s < values.size(); ++s)
    for (std::size_t i = 0; i < length; ++i)
      local.push_back(static_cast<float>(weights_[s] * static_cast<double>((*values[s])[i])));
  const std::vector<float> mean = total<float>(local, length);
  for (std::vector<float>* of : values) std::copy(mean.begin(), mean.end(), of->begin());
}

double SessionMeans::mean(const std::vector<double>& values) const {
  std::vector<double> local;
  for (std::size_t s = 0; s < values.size(); ++s) local.push_back(weights_[s] * values[s]);
  return total<double>(local, 1).front();
}

}  // namespace amacrine::training
