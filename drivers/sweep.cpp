// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/sweep/record.hpp"
#include "amacrine/sweep/result.hpp"
#include "amacrine/sweep/run.hpp"
#include "amacrine/training/trainer.hpp"
#include "drivers/inputs.hpp"
#include "drivers/verbs.hpp"

#include <cmath>
#include <filesystem>
#include <set>

namespace amacrine::drivers {

namespace {

constexpr std::size_t told_trials = 10;
constexpr double csv_interval_s = 5;

/// A trial: the study that trains it alone, and where its files lie.
struct Trial {
  core::Study study;
  Settings settings;
  std::string folder;
  std::size_t epochs = 0;  ///< of its whole budget
};

/// What a sweep works with.
struct Sweep {
  const Context& context;
  const recording::Recording& recording;
  io::Input input;
  std::vector<Trial> trials;
  std::vector<std::size_t> rungs;  ///< in epochs of the study's own budget, the last of these being all
  std::size_t epochs() const { return rungs.back(); }
};

std::string metric_name(const sweep::SweepSettings& settings) {
  return settings.metric == training::Metric::loss ? "loss" : "correlation";
}

/// To what the entries of the journal belong.
std::string identity_of(const Context& context, const std::string& recording_checksum) {
  return fmt::format("sweep {} recording {}", context.study.hash(sweep::identity_tables()), recording_checksum);
}

training::TrainingRun run_of(const Sweep& sweep, const Trial& trial) {
  training::TrainingRun run{sweep.recording, trial.settings.recording, trial.settings.architecture, trial.settings.training};
  run.architecture.cells = static_cast<int>(sweep.recording.cells.size());
  run.kind = run.architecture.hidden.empty() ? "ln" : "network";
  run.recording_checksum = sweep.input.checksum;
  run.checkpoint = trial.folder + "/train.checkpoint";
  run.curves = trial.folder + "/curves";
  return run;
}

/// The epoch at whose end a trial comes to a rung: the same share of its budget as of the study's.
std::size_t epoch_of(const Sweep& sweep, const Trial& trial, std::size_t rung) {
  if (rung + 1 == sweep.rungs.size()) return trial.epochs;
  const double share = static_cast<double>(sweep.rungs[rung]) / static_cast<double>(sweep.epochs());
  return std::max<std::size_t>(1, static_cast<std::size_t>(std::llround(share * static_cast<double>(trial.epochs))));
}

/// What `look` throws, with the trial that it was about.
template <class Look>
void about_trial(std::size_t trial, const std::vector<std::string>& values, const Look& look) {
  try {
    look();
  } catch (const core::Error& error) {
    throw core::Error(fmt::format("trial {} ({}): {}", trial, fmt::join(values, " "), error.what()), error.code());
  }
}

/// Every trial's study is read before the first is trained, so that a wrong key or value costs nothing.
std::vector<Trial> trials_of(const Context& context, const std::vector<sweep::Proposal>& proposals) {
  std::vector<Trial> trials;
  for (std::size_t t = 0; t < proposals.size(); ++t)
    about_trial(t, proposals[t].values, [&] {
      core::Study study = core::Study::from_text(context.study.resolved(), context.study.file(), proposals[t].overrides);
      Settings settings = read_settings(study);
      trials.push_back({std::move(study), std::move(settings), context.output(fmt::format("trials/{:04}", t)), 0});
    });
  return trials;
}

/// Per trial, what it must have in common with others to be trained with them; sets the trials' epochs. Throws where a trial does
/// not fit the recording.
std::vector<std::string> shares_of(Sweep& sweep, const std::vector<sweep::Proposal>& proposals,
                                   const parallel::Communicator& group) {
  std::vector<std::string> shares;
  std::set<std::string> checked;
  for (std::size_t t = 0; t < proposals.size(); ++t)
    about_trial(t, proposals[t].values, [&] {
      const training::TrainingRun run = run_of(sweep, sweep.trials[t]);
      sweep.trials[t].epochs = training::epochs_of(run);
      shares.push_back(training::shared_identity(run));
      if (checked.insert(shares.back()).second) training::training_memory(group, run);
    });
  return shares;
}

/// The best validation so far.
double value_of(const sweep::SweepSettings& settings, const std::vector<training::EpochRecord>& curve) {
  double best = NAN;
  for (const training::EpochRecord& epoch : curve) {
    const bool loss = settings.metric == training::Metric::loss;
    const double value = loss ? epoch.validation_loss : epoch.validation_r;
    if (!(loss ? value >= best : value <= best)) best = value;
  }
  return best;
}

/// Trains a task's trials to the end of its rung and writes the models of those that are finished. Collective over the group.
std::vector<sweep::Reach> train_task(const Sweep& sweep, const parallel::Communicator& group, const sweep::Task& task,
                                     const std::function<bool()>& interrupt) {
  const Context& context = sweep.context;
  std::vector<io::OutputLock> locks;
  std::vector<training::TrainingRun> runs;
  for (const std::size_t t : task.trials)
    locks.emplace_back(group, sweep.trials[t].folder + "/model.h5",
                       io::LockRequest{"sweep", context.options.study_file, context.options.takeover, false});
  const core::LogRedirect log(group.root() ? sweep.trials[task.trials.front()].folder + "/train.log" : "");
  for (std::size_t i = 0; i < task.trials.size(); ++i) {
    const Trial& trial = sweep.trials[task.trials[i]];
    runs.push_back(run_of(sweep, trial));
    runs.back().lock = &locks[i];
    runs.back().until_epoch = epoch_of(sweep, trial, task.rung);
  }
  const auto results = training::train_together(group, runs, interrupt);
  std::vector<sweep::Reach> reaches;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const Trial& trial = sweep.trials[task.trials[i]];
    const training::TrainingResult& result = results[i];
    if (result.finished)
      model::write_model(group, trial.folder + "/model.h5", result.model,
                         io::make_provenance(group, trial.study, "train", tables_of("train"), {sweep.input}));
    sweep::Reach reach{!result.stopped_by.empty(), result.finished, result.curve.size(), 0, NAN};
    if (!result.curve.empty()) reach.windows = result.curve.back().windows;
    reach.value = value_of(context.settings.sweep, result.curve);
    reaches.push_back(reach);
  }
  return reaches;
}

/// Lines of the log about what has happened, and how much of what may be needed at most is done.
void tell(const std::vector<sweep::Entry>& entries, std::size_t rungs, const std::string& metric) {
  const core::LogRedirect to_the_log("");
  for (const sweep::Entry& entry : entries) {
    const std::string took = core::human_seconds(entry.end - entry.begin);
    if (entry.kind == sweep::Entry::Kind::failed)
      core::log("trial {}: failed after {}: {}", entry.trial, took, entry.reason);
    else
      core::log("trial {}: rung {} of {}, {} epochs, {} {:.4f} in {} ({}){}", entry.trial, entry.rung + 1, rungs, entry.epochs,
                metric, entry.value, took, fmt::join(entry.values, " "), entry.finished ? ", finished" : "");
  }
}

std::vector<std::vector<std::string>> values_of(const std::vector<sweep::Proposal>& proposals) {
  std::vector<std::vector<std::string>> values;
  for (const sweep::Proposal& proposal : proposals) values.push_back(proposal.values);
  return values;
}

sweep::SweepResult result_of(const Context& context, const sweep::Record& record, const std::vector<sweep::Proposal>& proposals) {
  std::vector<std::vector<std::string>> overrides;
  for (const sweep::Proposal& proposal : proposals) overrides.push_back(proposal.overrides);
  return {metric_name(context.settings.sweep),
          record.rungs,
          values_of(proposals),
          overrides,
          record.entries,
          sweep::state_of(context.settings.sweep, record, proposals, std::vector<std::string>(proposals.size()))};
}

/// The command that goes on with a trial's model.
std::string command_of(const Context& context, const sweep::SweepResult& result, std::size_t trial) {
  std::string text = "amacrine attribute " + context.options.study_file;
  for (const std::string& given : context.options.overrides)
    if (!given.starts_with("study.output=") && !given.starts_with("recording.file=")) text += " '" + given + "'";
  for (const std::string& override_text : result.overrides[trial]) text += " '" + override_text + "'";
  return text + fmt::format(" study.output={} recording.file={}", context.output(fmt::format("trials/{:04}", trial)),
                            recording::recording_path(context.settings.recording, context.settings.output));
}

void tell_result(const Context& context, const sweep::SweepResult& result) {
  core::log_line(sweep::sweep_table(result, told_trials));
  const std::vector<std::size_t> order = result.state.ranking();
  if (order.empty()) return;
  core::log("the best model is {}; with it go on: {}", context.output(fmt::format("trials/{:04}/model.h5", order.front())),
            command_of(context, result, order.front()));
}

/// sweep.csv and sweep.h5. Collective.
void write_result(const Context& context, const sweep::SweepResult& result, const std::vector<io::Input>& inputs) {
  if (context.world.root()) training::replace_file(context.output("sweep.csv"), sweep::sweep_csv(result));
  sweep::write_sweep(context.world, context.output("sweep.h5"), result,
                     io::make_provenance(context.world, context.study, "sweep", sweep::identity_tables(), inputs));
  core::log("sweep: wrote {} and {}", context.output("sweep.h5"), context.output("sweep.csv"));
}

/// The journal of this sweep, or what is in its place. Throws RefusedError where it is another sweep's.
void check_journal(const Context& context, const io::Journal& journal, const std::string& identity) {
  const std::string found = io::Journal::identity_of(journal.path());
  core::require<core::RefusedError>(
      found == identity || context.options.overwrite || !std::filesystem::exists(journal.path()),
      "{} belongs to another sweep or another recording (other settings than sweep.trials and the groups'); use --overwrite to "
      "start anew, or another output folder",
      journal.path());
}

/// As many trials as were ever asked for, and those that `extend` adds.
sweep::SweepSettings with_trials(const Context& context, const sweep::Record& record) {
  sweep::SweepSettings settings = context.settings.sweep;
  const bool sampled = settings.method == sweep::Method::random || settings.method == sweep::Method::quasi_random;
  core::require<core::StudyError>(context.options.more_trials == 0 || sampled,
                                  "sweep extend adds trials to a random or quasi_random sweep; a grid has no more, and a list "
                                  "grows by lines of {}",
                                  settings.list_file.empty() ? "sweep.list_file" : settings.list_file);
  if (!sampled) return settings;
  settings.trials = std::max(sweep::proposals(settings).size(), record.trials) + context.options.more_trials;
  return settings;
}

/// Sizes and cost, and refusals before anything is trained. Collective.
void describe(const Sweep& sweep, const std::vector<std::string>& shares, const parallel::Communicator& group) {
  const Context& context = sweep.context;
  const sweep::SweepSettings& settings = context.settings.sweep;
  const std::size_t groups = sweep::group_count(settings, context.world.size());
  core::log(
      "sweep: {} trials on {} groups of {} ranks, {} models trained together; compared by the validation {} after {} epochs",
      sweep.trials.size(), groups, settings.ranks_per_group, settings.models_per_group, metric_name(settings),
      fmt::join(sweep.rungs, ", "));
  std::set<std::string> seen;
  double largest = 0, disk = 0;
  for (std::size_t t = 0; t < sweep.trials.size(); ++t) {
    const training::TrainingRun run = run_of(sweep, sweep.trials[t]);
    disk += training::training_disk_bytes(run);
    if (!seen.insert(shares[t]).second) continue;
    const training::TrainingMemory needs = training::training_memory(group, run);
    largest = std::max(largest, needs.workspaces + needs.statistics);
  }
  core::log("  {} different networks and batches; at most {} of workspaces a rank, {} on disk", seen.size(),
            core::human_bytes(largest), core::human_bytes(disk));
  io::require_space(context.world, context.output("sweep.h5"), static_cast<std::size_t>(disk));
  if (parallel::device_memory_is_host())
    parallel::require_memory(context.world, largest, "the largest trial",
                             "start fewer ranks on a host, lower training.segments or training.windows, or use another machine");
}

/// A validation part must be there for trials to be compared on.
void require_validation(const Context& context) {
  core::require<core::StudyError>(context.settings.recording.validation_fraction > 0,
                                  "{}: a sweep compares trials on the validation part; set recording.validation_fraction above 0",
                                  context.study.where("recording.validation_fraction"));
}

/// Trains what is left. False where the run was stopped. Collective; afterwards `record` is rank 0's.
bool run(const Sweep& sweep, const std::vector<sweep::Proposal>& proposals, const std::vector<std::string>& shares,
         io::Journal& journal, sweep::Record& record) {
  const Context& context = sweep.context;
  sweep::SweepState state = sweep::state_of(context.settings.sweep, record, proposals, shares);
  if (!record.entries.empty()) core::log("sweep: going on with what an earlier run left in {}", journal.path());
  if (context.world.root()) journal.start(sweep::encode(record));
  core::Progress progress("sweep", static_cast<double>(proposals.size()), "trials begun");
  double written = core::wall_seconds();
  sweep::Work work;
  work.values = values_of(proposals);
  work.train = [&](const parallel::Communicator& group, const sweep::Task& task, const std::function<bool()>& interrupt) {
    return train_task(sweep, group, task, interrupt);
  };
  work.keep = [&](const std::vector<sweep::Entry>& entries) {
    std::vector<std::string> texts;
    for (const sweep::Entry& entry : entries) texts.push_back(sweep::encode(entry)), record.entries.push_back(entry);
    journal.append(texts);
    tell(entries, sweep.rungs.size(), metric_name(context.settings.sweep));
    std::set<std::size_t> begun;
    for (const sweep::Entry& entry : record.entries) begun.insert(entry.trial);
    const core::LogRedirect to_the_log("");
    progress.update(static_cast<double>(begun.size()));
    if (core::wall_seconds() - written < csv_interval_s) return;
    training::replace_file(context.output("sweep.csv"), sweep::sweep_csv(result_of(context, record, proposals)));
    written = core::wall_seconds();
  };
  return sweep::run_trials(context.world, context.settings.sweep, work, state);
}

/// Every rank gets rank 0's record. Collective.
void share_record(const parallel::Communicator& world, sweep::Record& record) {
  std::string texts;
  for (const std::string& text : sweep::encode(record)) texts += text + "\n";
  texts = world.broadcast(texts);
  record.entries.clear();
  for (std::size_t at = 0; at < texts.size();) {
    const std::size_t end = texts.find('\n', at);
    if (auto entry = sweep::decode(texts.substr(at, end - at))) record.entries.push_back(std::move(*entry));
    at = end + 1;
  }
}

/// Failed trials are tried again.
void retry_failed(sweep::Record& record, const sweep::SweepState& state) {
  for (std::size_t t = 0; t < state.size(); ++t) {
    if (state.standing(t) != sweep::Standing::failed) continue;
    sweep::Entry entry;
    entry.kind = sweep::Entry::Kind::retry, entry.trial = t;
    for (const sweep::Entry& earlier : record.entries)
      if (earlier.trial == t) entry.values = earlier.values;
    record.entries.push_back(entry);
  }
}

/// What the journal says, without looking at the recording. Throws InputError where there is none.
sweep::Record recorded(const Context& context) {
  const std::string path = context.output("sweep.journal"), identity = io::Journal::identity_of(path);
  core::require<core::InputError>(!identity.empty(), "{}: there is no sweep yet; run `amacrine sweep {}` first", path,
                                  context.options.study_file);
  const std::string hash = context.study.hash(sweep::identity_tables());
  core::require<core::RefusedError>(identity.starts_with("sweep " + hash),
                                    "{} belongs to another sweep than {} describes; give the study and overrides it was run with",
                                    path, context.options.study_file);
  return sweep::read_record(io::Journal(path, identity));
}

int show(const Context& context) {
  const sweep::Record record = recorded(context);
  const auto proposals = sweep::proposals(with_trials(context, record));
  tell_result(context, result_of(context, record, proposals));
  return 0;
}

int export_result(const Context& context) {
  const sweep::Record record = recorded(context);
  const io::OutputLock lock(context.world, context.output("sweep.h5"),
                            {"sweep", context.options.study_file, context.options.takeover, context.options.dry_run});
  const auto proposals = sweep::proposals(with_trials(context, record));
  if (!context.options.dry_run) write_result(context, result_of(context, record, proposals), {});
  return 0;
}

}  // namespace

