// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/pathway/pathway_file.hpp"
#include "amacrine/reduction/attribution_file.hpp"
#include "drivers/verbs.hpp"

#include <memory>

namespace amacrine::drivers {

/// The attributions of the network in the study's folder, to be grouped by pathways.
class NetworkAttributions {
 public:
  /// Collective. Without a file, or where it is not of this network or cannot be used (a warning says why), there are none.
  NetworkAttributions(const Context& context, const io::Provenance& provenance);

  const pathway::AttributedAxes& axes() const { return axes_; }
  /// Local: which pathways the network's units follow for cell n of the study; empty where there are no attributions of it.
  std::vector<pathway::Following> of(const pathway::Study& study, const pathway::CellFit& fit,
                                     const pathway::Mechanism& mechanism, std::size_t n) const;

 private:
  /// `network`: checksum of the model.
  void open(const Context& context, const std::string& path, const std::string& network);

  std::unique_ptr<const reduction::AttributionFile> file_;
  pathway::AttributedAxes axes_;
  std::vector<stimulus::Condition> catalogue_;
  std::vector<recording::Cell> cells_;  ///< of the network, with the centres around which it was shown bars
  stimulus::Screen screen_;
};

}  // namespace amacrine::drivers
