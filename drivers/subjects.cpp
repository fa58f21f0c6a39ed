// SPDX-License-Identifier: Apache-2.0
#include "drivers/subjects.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/log.hpp"
#include "amacrine/core/random.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/model/circuit_network.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/recording/circuit_definition.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/recording/smoothing.hpp"
#include "drivers/inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

namespace amacrine::drivers {

bool file_exists(const parallel::Communicator& world, const std::string& path) {
  return world.any(world.root() && std::filesystem::exists(path));
}

void check_model_fits(const model::Model& model, const std::string& path, const recording::Recording& recording) {
  recording::check_fits(recording, {model.architecture.history, model.architecture.height, model.architecture.width,
                                    model.screen.frame_ms, model.minimum_lag});
  const auto same = [](const recording::Cell& a, const recording::Cell& b) { return a.id == b.id; };
  core::require<core::InputError>(
      std::equal(model.cells.begin(), model.cells.end(), recording.cells.begin(), recording.cells.end(), same),
      "{} predicts {} cells and {} gives {}, or others: they must be the same cells in the same order. Train again, or set "
      "recording.cells to the cells the model was trained on",
      path, model.cells.size(), recording.path, recording.cells.size());
}

std::vector<PlantedCell> planted_cells(const std::string& recording_file, const std::vector<recording::Cell>& cells) {
  const io::Reader file(recording_file);
  const std::vector<recording::Circuit> circuits = recording::recorded_circuits(file);
  if (circuits.empty()) return {};
  const auto y = file.read<double>("simulated/centre_y"), x = file.read<double>("simulated/centre_x");
  std::vector<PlantedCell> planted;
  for (const recording::Cell& cell : cells) {
    const std::size_t id = static_cast<std::size_t>(cell.id);
    core::require<core::InputError>(
        id < circuits.size() && id < y.size() && id < x.size(),
        "{}: cell {} is not among the {} names in the attribute circuits, or has no simulated/centre_y and _x", recording_file,
        cell.id, circuits.size());
    planted.push_back({circuits[id], {y[id], x[id]}});
  }
  return planted;
}

namespace {

std::vector<std::vector<double>> rows(const core::Array<float, 2>& rates, const std::vector<std::size_t>& cells) {
  std::vector<std::vector<double>> out;
  out.reserve(cells.size());
  for (std::size_t n : cells) out.emplace_back(rates.row(n).begin(), rates.row(n).end());
  return out;
}

Subject model_subject(const Context& context, const std::string& name, const std::string& path) {
  require_made(context, name, path);
  const io::Input input = io::checked_input(context.world, name, path);
  model::Model model = model::read_model(path);
  place_given(context, model.cells);
  const auto network = std::make_shared<const model::InferenceNetwork<float>>(model::make_inference<float>(model));
  return {name,
          model.screen,
          model.cells,
          model.normalisation,
          {input},
          with_given_centres(context, tables_of("probe")),
          model.architecture.multiply_adds(),
          [network, name, described = model.cells](const core::Array<float, 3>& contrast, const std::vector<std::size_t>& cells,
                                                   std::uint64_t) {
            const core::Array<float, 2> rates = model::predict(*network, contrast);
            warn_of_rates(name, described, rates);
            return rows(rates, cells);
          }};
}

/// Mean over `trials` simulated presentations of the firing rate as the lab estimates it: Poisson counts in bins of one frame,
/// smoothed by a Gaussian of 10 ms. Keyed by (seed, movie, cell, trial). The means of `groups` equal groups of consecutive trials
/// follow it in the same series; trials that fill no group count in the mean over all only.
void record_trials(std::vector<double>& rate, double frame_ms, int trials, int groups, std::uint64_t seed, std::uint64_t key,
                   std::uint64_t cell) {
  constexpr double sigma_ms = 10;
  const std::size_t frames = rate.size();
  const int each = trials / std::max(groups, 1);
  std::vector<float> all(frames, 0.0F), counts(frames, 0.0F);
  std::vector<double> means;
  const auto add_mean = [&](const std::vector<float>& sum, int count) {
    for (float rate_sum : recording::firing_rate(sum, sigma_ms, frame_ms)) means.push_back(static_cast<double>(rate_sum) / count);
  };
  for (int trial = 0; trial < trials; ++trial) {
    core::Random random(seed, core::Stream::probe, (key << 40) + (cell << 20) + static_cast<std::uint64_t>(trial));
    for (std::size_t t = 0; t < frames; ++t) {
      const auto spikes = static_cast<float>(random.poisson(rate[t] * frame_ms / 1000.0));
      counts[t] += spikes;
      all[t] += spikes;
    }
    if (groups == 0 || (trial + 1) % each != 0 || (trial + 1) / each > groups) continue;
    add_mean(counts, each);
    std::fill(counts.begin(), counts.end(), 0.0F);
  }
  add_mean(all, trials);
  std::rotate(means.begin(), means.end() - static_cast<std::ptrdiff_t>(frames), means.end());
  rate = std::move(means);
}

/// Into how many groups trials are divided for intervals: ten, or one for each trial where there are fewer; none for one trial.
int trial_groups(int trials) { return trials < 2 ? 0 : std::min(trials, 10); }

/// The recording's cells, with centres fitted where they are neither given nor in the file.
recording::Recording recorded_cells(const Context& context, const std::string& file) {
  const auto& settings = context.settings.recording;
  recording::Recording recording = recording::load_recording(file, settings, recording::Load::test);
  recording::describe_and_check(recording, context.settings.architecture.history);
  const auto has_centre = [](const recording::Cell& cell) { return cell.centre.has_value(); };
  if (std::all_of(recording.cells.begin(), recording.cells.end(), has_centre)) return recording;
  recording = recording::load_recording(file, settings, recording::Load::both);
  recording::fit_centres(recording, settings);
  return recording;
}

/// The circuits behind the cells: feed-forward ones as a network, through the engine that serves trained models; dynamic ones
/// (whose state no network holds) by simulation.
struct Circuits {
  std::vector<PlantedCell> planted;
  stimulus::Screen screen;
  std::vector<std::size_t> row;  ///< of each cell in the network; planted.size() for dynamic cells
  std::optional<model::InferenceNetwork<double>> network;
  double multiply_adds = 0;
};

Circuits make_circuits(const recording::Recording& recording, const std::vector<PlantedCell>& planted) {
  Circuits made{planted, recording.screen, {}, {}, 0};
  std::vector<model::PlacedCircuit> feed_forward;
  for (std::size_t n = 0; n < planted.size(); ++n) {
    const recording::Circuit& circuit = planted[n].circuit;
    made.row.push_back(circuit.stateless() ? feed_forward.size() : planted.size());
    if (circuit.stateless()) feed_forward.push_back({recording.cells[n].name, circuit, planted[n].centre});
  }
  if (feed_forward.empty()) return made;
  const model::Model network = model::make_circuit_model(feed_forward, recording.screen);
  made.network = model::make_inference<double>(network);
  made.multiply_adds = network.architecture.multiply_adds();
  return made;
}

Subject::Rates noiseless_rates(const Circuits& circuits, const core::Array<float, 3>& contrast,
                               const std::vector<std::size_t>& cells) {
  const auto in_network = [&](std::size_t n) { return circuits.row[n] < circuits.planted.size(); };
  core::Array<float, 2> predicted;
  if (std::any_of(cells.begin(), cells.end(), in_network)) predicted = model::predict(*circuits.network, contrast);
  Subject::Rates rates;
  for (std::size_t n : cells) {
    if (in_network(n)) {
      const auto row = predicted.row(circuits.row[n]);
      rates.emplace_back(row.begin(), row.end());
    } else {
      const PlantedCell& cell = circuits.planted[n];
      rates.push_back(recording::respond(cell.circuit, contrast, circuits.screen, cell.centre).rate_hz);
    }
  }
  return rates;
}

Subject circuit_subject(const Context& context, const std::string& name, const io::Input& input,
                        const recording::Recording& recording, const std::vector<PlantedCell>& planted) {
  const stimulus::ProbeSettings& probe = context.settings.probe;
  const int trials = name == "recorded" ? probe.trials : 0, groups = trial_groups(trials);
  auto tables = tables_of("probe");
  tables.insert(tables.end(), {"recording", "!recording.file"});
  const auto circuits = std::make_shared<const Circuits>(make_circuits(recording, planted));
  const auto answer = [circuits, recorded = recording.cells, trials, groups, seed = probe.seed](
                          const core::Array<float, 3>& contrast, const std::vector<std::size_t>& cells, std::uint64_t key) {
    Subject::Rates rates = noiseless_rates(*circuits, contrast, cells);
    for (std::size_t i = 0; i < cells.size() && trials > 0; ++i)
      record_trials(rates[i], circuits->screen.frame_ms, trials, groups, seed, key,
                    static_cast<std::uint64_t>(recorded[cells[i]].id));
    return rates;
  };
  Subject subject{name, recording.screen, recording.cells, {}, {input}, tables, circuits->multiply_adds, answer};
  subject.groups = static_cast<std::size_t>(groups);
  return subject;
}

}  // namespace

std::vector<Subject> probe_subjects(const Context& context) {
  const std::string file = recording::recording_path(context.settings.recording, context.settings.output);
  std::vector<Subject> subjects;
  for (const std::string& name : context.settings.probe.subjects) {
    if (name == "network") {
      subjects.push_back(model_subject(context, name, context.output("model.h5")));
    } else if (name == "ln") {
      const std::string path = context.output("ln.h5");
      if (file_exists(context.world, path)) {
        subjects.push_back(model_subject(context, name, path));
      } else {
        core::log("probe: there is no {}; the LN model is left out", path);
      }
    } else {
      require_made(context, "recording", file);
      const io::Input input = recording::recording_input(context.world, "recording", file, context.settings.recording);
      const recording::Recording recording = recorded_cells(context, file);
      const std::vector<PlantedCell> planted = planted_cells(file, recording.cells);
      if (!planted.empty()) {
        subjects.push_back(circuit_subject(context, name, input, recording, planted));
      } else {
        core::log("probe: {} holds no simulated cells; subject '{}' is left out", file, name);
      }
    }
  }
  return subjects;
}

}  // namespace amacrine::drivers
