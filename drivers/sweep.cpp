// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/io/durable_file.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/parallel/together.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/sweep/record.hpp"
#include "amacrine/sweep/result.hpp"
#include "drivers/inputs.hpp"
#include "drivers/sweep_trials.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

namespace amacrine::drivers {

namespace {

constexpr std::size_t told_trials = 10;
constexpr double csv_interval_s = 5;

/// To what the entries of the journal belong.
std::string identity_of(const Context& context, const std::string& recording_checksum) {
  return fmt::format("sweep {} recording {}", context.study.hash(sweep::identity_tables()), recording_checksum);
}

/// Lines of the log about what has happened.
void tell_entries(const std::vector<sweep::Entry>& entries, std::size_t rungs, const std::string& metric) {
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
  if (context.world.root()) io::replace_file(context.output("sweep.csv"), sweep::sweep_csv(result));
  sweep::write_sweep(context.world, context.output("sweep.h5"), result,
                     io::make_provenance(context.world, context.study, "sweep", sweep::identity_tables(), inputs));
  core::log("sweep: wrote {} and {}", context.output("sweep.h5"), context.output("sweep.csv"));
}

/// Whether `extend` goes on with the trials that a run of it has added and not finished, and adds none. Throws RefusedError where
/// it was another number of trials.
bool goes_on_extending(const Context& context, const sweep::Record& record) {
  const std::size_t more = context.options.more_trials;
  if (more == 0 || record.extension == 0) return false;
  core::require<core::RefusedError>(
      more == record.extension,
      "sweep extend --trials {} was begun and is not finished; run `amacrine sweep {}` to finish it before {} more are added",
      record.extension, context.options.study_file, more);
  return true;
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
  settings.trials = std::max(sweep::proposals(settings).size(), record.trials);
  if (!goes_on_extending(context, record)) settings.trials += context.options.more_trials;
  return settings;
}

/// What is known of an earlier run's trials, the same on all ranks. With --overwrite, nothing of another sweep, nor of trials
/// that set something else now, whose folders are removed. Throws RefusedError where the journal is another sweep's. Collective.
sweep::Record earlier_record(const Context& context, const io::Journal& journal, const std::string& identity) {
  std::string found;
  bool there = false;
  if (context.world.root()) found = io::Journal::identity_of(journal.path()), there = std::filesystem::exists(journal.path());
  found = context.world.broadcast(found), there = context.world.any(there);
  core::require<core::RefusedError>(
      found == identity || context.options.overwrite || !there,
      "{} belongs to another sweep or another recording (other settings than sweep.trials and the groups'); use --overwrite to "
      "start anew, or another output folder",
      journal.path());
  sweep::Record record = sweep::read_record(context.world, journal);
  if (!context.options.overwrite || !there) return record;
  const auto proposals = sweep::proposals(with_trials(context, record));
  const bool fits = std::all_of(record.entries.begin(), record.entries.end(), [&](const sweep::Entry& entry) {
    return entry.trial >= proposals.size() || entry.values == proposals[entry.trial].values;
  });
  if (found == identity && fits) return record;
  if (context.world.root() && !context.options.dry_run) std::filesystem::remove_all(context.output("trials"));
  context.world.barrier();
  return {};
}

/// Sizes and cost, and refusals before anything is trained. Collective.
void describe_sweep(const Trials& trials, const std::vector<std::string>& shares, const parallel::Communicator& group) {
  const Context& context = trials.context;
  const sweep::SweepSettings& settings = context.settings.sweep;
  const std::size_t groups = sweep::group_count(settings, context.world.size());
  core::log(
      "sweep: {} trials on {} groups of {} ranks, {} models trained together; compared by the validation {} after {} epochs",
      trials.all.size(), groups, settings.ranks_per_group, settings.models_per_group, metric_name(settings),
      fmt::join(trials.rungs, ", "));
  if (context.settings.training.max_minutes > 0)
    core::warn("training.max_minutes is the limit of one training and does not hold for a sweep; --max-time does");
  std::set<std::string> seen;
  double largest = 0, disk = 0;
  for (std::size_t t = 0; t < trials.all.size(); ++t) {
    const Trial& trial = trials.all[t];
    disk += disk_bytes_left(trials, trial);
    if (!seen.insert(shares[t]).second) continue;
    const training::TrainingMemory needs = training::training_memory(group, run_of(trials, trial.settings));
    largest = std::max(largest, needs.workspaces + needs.statistics);
  }
  core::log("  {} different networks and batches; at most {} of workspaces a rank, {} more on disk", seen.size(),
            core::human_bytes(largest), core::human_bytes(disk));
  io::require_space(context.world, context.output("sweep.h5"), static_cast<std::size_t>(disk));
  if (parallel::device_memory_is_host())
    parallel::require_memory(context.world, largest, "the largest trial",
                             "start fewer ranks on a host, lower training.segments or training.windows, or use another machine");
}

/// Trains what is left. False where the run was stopped. Collective; afterwards `record` is rank 0's.
bool train_trials(const Trials& trials, const std::vector<sweep::Proposal>& proposals, const std::vector<std::string>& shares,
                  io::Journal& journal, sweep::Record& record) {
  const Context& context = trials.context;
  sweep::SweepState state = sweep::state_of(context.settings.sweep, record, proposals, shares);
  if (!record.entries.empty()) core::log("sweep: going on with what an earlier run left in {}", journal.path());
  if (context.world.root()) journal.start(sweep::encode(record));
  core::Progress progress("sweep", static_cast<double>(proposals.size()), "trials begun");
  double written = core::wall_seconds();
  sweep::SweepResult shown = result_of(context, record, proposals);
  std::set<std::size_t> begun;
  for (const sweep::Entry& entry : record.entries) begun.insert(entry.trial);
  sweep::Work work;
  work.values = values_of(proposals);
  work.train = [&](const parallel::Communicator& group, const sweep::Task& task, const std::function<bool()>& interrupt) {
    return train_task(trials, group, task, interrupt);
  };
  work.keep = [&](const std::vector<sweep::Entry>& entries) {
    std::vector<std::string> texts;
    for (const sweep::Entry& entry : entries) texts.push_back(sweep::encode(entry));
    journal.append(texts);
    for (const sweep::Entry& entry : entries)
      record.entries.push_back(entry), shown.state.apply(entry), begun.insert(entry.trial);
    tell_entries(entries, trials.rungs.size(), metric_name(context.settings.sweep));
    const core::LogRedirect to_the_log("");
    progress.update(static_cast<double>(begun.size()));
    if (core::wall_seconds() - written < csv_interval_s) return;
    io::replace_file(context.output("sweep.csv"), sweep::sweep_csv(shown));
    written = core::wall_seconds();
  };
  return sweep::run_trials(context.world, context.settings.sweep, work, state);
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

/// What the journal says, without looking at the recording. Throws InputError where there is none. Collective.
sweep::Record recorded(const Context& context) {
  const std::string path = context.output("sweep.journal"), identity = io::Journal::identity_of(path);
  core::require<core::InputError>(!identity.empty(), "{}: there is no sweep yet; run `amacrine sweep {}` first", path,
                                  context.options.study_file);
  const std::string hash = context.study.hash(sweep::identity_tables());
  core::require<core::RefusedError>(identity.starts_with("sweep " + hash),
                                    "{} belongs to another sweep than {} describes; give the study and overrides it was run with",
                                    path, context.options.study_file);
  sweep::Record record = sweep::read_record(context.world, io::Journal(path, identity));
  core::require<core::InputError>(!record.rungs.empty(), "{} is damaged: its second line is not what was written", path);
  return record;
}

int show_sweep(const Context& context) {
  const sweep::Record record = recorded(context);
  const auto proposals = sweep::proposals(with_trials(context, record));
  tell_result(context, result_of(context, record, proposals));
  return 0;
}

int export_sweep(const Context& context, const io::OutputLock& /*held*/) {
  const sweep::Record record = recorded(context);
  const auto proposals = sweep::proposals(with_trials(context, record));
  if (!context.options.dry_run) write_result(context, result_of(context, record, proposals), {});
  return 0;
}

/// Writes down that all trials are at their end, so that `extend` adds trials again.
void end_extension(const Context& context, io::Journal& journal, sweep::Record& record) {
  if (record.extension == 0) return;
  record.extension = 0;
  parallel::on_some(context.world, context.world.root(), [&] { journal.append({sweep::encode_trials(record)}); });
}

}  // namespace

/// Trains trials that differ in what [sweep] names, on groups of ranks, and says which are best.
int sweep(Context& context) {
  const Settings& settings = context.settings;
  if (context.options.action == "status") return show_sweep(context);
  const io::OutputLock lock(context.world, context.output("sweep.h5"),
                            {"sweep", context.options.study_file, context.options.takeover, context.options.dry_run});
  if (context.status != nullptr) context.status->take();
  if (context.options.action == "export") return export_sweep(context, lock);
  const std::string recording_file = recording::recording_path(settings.recording, settings.output);
  require_made(context, "recording", recording_file);
  const io::Input input = recording::training_input(context.world, recording_file, settings.recording);
  const std::string identity = identity_of(context, input.checksum);
  io::Journal journal(context.output("sweep.journal"), identity);
  sweep::Record record = earlier_record(context, journal, identity);
  const std::vector<sweep::Proposal> proposals = sweep::proposals(with_trials(context, record));

  recording::Recording recording = load_training_part(context, recording_file, input);
  Trials trials{context, recording, input, lock};
  trials.all = read_trials(context, proposals);
  sweep::group_count(settings.sweep, context.world.size());
  const auto group = context.world.split_by(context.world.rank() / static_cast<int>(settings.sweep.ranks_per_group));
  const std::vector<std::string> shares = check_trials(trials, proposals, group);
  trials.rungs = sweep::rung_epochs(settings.sweep, training::epochs_of(run_of(trials, settings)));
  describe_sweep(trials, shares, group);
  if (goes_on_extending(context, record))
    core::log("sweep: going on with the {} trials that sweep extend has added", record.extension);
  if (context.options.more_trials > 0) record.extension = context.options.more_trials;
  record.rungs = trials.rungs, record.trials = proposals.size();
  if (context.options.action == "retry") retry_failed(record, sweep::state_of(settings.sweep, record, proposals, shares));
  if (context.options.dry_run) return 0;
  recording::fit_centres(recording, settings.recording);
  const bool finished = train_trials(trials, proposals, shares, journal, record);
  record = sweep::shared(context.world, record);
  const sweep::SweepResult result = result_of(context, record, proposals);
  if (!record.entries.empty()) write_result(context, result, {input});
  tell_result(context, result);
  if (!finished) return static_cast<int>(core::ExitCode::run_again);
  end_extension(context, journal, record);
  core::log("sweep: groups were training in {:.0f} % of the time", 100 * sweep::utilisation(record.entries));
  core::require(!result.state.ranking().empty(),
                "no trial of the sweep was finished: all have failed, for the reasons in {}; try them again with `amacrine sweep "
                "retry {} --failed`, or add trials",
                context.output("sweep.csv"), context.options.study_file);
  return 0;
}

}  // namespace amacrine::drivers
