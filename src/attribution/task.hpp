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
  using Take = std::function<void(const Showing&, std::size_t stimulus, const Block&)>;
  /// Calls `take` for each of a task's showings and stimuli. The block is valid during the call.
  void run(const Task& task, const Take& take);

 private:
  /// A task's windows of one of its showings.
  struct Part {
    std::size_t showing, first, windows;
  };
  void run_ray(const Part& part, const Take& take);
  const Block& run_one(const Part& part);
  std::vector<int> model_cells(const Showing& showing) const;
  std::vector<Piece> pieces_of(const Part& part);

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
