// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/pathway/evidence.hpp"

#include <string>

namespace amacrine::pathway {

/// The stimuli and groups of units of a network's attributions; empty where there are none.
struct AttributedAxes {
  std::vector<std::string> stimuli, lines;
  std::size_t columns = 0;
};

/// Writes pathways.h5 (docs/results/pathways.md), cells in any order and from any rank.
class PathwayFile {
 public:
  /// Collective: declares and preallocates everything; `fits` of all cells of the study.
  PathwayFile(const parallel::Communicator& communicator, const std::string& path, const Study& study,
              const std::vector<CellFit>& fits, const AttributedAxes& attributed, const io::Provenance& provenance);
  /// Bytes of the file's values.
  static std::size_t bytes(const Study& study);
  /// Local: everything about cell n, `cell` of the recording; `rate` (T) Hz over the test part, empty where the cell was not
  /// fitted.
  void write_cell(std::size_t n, const recording::Cell& cell, const Mechanism& mechanism, const std::vector<float>& rate);
  /// Local, from one rank: the models of all fits, which fitted_before() reads. Where no cell was fitted there are none.
  void write_fits() {
    if (!packed_.empty()) writer_.write<double>("packed_fits", packed_);
  }
  /// Collective: the file is complete after it.
  void finish() { writer_.finish(); }

 private:
  void declare_dimensions(const Study& study);
  void declare_variables();
  void declare_layers();
  void declare_network();
  void declare_reasons(const std::vector<CellFit>& fits);
  void write_curve(std::size_t n, const std::string& variable, const std::vector<Difference>& curve);
  void write_pathways(std::size_t n, const Mechanism& mechanism);
  void write_answers(std::size_t n, const Mechanism& mechanism);
  void write_layers(std::size_t n, const LayerVerdict& verdict);
  void write_network(std::size_t n, const std::vector<Following>& following);

  io::ResultWriter writer_;
  std::vector<double> packed_;
  AttributedAxes attributed_;
  std::size_t slots_, lags_, extent_, frames_;
};

/// Local: whether `path` is a whole file with the fits of the same settings and recording as `wanted`, whatever else it was made
/// from: then only what stands beside the fits is to be computed.
bool holds_fits(const std::string& path, const io::Provenance& wanted);
/// The fits in such a file. Local. Throws InputError as unpacked_fits does.
std::vector<CellFit> fitted_before(const std::string& path, const Study& study);

}  // namespace amacrine::pathway
