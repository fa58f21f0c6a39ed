// SPDX-License-Identifier: Apache-2.0
#include "amacrine/lesion/run.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/dealer.hpp"
#include "amacrine/parallel/stop.hpp"

#include <optional>

namespace amacrine::lesion {

namespace {

/// Appends values to a message of doubles, lists after their lengths.
class Sender {
 public:
  explicit Sender(std::vector<double>& message) : message_(message) {}
  template <class T>
  void number(T& value) {
    message_.push_back(static_cast<double>(value));
  }
  template <class T>
  void list(std::vector<T>& values) {
    std::size_t count = values.size();
    number(count);
    for (T& value : values) number(value);
  }

 private:
  std::vector<double>& message_;
};

/// Takes them out again in the same order.
class Receiver {
 public:
  explicit Receiver(const std::vector<double>& message) : message_(message) {}
  bool empty() const { return at_ == message_.size(); }
  template <class T>
  void number(T& value) {
    value = static_cast<T>(message_.at(at_++));
  }
  template <class T>
  void list(std::vector<T>& values) {
    std::size_t count = 0;
    number(count);
    values.resize(count);
    for (T& value : values) number(value);
  }

 private:
  const std::vector<double>& message_;
  std::size_t at_ = 0;
};

template <class Message>
void exchange(Message& message, std::vector<OrderResult>& results) {
  std::size_t count = results.size();
  message.number(count);
  results.resize(count);
  for (OrderResult& result : results) {
    for (Curve* curve : {&result.kept, &result.without}) {
      message.list(curve->faithfulness);
      message.list(curve->distance);
    }
    Summary& s = result.summary;
    for (Areas* area : {&s.cpr, &s.cmd, &s.cmd_windows, &s.without}) {
      message.number(area->linear);
      message.number(area->log);
    }
  }
}

template <class Message>
void exchange(Message& message, StimulusLesions& found) {
  message.number(found.rest);
  message.number(found.responding);
  message.number(found.share_used);
  message.list(found.rate);
  message.list(found.chosen);
  exchange(message, found.orders);
  exchange(message, found.random);
  message.list(found.pathways.faithfulness);
  message.list(found.pathways.distance);
  message.list(found.pathway_units);
  message.list(found.only_pathways);
  message.list(found.without_pathways);
  std::vector<double> values = found.without_pathway.values();
  message.list(values);
  found.without_pathway = core::Array<double, 2>({found.pathway_units.size(), found.rate.size()}, std::move(values));
}

}  // namespace

template <class S>
std::vector<StimulusLesions> run_lesions(const parallel::Communicator& communicator, const LesionPlan& plan,
                                         Lesioner<S>& lesioner) {
  const std::size_t tasks = plan.tasks(), stimuli = plan.stimuli.size();
  core::Progress progress("lesion", static_cast<double>(tasks), "cells and stimuli");
  std::vector<double> message;
  Sender sender(message);
  parallel::Dealer dealer(communicator, tasks);
  while (!parallel::stop_asked()) {
    std::optional<std::size_t> task = dealer.next();
    if (!task) break;
    StimulusLesions found = lesioner.run(*task / stimuli, *task % stimuli);
    sender.number(*task);
    exchange(sender, found);
    progress.update(static_cast<double>(*task + 1), plan.stimuli[*task % stimuli].name);
  }
  dealer.close();
  parallel::throw_if_stopped(communicator);
  const std::vector<double> all = communicator.gather_all<double>(message);
  std::vector<StimulusLesions> results(tasks);
  for (Receiver receiver(all); !receiver.empty();) {
    std::size_t task = 0;
    receiver.number(task);
    exchange(receiver, results.at(task));
  }
  return results;
}

template std::vector<StimulusLesions> run_lesions(const parallel::Communicator&, const LesionPlan&, Lesioner<float>&);
template std::vector<StimulusLesions> run_lesions(const parallel::Communicator&, const LesionPlan&, Lesioner<double>&);

}  // namespace amacrine::lesion
