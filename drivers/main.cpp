// SPDX-License-Identifier: Apache-2.0
// The command line: `amacrine VERB STUDY.toml [table.key=value ...]`. The only source that sees CLI11.
#include "amacrine/core/log.hpp"
#include "amacrine/core/version.hpp"
#include "amacrine/io/status_file.hpp"
#include "amacrine/parallel/devices.hpp"
#include "amacrine/parallel/environment.hpp"
#include "amacrine/parallel/stop.hpp"
#include "drivers/farm.hpp"
#include "drivers/sessions.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace {

using namespace amacrine::drivers;

struct Verb {
  std::string name, help;
  std::function<int(Context&)> run;
  bool reads_model = false;  ///< and can do so for many
};

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> list{
      {"simulate", "show a stimulus ensemble to circuits of known mechanism; writes recording.h5 (rates in Hz, bins of 10 ms)",
       simulate},
      {"train",
       "train a network (and the LN model) on a recording; writes model.h5, ln.h5 and learning curves; goes on where it stopped",
       train},
      {"evaluate", "score the models on the recording's test part (correlations, explained variance); writes evaluation.h5",
       evaluate, true},
      {"probe", "show the physiologists' stimuli to models and circuits (latencies in ms, distances in um); writes responses",
       probe, true},
      {"attribute", "attribute responses to the model's interneurons by path integrals (Hz); writes attributions", attribute,
       true},
      {"reduce", "find each cell's few pathways and fit the reduced model; writes the reduction", reduce, true},
      {"lesion",
       "test attributions on the network: what is left of each response (Hz, parts of it) without the units that they rank "
       "first, or "
       "with these alone, and without each pathway; writes lesions_network.h5",
       lesion, true},
      {"fit",
       "fit few rectified pathways with free filters to each cell's spikes, the number chosen by held-out likelihood; writes "
       "pathways.h5 (filters, signs in Hz, places in px, and which claims halves of the recording dispute)",
       fit, true},
      {"sweep",
       "train trials that differ in what [sweep.space] names, stop the poor ones early, and say which are best; `amacrine sweep "
       "status STUDY` says how it stands, `sweep extend STUDY --trials N` adds trials, `sweep retry STUDY --failed` tries the "
       "failed ones again, `sweep export STUDY` writes sweep.csv and sweep.h5",
       sweep},
      {"report",
       "draw report.html from what results the study's folder holds, and print its short table; with --models one page over many",
       report, true},
      {"status", "say what of a study is done, running and left, and the command to give next", status}};
  return list;
}

const char* const description =
    "amacrine: from recordings of retinal ganglion cells to mechanisms.\n"
    "Units: time ms, rates Hz, space um and px, stimuli in contrast (0 = grey).";

const char* const footer =
    "Every verb takes one TOML study file and overrides: amacrine train study.toml training.learning_rate=3e-3\n"
    "Runs under mpirun as it is; the numbers do not depend on the number of ranks or threads.\n"
    "Exit codes: 0 finished; 1 failure; 2 wrong command line or study file; 3 an input is missing, damaged or does not fit;\n"
    "  4 refused: another study's output is in the way, another run is making it, or it cannot be written; 75 stopped early, run "
    "the same command again.";

/// What the command line asks for.
struct Request {
  Options options;
  bool print_config = false, version = false, json = false, failed = false;
  double max_minutes = std::numeric_limits<double>::infinity();
  std::string log_level = "info", file;
};

