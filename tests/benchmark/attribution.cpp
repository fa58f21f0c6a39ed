// SPDX-License-Identifier: Apache-2.0
// amacrine_benchmark_attribution MODEL RECORDING: answers one request a line, so that rounds can be interleaved with those of
// other programs while everything stays in memory and warm. Rows go to FILE as raw float32 (window, cell, entry).
//   case NAME FILE                 makes the case current; its movie, contrast (T, Y, X) as raw float32, goes to FILE
//   rows PRECISION RULE PANELS TOLERANCE FILE   the sample's rows
//   time PANELS TOLERANCE          all rows, warmed up by the first call: "seconds S rows R"
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/environment.hpp"
#include "attribution_rows.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

using namespace amacrine;

namespace {

void write(const std::string& path, const std::vector<float>& values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
  core::require<core::InputError>(file.good(), "cannot write {}", path);
}

attribution::AttributionSettings settings_for(const std::string& rule, int panels, double tolerance) {
  using attribution::Rule;
  attribution::AttributionSettings settings;
  for (Rule known : {Rule::right, Rule::midpoint, Rule::trapezoid, Rule::secant})
    if (rule == attribution::to_string(known)) settings.rule = known;
  settings.panels = panels;
  settings.weights = false;
  settings.tolerance = tolerance;
  return settings;
}

class Server {
 public:
  Server(const std::string& model, std::string recording) : model_(model::read_model(model)), recording_(std::move(recording)) {}

  void answer(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "case") {
      start_case(words);
    } else if (verb == "rows") {
      write_rows(words);
    } else if (verb == "time") {
      time_rows(words);
    } else {
      core::fail<core::StudyError>("amacrine_benchmark_attribution does not know '{}'", verb);
    }
    std::fflush(stdout);
  }

 private:
  void start_case(std::istringstream& words) {
    std::string name, path;
    words >> name >> path;
    case_ = benchmark::make_case(name, model_, recording_);
    warm_.reset();
    write(path, case_.movie.values());
    std::printf("frames %zu windows %zu intensities %zu sample", case_.movie.extent(0), case_.windows(), case_.scales.size());
    for (std::size_t window : case_.sample) std::printf(" %zu", window);
    std::printf(" last_frames");
    for (const benchmark::Stretch& stretch : case_.stretches)
      for (std::size_t w = 0; w < stretch.count; ++w) std::printf(" %zu", stretch.first + w);
    std::printf("\n");
  }

  void write_rows(std::istringstream& words) {
    std::string precision, rule, path;
    int panels = 0;
    double tolerance = 0;
    words >> precision >> rule >> panels >> tolerance >> path;
    const attribution::AttributionSettings settings = settings_for(rule, panels, tolerance);
    const bool exact = precision == "double", ray = !exact && rule == "secant" && case_.scales.size() > 1;
    const benchmark::Rows rows = exact ? benchmark::CaseAttributor<double>(model_, settings).sample(case_, false)
                                       : benchmark::CaseAttributor<float>(model_, settings).sample(case_, ray);
    write(path, rows.attribution);
    std::printf("windows %zu cells %zu entries %zu\n", rows.windows, rows.cells, rows.entries);
  }

  void time_rows(std::istringstream& words) {
    int panels = 0;
    double tolerance = 0;
    words >> panels >> tolerance;
    if (!warm_ || panels != panels_ || tolerance != tolerance_) {
      warm_.emplace(model_, settings_for("secant", panels, tolerance));
      panels_ = panels;
      tolerance_ = tolerance;
      warm_->all(case_);
    }
    const double start = core::wall_seconds();
    const benchmark::Rows rows = warm_->all(case_);
    std::printf("seconds %.6f rows %zu\n", core::wall_seconds() - start, rows.windows * rows.cells);
  }

  model::Model model_;
  std::string recording_;
  benchmark::Case case_;
  std::optional<benchmark::CaseAttributor<float>> warm_;
  int panels_ = 0;
  double tolerance_ = 0;
};

int run(int argc, char** argv) {
  core::require<core::StudyError>(argc == 3, "usage: amacrine_benchmark_attribution MODEL RECORDING");
  Server server(argv[1], argv[2]);
  std::printf("%s, %d threads\n", parallel::device_name().c_str(), parallel::thread_count());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) server.answer(line);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  parallel::Environment environment(argc, argv);
  return parallel::run_guarded([&] { return run(argc, argv); });
}
