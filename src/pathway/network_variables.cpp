// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/numbers.hpp"
#include "amacrine/pathway/pathway_file.hpp"

#include <algorithm>

namespace amacrine::pathway {

namespace {

io::Dimension labelled(const std::string& name, const std::vector<std::string>& labels, const std::string& title) {
  return {.name = name, .size = labels.size(), .units = "1", .long_name = title, .coordinates = {}, .labels = labels};
}

}  // namespace

void PathwayFile::declare_network() {
  if (attributed_.stimuli.empty()) return;
  writer_.dimension(labelled("stimulus", attributed_.stimuli, "stimuli whose responses were attributed"));
  writer_.dimension(
      labelled("line", attributed_.lines, "first-layer channels of the network, or their units of one sign of gain"));
  writer_.dimension({.name = "column",
                     .size = attributed_.columns,
                     .units = "1",
                     .long_name = "column of first-layer units; full fields use the first",
                     .coordinates = {},
                     .labels = {}});
  const auto declare = [&](const char* name, io::Type type, std::vector<std::string> dimensions, const char* title) {
    writer_.variable(
        {.name = name, .type = type, .dimensions = std::move(dimensions), .units = "1", .long_name = title, .attributes = {}});
  };
  declare("network_correlation", io::Type::float64, {"cell", "stimulus", "pathway"},
          "correlation of the pathway's attributions with those of the network's units that follow it");
  declare("network_share", io::Type::float64, {"cell", "stimulus", "pathway"},
          "share of the network's |A| that these units hold");
  declare("network_rest", io::Type::float64, {"cell", "stimulus"}, "share of the units that follow no pathway");
  declare("network_pathway", io::Type::int32, {"cell", "stimulus", "line", "column"},
          "pathway that a group of units follows; -1 none, -2 no such group");
}

void PathwayFile::write_network(std::size_t n, const std::vector<Following>& following) {
  const std::size_t S = attributed_.stimuli.size(), L = attributed_.lines.size(), X = attributed_.columns;
  for (std::size_t s = 0; s < S; ++s) {
    const auto found = std::find_if(following.begin(), following.end(),
                                    [&](const Following& each) { return each.stimulus == attributed_.stimuli[s]; });
    std::vector<double> correlation(slots_, core::undefined), share(slots_, core::undefined);
    std::vector<std::int32_t> pathway(L * X, -2);
    double rest = core::undefined;
    if (found != following.end()) {
      std::copy(found->correlation.begin(), found->correlation.end(), correlation.begin());
      std::copy(found->share.begin(), found->share.end(), share.begin());
      rest = found->rest;
      for (std::size_t l = 0; l < found->group.extent(0); ++l)
        for (std::size_t x = 0; x < found->group.extent(1); ++x) pathway[l * X + x] = found->group(l, x);
    }
    writer_.write<double>("network_correlation", correlation, {n, s, 0}, {1, 1, slots_});
    writer_.write<double>("network_share", share, {n, s, 0}, {1, 1, slots_});
    writer_.write<double>("network_rest", std::vector{rest}, {n, s}, {1, 1});
    writer_.write<std::int32_t>("network_pathway", pathway, {n, s, 0, 0}, {1, 1, L, X});
  }
}

}  // namespace amacrine::pathway