void add_verb(CLI::App& app, const Verb& verb, Request& request) {
  CLI::App* command = app.add_subcommand(verb.name, verb.help);
  command->footer(footer);
  command->add_option("study", request.options.study_file, "study file (TOML)")->required();
  command->add_option("overrides", request.options.overrides, "table.key=value, TOML values or plain words");
  command->add_flag("--dry-run", request.options.dry_run,
                    "build everything, print sizes and cost, refuse what the run would refuse, write nothing");
  command->add_flag("--print-config", request.print_config, "print the resolved study, defaults included, and stop");
  command->add_flag("--overwrite", request.options.overwrite, "replace outputs made by another study");
  command->add_flag("--takeover", request.options.takeover,
                    "take over the lock of a run on another host where that run is provably dead");
  command
      ->add_option("--max-time", request.max_minutes,
                   "minutes from the start after which the run saves and stops with exit code 75, as at a signal")
      ->check(CLI::PositiveNumber);
  command->add_option("--log-level", request.log_level, "quiet, info or debug")->capture_default_str();
  if (verb.reads_model) {
    command->add_option("--models", request.options.models,
                        "do it for every model of these folders, seen from the study's output folder: 'trials/*'");
    command->add_option("--ranks-per-model", request.options.ranks_per_model, "ranks that work on one of them together")
        ->check(CLI::PositiveNumber);
  }
  if (verb.name == "sweep") {
    command->add_option("--trials", request.options.more_trials, "of sweep extend: trials to add")->check(CLI::PositiveNumber);
    command->add_flag("--failed", request.failed, "of sweep retry: the trials that failed");
  }
  command->callback([&request, name = verb.name] { request.options.verb = name; });
}

void describe_command_line(CLI::App& app, Request& request) {
  app.footer(footer);
  app.add_flag("--version", request.version, "print the version (with --json: and how the program was built)");
  app.add_flag("--json", request.json, "machine-readable, for --version and inspect");
  for (const Verb& verb : verbs()) add_verb(app, verb, request);
  CLI::App* inspect_command =
      app.add_subcommand("inspect", "tell what a file is, how it was made and whether it is whole (exit code 3 if not)");
  inspect_command->add_option("file", request.file, "any file")->required();
  inspect_command->add_flag("--json", request.json, "the same as JSON");
  inspect_command->callback([&request] { request.options.verb = "inspect"; });
}

/// A word in the verb's place that is no verb: CLI11 would only say that it was not expected.
void check_verb(int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names{"inspect"};
  for (const Verb& verb : verbs()) names.push_back(verb.name);
  const std::string word = argv[1];
  if (std::find(names.begin(), names.end(), word) != names.end()) return;
  const std::string near = amacrine::core::nearest_word(word, names);
  amacrine::core::fail<amacrine::core::StudyError>("'{}' is not a verb{}; the verbs are {}", word,
                                                   near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                                                   fmt::join(names, ", "));
}

/// The word after `sweep` that says what is to be done with it is taken out of the command line.
std::vector<char*> without_action(int argc, char** argv, std::string& action) {
  std::vector<char*> words(argv, argv + argc);
  if (argc < 3 || std::string(argv[1]) != "sweep") return words;
  const std::string word = argv[2];
  if (word != "status" && word != "extend" && word != "retry" && word != "export") return words;
  action = word;
  words.erase(words.begin() + 2);
  return words;
}

/// What is added or tried again must be asked for in full.
void check_action(const Request& request) {
  const std::string& action = request.options.action;
  const bool extends = action == "extend", retries = action == "retry";
  const std::string added = extends ? "sweep extend needs --trials N, the number of trials to add"
                                    : "--trials belongs to sweep extend; the first trials are sweep.trials of the study";
  const std::string again = retries ? "sweep retry needs --failed, the trials to try again" : "--failed belongs to sweep retry";
  amacrine::core::require<amacrine::core::StudyError>(extends == (request.options.more_trials > 0), "{}", added);
  amacrine::core::require<amacrine::core::StudyError>(retries == request.failed, "{}", again);
}

int print_version(bool json) {
  const auto facts = amacrine::core::build_facts();
  amacrine::core::log_line(json ? nlohmann::json(facts).dump(2) : "amacrine " + amacrine::core::version());
  return 0;
}

/// A file `stop` in the output folder ends runs of this study, and keeps those that a batch system starts again from starting.
void stop_by_file(const Context& context) {
  const std::string path = context.output("stop");
  amacrine::core::require<amacrine::core::RefusedError>(!file_exists(context.world, path),
                                                        "{} asks runs of this study to stop; remove that file to go on", path);
  amacrine::parallel::stop_when_there(path, context.world.root());
}

