// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/symmetry.hpp"
#include "amacrine/core/numbers.hpp"
#include "screening.hpp"

#include <functional>
#include <vector>

namespace amacrine::attribution {

/// The stimuli of a showing: a ray's, or its one.
inline std::vector<std::size_t> stimuli_of(const Showing& showing) {
  return showing.ray.empty() ? std::vector<std::size_t>{showing.stimulus} : showing.ray;
}

/// Computes tasks by the engines that serve their stimuli.
template <class S>
class TaskRunner {
 public:
  TaskRunner(const Plan& plan, Attributor<S>& attributor);
  /// Calls take(stimulus, block) for each of a task's stimuli. The block is valid during the call.
  void run(const Task& task, const std::function<void(std::size_t, const Block&)>& take);

 private:
  void run_ray(const Task& task, const std::function<void(std::size_t, const Block&)>& take);
  const Block& run_one(const Task& task);
  std::vector<int> model_cells(const Showing& showing) const;
  std::vector<Piece> pieces_of(const Task& task);

  const Plan& plan_;
  Attributor<S>& attributor_;
  Screening screening_;
  std::size_t ray_showing_ = static_cast<std::size_t>(-1);
  std::vector<core::Array<float, 3>> ray_movies_;
  std::vector<double> ray_scales_;  ///< empty where the movies turn out not to be proportional
};

/// Frames before a window's own that a network looks back to.
template <class S>
std::size_t frames_before(const PathNetwork<S>& network) {
  return core::as_size(network.history - 1 + network.minimum_lag);
}

}  // namespace amacrine::attribution
