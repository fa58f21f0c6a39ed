// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/parallel/attempt.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/parallel/together.hpp"
#include "amacrine/recording/reader.hpp"
#include "amacrine/recording/receptive_field.hpp"
#include "amacrine/training/joint.hpp"
#include "amacrine/training/members.hpp"
#include "drivers/inputs.hpp"
#include "drivers/sessions.hpp"
#include "drivers/training_plan.hpp"

#include <deque>
#include <sstream>

namespace amacrine::drivers {

namespace {

using training::SessionShare;

/// A session of this rank: its study, its recording, and what is made of it.
struct Session {
  std::string name;
  Context context;
  io::Input input;
  Group model, baseline;  ///< one each, or no baseline
  recording::Recording recording{};
  bool made = false;  ///< its model is there and whole
};

/// What of the study decides a session's model: its own training, and all sessions but their files, which are inputs.
std::vector<std::string> tables_of_sessions(const Settings& settings) {
  std::vector<std::string> tables = tables_of("train");
  tables.emplace_back("sessions");
  for (const recording::SessionSettings& session : settings.sessions) tables.push_back("!sessions." + session.name + ".file");
  return tables;
}

/// The checksum of every session's training part, in the order of sessions, known to all ranks. Collective.
std::vector<std::string> checksums(const SessionShare& share, const std::deque<Session>& sessions) {
  std::string mine;
  for (const Session& session : sessions) mine += session.input.checksum + " ";
  std::istringstream all(fmt::format("{}", fmt::join(parallel::gather_texts(share.world, share.ranks.root() ? mine : ""), "")));
  std::vector<std::string> sums;
  for (std::string sum; all >> sum;) sums.push_back(sum);
  return sums;
}

/// The sessions of this rank, with their recordings' checksums. Collective over their ranks.
void open_sessions(const Context& context, const SessionShare& share, std::deque<Session>& sessions) {
  for (std::size_t s = share.mine.begin; s < share.mine.end; ++s) {
    const recording::SessionSettings& session = context.settings.sessions[s];
    Context own = session_context(context, share.ranks, session);
    require_made(own, "recording", session.recording.file);
    const io::Input input = recording::training_input(share.ranks, session.recording.file, session.recording);
    sessions.push_back({session.name, std::move(own), input, {}, {}});
  }
}

/// Plans every model and takes the right to make those that do not exist yet. Collective over the session's ranks.
void plan_sessions(const Context& context, const std::vector<std::string>& sums, std::deque<Session>& sessions) {
  const std::vector<recording::SessionSettings>& all = context.settings.sessions;
  for (Session& session : sessions) {
    std::vector<io::Input> inputs{session.input};
    for (std::size_t s = 0; s < all.size(); ++s)
      if (all[s].name != session.name)
        inputs.push_back(
            {fmt::format("{}, session {}", recording::training_part, all[s].name), all[s].recording.file, sums.at(s)});
    const Context& own = session.context;
    Plan plan{own.settings, own.output("model.h5"), own.output("train.checkpoint"), own.output("curves"),
              io::make_provenance(own.world, own.study, "train", tables_of_sessions(own.settings), inputs)};
    plan.lock = own.claim(plan.path, plan.provenance);
    session.made = !plan.lock;
    session.baseline = baseline_of(own, plan);
    for (Plan& baseline : session.baseline) baseline.lock = own.claim(baseline.path, baseline.provenance);
    std::erase_if(session.baseline, [](const Plan& baseline) { return !baseline.lock; });
    session.model.push_back(std::move(plan));
  }
}

void read_sessions(std::deque<Session>& sessions) {
  for (Session& session : sessions)
    session.recording = load_training_part(session.context, session.context.settings.recording.file, session.input);
}

/// Runs of this rank's sessions, completed with what depends on all. Collective.
std::vector<training::TrainingRun> joined_runs(const SessionShare& share, const std::deque<Session>& sessions) {
  std::vector<training::TrainingRun> runs;
  std::vector<std::string> descriptions;
  for (const Session& session : sessions) {
    runs.push_back(runs_of(session.model, session.recording).front());
    std::string cells;
    for (const recording::Cell& cell : session.recording.cells) cells += fmt::format(" {}", cell.id);
    descriptions.push_back(fmt::format("{} (cells{}) of {}", session.name, cells, session.input.checksum));
  }
  training::join_sessions(share, runs, descriptions);
  return runs;
}

/// Says what would be trained and refuses what cannot. Collective over the sessions' ranks.
void describe(const std::deque<Session>& sessions, const std::vector<training::TrainingRun>& runs) {
  for (std::size_t s = 0; s < sessions.size(); ++s) {
    const Session& session = sessions[s];
    core::log("session {}: {} cells of {}", session.name, session.recording.cells.size(), session.recording.path);
    describe_networks(session.context, session.model, {runs[s]});
    const auto baselines = runs_of(session.baseline, session.recording);
    describe_baseline(session.baseline, baselines);
    require_room(session.context, {runs[s]}, baselines, session.model.front().path);
  }
}

void prepare(std::deque<Session>& sessions, const std::vector<training::TrainingRun>& runs) {
  for (std::size_t s = 0; s < sessions.size(); ++s) {
    recording::fit_centres(sessions[s].recording, sessions[s].context.settings.recording);
    clear_for(sessions[s].context, {runs[s]});
  }
}

/// Writes the models that are not there yet, and the baselines; what was made, as a line without line breaks.
std::string write_sessions(const std::deque<Session>& sessions, const std::vector<training::TrainingResult>& results) {
  std::string lines;
  for (std::size_t s = 0; s < sessions.size(); ++s) {
    const Session& session = sessions[s];
    const Plan& plan = session.model.front();
    lines += fmt::format("session {}: {}, in {}\t", session.name, told(results[s]), plan.path);
    if (!session.made) model::write_model(session.context.world, plan.path, results[s].model, plan.provenance);
    for (const training::TrainingRun& run : runs_of(session.baseline, session.recording))
      fit_baseline(session.context, session.baseline.front(), run);
  }
  return lines;
}

/// Runs `body` on all ranks; where it fails on some, all throw what the first of them said.
void on_all(const parallel::Communicator& watched, const std::function<void()>& body) {
  const parallel::Fault fault = parallel::attempt(watched, body);
  if (fault.code != core::ExitCode::done) throw core::Error(fault.text, fault.code);
}

/// One right for the joint training as a whole, so that of two jobs none takes half of the sessions.
io::OutputLock lock_all(const Context& context) {
  return {context.world,
          context.output("sessions/train"),
          {context.options.verb, context.options.study_file, context.options.takeover, context.options.dry_run}};
}

void require_joint(const Context& context, std::size_t ranks) {
  const Settings& settings = context.settings;
  core::require<core::StudyError>(
      training::members(settings.training).size() == 1,
      "{}: sessions train one model, but training.model_seeds and training.learning_rates ask for several; give one of each",
      context.study.where("training.model_seeds"));
  core::log("train: one model of {} sessions on {} rank{}, {}", settings.sessions.size(), ranks, ranks == 1 ? "" : "s",
            ranks <= settings.sessions.size() ? "which take whole sessions" : "several for each session");
}

}  // namespace

int train_sessions(Context& context) {
  require_joint(context, static_cast<std::size_t>(context.world.size()));
  const io::OutputLock lock = lock_all(context);
  const SessionShare share(context.world, context.settings.sessions.size());
  const parallel::MemoryShare memory(context.world, share.ranks);
  const parallel::Communicator watched = context.world.split_by(0);
  std::deque<Session> sessions;
  on_all(watched, [&] { open_sessions(context, share, sessions); });
  const std::vector<std::string> sums = checksums(share, sessions);
  on_all(watched, [&] { plan_sessions(context, sums, sessions); });
  const auto complete = [](const Session& session) { return session.made && session.baseline.empty(); };
  if (!context.world.any(!std::all_of(sessions.begin(), sessions.end(), complete))) return 0;

  on_all(watched, [&] { read_sessions(sessions); });
  const std::vector<training::TrainingRun> runs = joined_runs(share, sessions);
  on_all(watched, [&] { describe(sessions, runs); });
  if (context.options.dry_run) return 0;
  if (context.status != nullptr) context.status->take();
  on_all(watched, [&] { prepare(sessions, runs); });
  const double start = core::wall_seconds();
  const std::vector<training::TrainingResult> results = training::train_sessions(share, runs);
  if (!results.front().finished) {
    core::log("train: stopped by {} after {:.0f} s; the state is in {}. The same command goes on", results.front().stopped_by,
              core::wall_seconds() - start, context.output("sessions/*/train.checkpoint"));
    return static_cast<int>(core::ExitCode::run_again);
  }
  std::string mine;
  on_all(watched, [&] { mine = write_sessions(sessions, results); });
  for (const std::string& text : parallel::gather_texts(context.world, share.ranks.root() ? mine : "")) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line, '\t');) core::log("train: {}", line);
  }
  core::log("train: {} sessions in {}", context.settings.sessions.size(), core::human_seconds(core::wall_seconds() - start));
  return 0;
}

}  // namespace amacrine::drivers
