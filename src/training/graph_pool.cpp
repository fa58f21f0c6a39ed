// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/graph_pool.hpp"

#include "amacrine/core/log.hpp"

namespace amacrine::training {
namespace {

bool same_layout(const model::BatchLayout& a, const model::BatchLayout& b) {
  return a.segments.count == b.segments.count && a.segments.together == b.segments.together &&
         a.shape.windows == b.shape.windows && a.shape.runs == b.shape.runs && a.shape.spacing == b.shape.spacing;
}

bool same_graph(const GraphPool::Request& a, const GraphPool::Request& b) {
  return a.architecture == b.architecture && same_layout(a.layout, b.layout) && a.use == b.use && a.engine == b.engine &&
         a.room == b.room;
}

}  // namespace

model::TrainGraph<float>& GraphPool::get(const parallel::Communicator& communicator, const Request& request) {
  const parallel::Range owned = communicator.owned(request.layout.segments);
  for (Entry& entry : entries_)
    if (same_graph(entry.request, request) && entry.owned.begin == owned.begin && entry.owned.end == owned.end)
      return entry.graph;
  entries_.push_back(
      {request, owned,
       model::make_train_graph<float>(request.architecture, request.layout, owned, request.use, request.engine, request.room)});
  model::TrainGraph<float>& graph = entries_.back().graph;
  if (request.use == model::GraphUse::training && !graph.hidden.empty()) core::log("  {}", model::describe_engines(graph));
  return graph;
}

}  // namespace amacrine::training