void tell_of_gpus(const amacrine::parallel::Communicator& world) {
  const auto ranks = amacrine::parallel::placements(world);
  if (const std::string line = amacrine::parallel::gpu_line(ranks); !line.empty()) amacrine::core::log("{}", line);
  if (const std::string warning = amacrine::parallel::gpu_warning(ranks); !warning.empty()) amacrine::core::warn("{}", warning);
}

int run_study(const Verb& verb, const Request& request, std::optional<amacrine::io::StatusFile>& status) {
  amacrine::core::set_log_level(request.log_level);
  amacrine::parallel::stop_after(std::min(60 * request.max_minutes, amacrine::parallel::seconds_left_in_job()));
  auto world = amacrine::parallel::Communicator::world();
  auto study = amacrine::core::Study::from_file(request.options.study_file, request.options.overrides);
  Settings settings = read_settings(study);
  Context context{std::move(world), std::move(study), std::move(settings), request.options, nullptr};
  if (request.print_config) {
    amacrine::core::log_line(context.study.resolved());
    return 0;
  }
  amacrine::parallel::throw_if_stopped(context.world);
  const bool looks = verb.name == "status" || verb.name == "report" || request.options.action == "status";
  if (looks) return verb.run(context);
  check_sessions(context, verb.name, verb.reads_model);
  stop_by_file(context);
  const std::string warning = amacrine::parallel::rank_warning(context.world.size());
  if (!warning.empty()) amacrine::core::warn("{}", warning);
  tell_of_gpus(context.world);
  amacrine::core::log("{}: study '{}' ({}), results in {}", verb.name, context.settings.name, request.options.study_file,
                      context.settings.output);
  if (!request.options.dry_run) {
    status.emplace(context.world, context.settings.output,
                   amacrine::io::StatusFile::Facts{verb.name, context.study.file(), context.study.hash(tables_of(verb.name))});
    context.status = &*status;
  }
  const bool many = !request.options.models.empty() || (!context.settings.sessions.empty() && verb.reads_model);
  return many ? run_for_models(context, verb.run) : verb.run(context);
}

int run_request(const Request& request, std::optional<amacrine::io::StatusFile>& status) {
  if (request.version) return print_version(request.json);
  if (request.options.verb == "inspect") return inspect(amacrine::parallel::Communicator::world(), request.file, request.json);
  for (const Verb& verb : verbs())
    if (verb.name == request.options.verb) return run_study(verb, request, status);
  amacrine::core::fail<amacrine::core::StudyError>("no verb was given; amacrine --help lists them");
}

/// Why a verb returned a code instead of throwing.
std::string reason(int code) {
  if (code != static_cast<int>(amacrine::core::ExitCode::run_again)) return {};
  const std::string signal = amacrine::parallel::stop_signal();
  return "stopped by " + (signal.empty() ? "training.max_minutes or a signal to another rank" : signal);
}

}  // namespace

int main(int argc, char** argv) {
  amacrine::parallel::StopListener listener;
  const amacrine::parallel::Environment environment(argc, argv);
  CLI::App app(description, "amacrine");
  Request request;
  describe_command_line(app, request);
  std::optional<amacrine::io::StatusFile> status;
  const auto body = [&]() -> int {
    check_verb(argc, argv);
    const std::vector<char*> words = without_action(argc, argv, request.options.action);
    try {
      app.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::Success& help) {
      // --help: CLI11 prints; one rank is enough.
      if (amacrine::parallel::Communicator::world().root()) app.exit(help);
      return 0;
    } catch (const CLI::ParseError& error) {
      throw amacrine::core::StudyError(fmt::format("{}; amacrine --help tells more", error.what()));
    }
    check_action(request);
    return run_request(request, status);
  };
  const int result = amacrine::parallel::run_guarded(body, [&](int code, const std::string& message) {
    if (status) status->end(code, message.empty() ? reason(code) : message);
  });
  listener.ignore_afterwards();
  return result;
}
