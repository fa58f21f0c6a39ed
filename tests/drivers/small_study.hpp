// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/random.hpp"
#include "amacrine/core/version.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/model/model.hpp"
#include "drivers/verbs.hpp"
#include "support/compare.hpp"

#include <bit>
#include <string>
#include <vector>

#include <fmt/format.h>

/// A study small enough for tests, and a network with random weights in place of a trained one.
namespace amacrine::drivers::test_study {

/// The verbs' context for a study with its results in `folder`. `tables` is more TOML.
inline Context make_context(const parallel::Communicator& world, const std::string& folder, const std::string& tables) {
  core::Study study = core::Study::from_text(fmt::format("[study]\nname = \"small\"\noutput = \"{}\"\n{}", folder, tables));
  Settings settings = read_settings(study);
  return {world, std::move(study), std::move(settings), {}};
}

/// Collective: model.h5 (and ln.h5) for the cells of the simulated recording: random weights of the architecture in the study.
/// `more_hz` is added to a network's drive.
inline void write_random_model(const Context& context, bool ln, double more_hz = 0) {
  const auto& simulated = context.settings.simulation.cells;
  model::Model model;
  model.kind = ln ? "ln" : "network";
  model.architecture = context.settings.architecture;
  if (ln) {
    model.architecture.hidden.clear();
    model.architecture.norm = model::Norm::none;
    model.architecture.output_norm = false;
    model.architecture.readout_bias = true;
  }
  model.architecture.cells = static_cast<int>(simulated.size());
  const auto layout = model::make_layout(model.architecture);
  core::Random random(3, core::Stream::test, ln ? 1 : 0);
  for (const auto& entry : layout.parameters)
    for (std::size_t i = 0; i < entry.size; ++i)
      model.parameters.push_back(static_cast<float>(
          entry.name.ends_with("gamma") ? 1.0 : 0.05 * random.normal() + (entry.name == "output.beta" ? more_hz : 0)));
  for (const auto& entry : layout.statistics)
    for (std::size_t i = 0; i < entry.size; ++i) model.statistics.push_back(entry.name.ends_with("variance") ? 1.0f : 0.0f);
  for (std::size_t n = 0; n < simulated.size(); ++n)
    model.cells.push_back(
        {.id = static_cast<int>(n), .name = simulated[n].name, .centre = stimulus::Centre{simulated[n].y, simulated[n].x}});
  for (int c = 0; c < (ln ? model.architecture.cells : model.architecture.hidden[0].channels); ++c)
    model.channel_names.push_back(fmt::format("channel {}", c));
  model::write_model(context.world, context.output(ln ? "ln.h5" : "model.h5"), model,
                     io::make_provenance(context.world, context.study, "train", tables_of("train"), {}));
}

/// The bits of a dataset, so that NaN equals itself.
inline std::vector<std::uint64_t> bits(const io::Reader& file, const std::string& dataset) {
  std::vector<std::uint64_t> out;
  for (double value : file.read<double>(dataset)) out.push_back(std::bit_cast<std::uint64_t>(value));
  return out;
}

}  // namespace amacrine::drivers::test_study