/// Trains trials that differ in what [sweep] names, on groups of ranks, and says which are best.
int sweep(Context& context) {
  const Settings& settings = context.settings;
  if (context.options.action == "status") return show(context);
  if (context.options.action == "export") return export_result(context);
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  require_made(context, "recording", recording_file);
  require_validation(context);
  const io::OutputLock lock(context.world, context.output("sweep.h5"),
                            {"sweep", context.options.study_file, context.options.takeover, context.options.dry_run});
  if (context.status != nullptr) context.status->take();
  const io::Input input = recording::training_input(context.world, recording_file);
  const std::string identity = identity_of(context, input.checksum);
  io::Journal journal(context.output("sweep.journal"), identity);
  check_journal(context, journal, identity);
  sweep::Record record = sweep::read_record(journal);
  const std::vector<sweep::Proposal> proposals = sweep::proposals(with_trials(context, record));

  parallel::require_memory(context.world, recording::loaded_bytes(recording_file, recording::Load::train, &context.world),
                           recording_file, "use fewer ranks on a host, or another machine");
  recording::Recording recording =
      recording::load_recording(recording_file, settings.recording, recording::Load::train, &context.world);
  io::require_unchanged(context.world, {input});
  recording::describe_and_check(recording, settings.architecture.history);
  Sweep sweep{context, recording, input, trials_of(context, proposals), {}};
  sweep::group_count(settings.sweep, context.world.size());
  const auto group = context.world.split_by(context.world.rank() / static_cast<int>(settings.sweep.ranks_per_group));
  const std::vector<std::string> shares = shares_of(sweep, proposals, group);
  sweep.rungs = sweep::rung_epochs(
      settings.sweep, training::epochs_of({recording, settings.recording, settings.architecture, settings.training}));
  describe(sweep, shares, group);
  record.rungs = sweep.rungs, record.trials = proposals.size();
  if (context.options.action == "retry") retry_failed(record, sweep::state_of(settings.sweep, record, proposals, shares));
  if (context.options.dry_run) return 0;
  if (context.options.overwrite && context.world.root() && record.entries.empty())
    std::filesystem::remove_all(context.output("trials"));
  context.world.barrier();
  recording::fit_centres(recording, settings.recording);
  const bool finished = run(sweep, proposals, shares, journal, record);
  share_record(context.world, record);
  const sweep::SweepResult result = result_of(context, record, proposals);
  if (!record.entries.empty()) write_result(context, result, {input});
  tell_result(context, result);
  if (!finished) return static_cast<int>(core::ExitCode::run_again);
  core::log("sweep: groups were training in {:.0f} % of the time", 100 * sweep::utilisation(record.entries));
  core::require(!result.state.ranking().empty(), "no trial of the sweep was finished: all {} failed", proposals.size());
  return 0;
}

}  // namespace amacrine::drivers
