// SPDX-License-Identifier: Apache-2.0
#include "drivers/farm.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/parallel/attempt.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/parallel/together.hpp"
#include "amacrine/recording/reader.hpp"
#include "drivers/sessions.hpp"

#include <algorithm>
#include <filesystem>
#include <glob.h>
#include <optional>

namespace amacrine::drivers {

namespace {

/// What became of a model.
enum class ModelOutcome { done, elsewhere, stopped, failed };

/// A group of ranks, and a communicator of the same ranks by which faults are noticed.
struct RankGroup {
  parallel::Communicator ranks, watched;
  std::size_t number = 0, count = 1;
};

RankGroup group_of(const Context& context) {
  const std::size_t size = context.options.ranks_per_model, all = static_cast<std::size_t>(context.world.size());
  core::require<core::RefusedError>(all % size == 0,
                                    "{} ranks are no whole number of groups of --ranks-per-model {}; start {} ranks", all, size,
                                    std::max<std::size_t>(1, all / size) * size);
  const std::size_t number = static_cast<std::size_t>(context.world.rank()) / size;
  const parallel::Communicator ranks = context.world.split_by(static_cast<int>(number));
  return {ranks, ranks.split_by(0), number, all / size};
}

/// The study with its results in the model's folder: a session's own, or a trial's. What is simulated is the same for all trials,
/// so it is left to the study.
Context context_of(const Context& context, const parallel::Communicator& ranks, const std::string& folder) {
  if (const recording::SessionSettings* session = session_of(context, folder)) return session_context(context, ranks, *session);
  const std::vector<std::string> overrides{
      "study.output=" + folder,
      "recording.file=" + recording::recording_path(context.settings.recording, context.settings.output),
      "probe.subjects=[\"network\"]", "attribution.subjects=[\"network\"]"};
  core::Study study = core::Study::from_text(context.study.resolved(), context.study.file(), overrides);
  Settings settings = read_settings(study);
  return {ranks, std::move(study), std::move(settings), context.options, nullptr};
}

/// What became of a model, and what was said about it.
struct ModelResult {
  ModelOutcome outcome = ModelOutcome::elsewhere;
  std::string said;
};

/// The right to work on a model; nothing where somebody else has it, who is named in `said`.
std::optional<io::OutputLock> take(const Context& context, const RankGroup& group, const std::string& folder, std::string& said) {
  try {
    return io::OutputLock(group.ranks, folder + "/" + context.options.verb + ".farm",
                          {context.options.verb, context.options.study_file, context.options.takeover, context.options.dry_run});
  } catch (const core::RefusedError& error) {
    said = error.what();
    return std::nullopt;
  }
}

/// Runs the verb in one folder. Collective over the group.
ModelResult work_on(const Context& context, const RankGroup& group, const std::string& folder,
                    const std::function<int(Context&)>& verb) {
  ModelResult result;
  const std::optional<io::OutputLock> lock = take(context, group, folder, result.said);
  if (!lock) return result;
  int code = 0;
  try {
    std::optional<core::LogRedirect> log;
    parallel::on_some(group.ranks, group.ranks.root() && !context.options.dry_run,
                      [&] { log.emplace(folder + "/" + context.options.verb + ".log"); });
    const parallel::Fault fault = parallel::attempt(group.watched, [&] {
      Context in_folder = context_of(context, group.ranks, folder);
      code = verb(in_folder);
    });
    result.said = fault.text;
  } catch (const parallel::Stopped&) {
    return {ModelOutcome::stopped, {}};
  }
  result.outcome = !result.said.empty() ? ModelOutcome::failed : code == 0 ? ModelOutcome::done : ModelOutcome::stopped;
  return result;
}

/// This group's turn: groups begin at different models and go round, so that they rarely meet. False where it was stopped.
bool go_round(const Context& context, const RankGroup& group, const std::vector<std::string>& folders,
              const std::function<int(Context&)>& verb, std::vector<ModelResult>& results) {
  const std::size_t first = group.number * folders.size() / group.count;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const std::size_t at = (first + i) % folders.size();
    results[at] = work_on(context, group, folders[at], verb);
    if (results[at].outcome == ModelOutcome::stopped) return false;
    if (results[at].outcome == ModelOutcome::done) core::log("{}: {} is done", context.options.verb, folders[at]);
    if (results[at].outcome == ModelOutcome::failed)
      core::log("{}: {} failed: {}", context.options.verb, folders[at], results[at].said);
  }
  return true;
}

/// Throws where a model failed in every group that tried it, or where none could try it. Collective.
void require_all_done(const Context& context, const RankGroup& group, const std::vector<std::string>& folders,
                      const std::vector<ModelResult>& results) {
  std::vector<std::string> failed, elsewhere;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const bool speaks = group.ranks.root();
    if (context.world.any(speaks && results[i].outcome == ModelOutcome::done)) continue;
    std::string said = results[i].said;
    std::replace(said.begin(), said.end(), '\n', ' ');
    const bool tried = context.world.any(results[i].outcome == ModelOutcome::failed);
    const auto all = parallel::gather_texts(context.world, tried == (results[i].outcome == ModelOutcome::failed) ? said : "");
    const auto first = std::find_if(all.begin(), all.end(), [](const std::string& text) { return !text.empty(); });
    (tried ? failed : elsewhere).push_back(folders[i] + ": " + (first == all.end() ? "" : *first));
  }
  core::require(failed.empty(), "{} failed for {} of {} models:\n  {}", context.options.verb, failed.size(), folders.size(),
                fmt::join(failed, "\n  "));
  core::require<core::RefusedError>(elsewhere.empty(), "{} of {} models could not be worked on:\n  {}", elsewhere.size(),
                                    folders.size(), fmt::join(elsewhere, "\n  "));
}

}  // namespace

std::vector<std::string> model_folders(const std::string& folder, const std::string& pattern) {
  const std::string whole = (std::filesystem::path(folder) / pattern).string();
  glob_t found{};
  std::vector<std::string> folders;
  if (glob(whole.c_str(), 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (std::filesystem::exists(std::filesystem::path(found.gl_pathv[i]) / "model.h5")) folders.emplace_back(found.gl_pathv[i]);
  globfree(&found);
  core::require<core::InputError>(!folders.empty(),
                                  "{}: no folder of this name holds a model.h5; --models is seen from the study's "
                                  "output folder, such as --models 'trials/*' after `amacrine sweep`",
                                  whole);
  return folders;
}

int run_for_models(Context& context, const std::function<int(Context&)>& verb) {
  const bool sessions = context.options.models.empty();
  const std::vector<std::string> folders =
      sessions ? session_folders(context) : model_folders(context.settings.output, context.options.models);
  const RankGroup group = group_of(context);
  core::log("{}: {} models on {} groups of {} ranks; the log of each is in its folder", context.options.verb, folders.size(),
            group.count, context.options.ranks_per_model);
  const parallel::MemoryShare share(context.world, group.ranks);
  std::vector<ModelResult> results(folders.size());
  const bool finished = go_round(context, group, folders, verb, results);
  if (context.world.any(!finished)) return static_cast<int>(core::ExitCode::run_again);
  require_all_done(context, group, folders, results);
  return 0;
}

}  // namespace amacrine::drivers
