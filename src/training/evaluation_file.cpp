// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/errors.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/training/evaluation.hpp"

#include <cmath>
#include <span>

#include <fmt/format.h>

namespace amacrine::training {
namespace {

const std::array<const char*, 4> model_figure_titles{"score: Pearson r with the reference rate", "Pearson r with the trial mean",
                                                     "fraction of the trial mean's variance explained",
                                                     "fraction of the explainable variance explained"};
const std::array<const char*, 4> ceiling_titles{"oracle correlation, jackknife", "oracle correlation, conservative",
                                                "explainable variance ratio", "Pearson r of the true rate with the trial mean"};

void declare_dimensions(io::ResultWriter& file, const Evaluation& e) {
  std::vector<std::string> names;
  for (const auto& cell : e.cells) names.push_back(cell.name);
  std::vector<double> times(e.target.extent(1));
  for (std::size_t t = 0; t < times.size(); ++t) times[t] = static_cast<double>(t + e.settings.discard_frames) * e.frame_ms;
  file.dimension(
      {.name = "model", .size = e.models.size(), .units = "1", .long_name = "model", .coordinates = {}, .labels = e.models});
  file.dimension(
      {.name = "cell", .size = names.size(), .units = "1", .long_name = "ganglion cell", .coordinates = {}, .labels = names});
  file.dimension({.name = "frame",
                  .size = times.size(),
                  .units = "ms",
                  .long_name = "time in the test movie",
                  .coordinates = times,
                  .labels = {}});
  file.dimension({.name = "bound",
                  .size = 2,
                  .units = "1",
                  .long_name = "end of the interval",
                  .coordinates = {},
                  .labels = {"low", "high"}});
  if (!e.repeats.empty())
    file.dimension({.name = "repeat",
                    .size = e.repeats.extent(0),
                    .units = "1",
                    .long_name = "repeat of the test movie",
                    .coordinates = {},
                    .labels = {}});
}

void declare(io::ResultWriter& file, io::Type type, const std::string& name, const std::vector<std::string>& dimensions,
             const std::string& units, const std::string& title, const std::map<std::string, std::string>& attributes = {}) {
  file.variable(
      {.name = name, .type = type, .dimensions = dimensions, .units = units, .long_name = title, .attributes = attributes});
}

void declare_series(io::ResultWriter& file, const Evaluation& e) {
  using enum io::Type;
  declare(file, float32, "rate", {"model", "cell", "frame"}, "Hz", "predicted firing rate");
  if (!e.noiseless.empty())
    declare(file, float32, "noiseless_rate", {"cell", "frame"}, "Hz", "simulated firing rate without noise");
  declare(file, float32, "trial_mean_rate", {"cell", "frame"}, "Hz", "firing rate, mean over repeats");
  if (!e.repeats.empty()) declare(file, float32, "trial_rate", {"repeat", "cell", "frame"}, "Hz", "firing rate of one repeat");
  declare(file, int8, "silent", {"cell"}, "1", "the cell has no response to predict", {{"flag_meanings", "responds silent"}});
  declare(file, int8, "no_ceiling", {"cell"}, "1", "the cell has fewer than 2 repeats",
          {{"flag_meanings", "has_ceiling no_ceiling"}});
  declare(file, int32, "empty_repeats", {"cell"}, "1", "repeats without a spike beside others with more than 20");
  declare(file, float64, "noise_ceiling_without_empty", {"cell"}, "1", "noise ceiling without the empty repeats");
  declare(file, int32, "cell_id", {"cell"}, "1", "index on the recording's cell axis");
}

void declare_figures(io::ResultWriter& file) {
  for (std::size_t f = 0; f < 4; ++f) {
    const std::string model = model_figure_names[f], ceiling = ceiling_figure_names[f];
    const std::string of_model = model_figure_titles[f], of_ceiling = ceiling_titles[f];
    declare(file, io::Type::float64, model, {"model", "cell"}, "1", of_model);
    declare(file, io::Type::float64, model + "_interval", {"model", "cell", "bound"}, "1", of_model + ", interval");
    declare(file, io::Type::float64, "mean_" + model, {"model"}, "1", of_model + ", mean over cells");
    declare(file, io::Type::float64, "mean_" + model + "_interval", {"model", "bound"}, "1",
            of_model + ", mean over cells, interval");
    declare(file, io::Type::float64, ceiling, {"cell"}, "1", of_ceiling);
    declare(file, io::Type::float64, ceiling + "_interval", {"cell", "bound"}, "1", of_ceiling + ", interval");
  }
}

void write_attributes(io::ResultWriter& file, const Evaluation& e) {
  for (const char* flag : {"silent", "no_ceiling"}) file.attribute("flag_values", std::vector<double>{0, 1}, flag);
  file.attribute("score_reference", std::string(e.noiseless.empty() ? "trial_mean" : "noiseless"));
  file.attribute("target", e.target_kind);
  file.attribute("discarded_frames", static_cast<double>(e.settings.discard_frames));
  file.attribute("frame_ms", e.frame_ms);
  file.attribute("confidence", e.settings.confidence);
  file.attribute("bootstrap_samples", static_cast<double>(e.settings.bootstrap_samples));
  file.attribute("bootstrap_block", static_cast<double>(e.intervals.block_frames));
  if (!e.intervals.told.empty()) file.attribute("interval_note", e.intervals.told);
  file.attribute("bootstrap_seed", static_cast<double>(e.settings.seed));
}

void write_values(io::ResultWriter& file, const Evaluation& e) {
  file.write<float>("rate", e.rate.values());
  if (!e.noiseless.empty()) file.write<float>("noiseless_rate", e.noiseless.values());
  file.write<float>("trial_mean_rate", e.target.values());
  if (!e.repeats.empty()) file.write<float>("trial_rate", e.repeats.values());
  std::vector<std::int32_t> silent, no_ceiling, ids, empty(e.empty_repeats.begin(), e.empty_repeats.end());
  for (std::size_t n = 0; n < e.cells.size(); ++n) {
    silent.push_back(e.silent[n] ? 1 : 0);
    no_ceiling.push_back(e.no_ceiling[n] ? 1 : 0);
    ids.push_back(e.cells[n].id);
  }
  file.write<std::int32_t>("silent", silent);
  file.write<std::int32_t>("no_ceiling", no_ceiling);
  file.write<std::int32_t>("cell_id", ids);
  file.write<std::int32_t>("empty_repeats", empty);
  file.write<double>("noise_ceiling_without_empty", e.ceiling_without_empty);
  for (std::size_t f = 0; f < 4; ++f) {
    const std::string model = model_figure_names[f], ceiling = ceiling_figure_names[f];
    file.write<double>(model, e.model_figures.value.row(f));
    file.write<double>(model + "_interval", e.model_figures.interval.row(f));
    file.write<double>("mean_" + model, e.model_figures.mean.row(f));
    file.write<double>("mean_" + model + "_interval", e.model_figures.mean_interval.row(f));
    file.write<double>(ceiling, e.ceiling_figures.value.row(f));
    file.write<double>(ceiling + "_interval", e.ceiling_figures.interval.row(f));
  }
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.3f}", value) : "-"; }
std::string with_interval(double value, double low, double high) {
  return std::isfinite(low) ? fmt::format("{:.3f} [{:.3f}, {:.3f}]", value, low, high) : number(value);
}

/// What a reader of the table must know beside it.
std::string remarks(const Evaluation& e) {
  std::string text;
  if (!e.intervals.told.empty() && e.settings.bootstrap_samples > 0) text += e.intervals.told + "\n";
  for (std::size_t n = 0; n < e.cells.size(); ++n)
    if (e.empty_repeats[n] > 0)
      text += fmt::format("{}: {} of {} repeats are empty; without them its noise ceiling is {} instead of {}\n", e.cells[n].name,
                          e.empty_repeats[n], e.repeats.extent(0), number(e.ceiling_without_empty[n]),
                          number(e.ceiling_figures.value(noise_ceiling, 0, n)));
  return text;
}

}  // namespace

void write_evaluation(const parallel::Communicator& communicator, const std::string& path, const Evaluation& evaluation,
                      const io::Provenance& provenance) {
  io::ResultWriter file(communicator, path, "evaluation", provenance);
  declare_dimensions(file, evaluation);
  declare_series(file, evaluation);
  declare_figures(file);
  write_attributes(file, evaluation);
  file.create();
  if (communicator.root()) write_values(file, evaluation);
  file.finish();
}

std::string evaluation_table(const Evaluation& e) {
  const auto& figures = e.model_figures;
  std::string text = fmt::format("score = Pearson r with {}, {:.0f} % intervals; first {} frames left out\n",
                                 e.noiseless.empty() ? "the trial mean" : "the noiseless rate", 100 * e.settings.confidence,
                                 e.settings.discard_frames);
  text += fmt::format("{:<28}{:<9}{:<24}{:>9} {:>11} {:>11} {:>8}{:>11}\n", "cell", "model", "score", "r(trials)", "FEV", "FEVe",
                      "ceiling", "jackknife");
  for (std::size_t n = 0; n < e.cells.size(); ++n)
    for (std::size_t m = 0; m < e.models.size(); ++m) {
      text += fmt::format(
          "{:<28}{:<9}{:<24}{:>9} {:>11} {:>11} {:>8}{:>11}{}{}\n", e.cells[n].name, e.models[m],
          with_interval(figures.value(score, m, n), figures.interval(score, m, n, 0), figures.interval(score, m, n, 1)),
          number(figures.value(pearson_r, m, n)), number(figures.value(fev, m, n)), number(figures.value(feve, m, n)),
          number(e.ceiling_figures.value(noise_ceiling, 0, n)), number(e.ceiling_figures.value(oracle_jackknife, 0, n)),
          e.silent[n] ? "  silent" : "", e.no_ceiling[n] ? "  under 2 repeats" : "");
    }
  for (std::size_t m = 0; m < e.models.size(); ++m)
    text +=
        fmt::format("{:<28}{:<9}{:<24}{:>9} {:>11} {:>11}\n", "mean of cells that count", e.models[m],
                    with_interval(figures.mean(score, m), figures.mean_interval(score, m, 0), figures.mean_interval(score, m, 1)),
                    number(figures.mean(pearson_r, m)), number(figures.mean(fev, m)), number(figures.mean(feve, m)));
  return text + remarks(e);
}

}  // namespace amacrine::training
