// SPDX-License-Identifier: Apache-2.0
// How busy a farm's ranks are, by a discrete-event simulation of the decisions that parallel::Dealer takes
// (src/parallel/deal.hpp) for more ranks than a machine has; and under mpirun what dealing costs a task here.
//   amacrine_benchmark_dealing [TASKS [SECONDS [VARIATION [UNKNOWN [LATENCY_US [HANDLING_US]]]]]]
// TASKS tasks of mean SECONDS. Their estimated times are log-normal with coefficient of variation VARIATION, and the longest are
// dealt first; what they take is the estimate times a log-normal factor of coefficient UNKNOWN. A message takes LATENCY_US, an
// answer takes rank 0 HANDLING_US. Lines: ranks NAME VALUE.
#include "../../src/parallel/deal.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/parallel/environment.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>
#include <queue>

namespace amacrine {
namespace {

using parallel::Range;

struct Farm {
  std::size_t tasks = 400'000;
  double seconds = 0.15, variation = 0.7, unknown = 0.3, latency_s = 20e-6, handling_s = 2e-6;
  static constexpr double poll_s = 0.5e-3;  ///< until rank 0 looks, where it does nothing else: half of its pause

  /// Of every task, in the order in which they are dealt.
  std::vector<double> times() const {
    core::Random random(1, core::Stream::test);
    const auto factor = [&](double coefficient) {  // of mean 1
      const double spread = std::sqrt(std::log1p(coefficient * coefficient));
      return std::exp(spread * random.normal() - 0.5 * spread * spread);
    };
    std::vector<double> all(tasks);
    for (double& time : all) time = seconds * factor(variation);
    std::sort(all.begin(), all.end(), std::greater<>());
    for (double& time : all) time *= factor(unknown);
    return all;
  }
};

enum class What { request, answer, done };
struct Event {
  double time;
  What what;
  std::size_t rank;
  Range chunk{};
  bool operator>(const Event& other) const { return time > other.time; }
};

/// Ranks that work through the tasks on a clock of their own.
class Simulation {
 public:
  Simulation(const Farm& farm, const std::vector<double>& times, std::size_t ranks, bool root_works)
      : farm_(farm), times_(times), deal_(farm.tasks, ranks, root_works), idle_root_(!root_works), workers_(ranks) {
    for (std::size_t rank = 0; rank < ranks; ++rank) workers_[rank].mine = deal_.first(rank);
    for (std::size_t rank = root_works ? 0 : 1; rank < ranks; ++rank) go_on(rank, 0);
  }

  /// Seconds until the last task is done.
  double run() {
    while (!events_.empty()) {
      const Event event = events_.top();
      events_.pop();
      if (event.what == What::request) {
        asked(event.rank, event.time);
      } else if (event.what == What::answer) {
        answered(event);
      } else {
        end_ = std::max(end_, event.time);
        go_on(event.rank, event.time);
      }
    }
    return end_;
  }

 private:
  struct Worker {
    Range mine, next;
    bool answer_there = false, waits = false;
  };

  /// What the rank does at that time, having ended a task or got a chunk it waited for.
  void go_on(std::size_t rank, double time) {
    Worker& my = workers_[rank];
    if (rank == 0) time = serve(time);
    if (my.mine.size() == 0) {
      if (rank == 0) {
        my.mine = deal_.next();
        idle_root_ = my.mine.size() == 0;
      } else if (my.answer_there) {
        my.mine = my.next, my.answer_there = false;
      } else {
        my.waits = true;
        return;
      }
    }
    if (my.mine.size() == 0) return;
    if (rank != 0 && parallel::asks_before(my.mine)) events_.push({time + farm_.latency_s, What::request, rank});
    events_.push({time + times_[my.mine.begin++], What::done, rank});
  }

  void answered(const Event& event) {
    Worker& worker = workers_[event.rank];
    worker.next = event.chunk, worker.answer_there = true;
    if (!worker.waits) return;
    worker.waits = false;
    go_on(event.rank, event.time);
  }

  void asked(std::size_t rank, double time) {
    inbox_.push_back(rank);
    if (idle_root_) free_at_ = serve(std::max(time + Farm::poll_s, free_at_));
  }

  /// Rank 0 answers all that have asked; when it is done.
  double serve(double time) {
    for (; !inbox_.empty(); inbox_.pop_front()) {
      time += farm_.handling_s;
      events_.push({time + farm_.latency_s, What::answer, inbox_.front(), deal_.next()});
    }
    return time;
  }

  const Farm& farm_;
  const std::vector<double>& times_;
  parallel::Deal deal_;
  bool idle_root_;
  std::vector<Worker> workers_;
  std::deque<std::size_t> inbox_;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  double free_at_ = 0, end_ = 0;
};

void simulate(const Farm& farm) {
  const std::vector<double> times = farm.times();
  double work = 0;
  for (const double time : times) work += time;
  for (const std::size_t ranks : {2U, 8U, 32U, 64U, 128U, 256U, 1024U, 4096U, 10'000U})
    for (const bool root_works : {true, false}) {
      const double seconds = Simulation(farm, times, ranks, root_works).run();
      const bool ours = root_works == (ranks < parallel::ranks_with_a_dealer);
      core::log_line(fmt::format("ranks utilisation_{}_{}{} {:.4f}", ranks, root_works ? "root_works" : "root_deals",
                                 ours ? "_chosen" : "", work / (static_cast<double>(ranks) * seconds)));
    }
}

/// Microseconds a task of dealing tasks that take no time, on all ranks together.
void measure(const parallel::Communicator& world) {
  constexpr std::size_t tasks = 200'000;
  for (const std::size_t with_a_dealer : {std::size_t{1'000'000}, std::size_t{0}}) {
    world.barrier();
    const double start = core::wall_seconds();
    parallel::Dealer dealer(
        world, tasks, [] {}, with_a_dealer);
    while (dealer.next()) {
    }
    dealer.close();
    const double seconds = world.maximum(core::wall_seconds() - start);
    if (world.root())
      core::log_line(fmt::format("ranks dealing_us_per_task_{} {:.3f}", with_a_dealer == 0 ? "root_deals" : "root_works",
                                 1e6 * seconds / static_cast<double>(tasks)));
  }
}

}  // namespace
}  // namespace amacrine

int main(int argc, char** argv) {
  const amacrine::parallel::Environment environment(argc, argv);
  return amacrine::parallel::run_guarded([&] {
    amacrine::Farm farm;
    const auto number = [&](int i, double standard) { return argc > i ? std::atof(argv[i]) : standard; };
    farm.tasks = static_cast<std::size_t>(number(1, static_cast<double>(farm.tasks)));
    farm.seconds = number(2, farm.seconds), farm.variation = number(3, farm.variation);
    farm.unknown = number(4, farm.unknown);
    farm.latency_s = 1e-6 * number(5, 1e6 * farm.latency_s), farm.handling_s = 1e-6 * number(6, 1e6 * farm.handling_s);
    const auto world = amacrine::parallel::Communicator::world();
    if (world.size() > 1) amacrine::measure(world);
    if (world.root()) amacrine::simulate(farm);
    return 0;
  });
}
