// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/dealt_tasks.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/stimulus/showings.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::drivers {

namespace {

stimulus::Centre centre_of(const recording::Cell& cell, const stimulus::Screen& screen) {
  return cell.centre.value_or(stimulus::Centre{(screen.height - 1) / 2.0, (screen.width - 1) / 2.0});
}

/// Departure from the declared symmetry of s - s0, the movie less grey as the subject sees it, in its normalised units.
double deviation(const core::Array<float, 3>& contrast, const recording::Normalisation& normalisation,
                 stimulus::Symmetry symmetry) {
  const std::size_t pixels = contrast.extent(1) * contrast.extent(2);
  std::vector<float> seen(contrast.values());
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const std::size_t p = normalisation.scale.size() == 1 ? 0 : i % pixels;
    seen[i] = static_cast<float>(seen[i] / normalisation.scale[p]);
  }
  return stimulus::symmetry_deviation(seen, contrast.extent(1), contrast.extent(2), symmetry);
}

/// Shows the movies, each on whichever rank is free, and puts all answers into `responses`. Collective.
void show(const Context& context, const Subject& subject, const std::vector<stimulus::Showing>& showings,
          stimulus::Responses& responses) {
  parallel::TaskList tasks{"probe " + subject.name, "movies", {}};
  for (const stimulus::Showing& showing : showings)
    tasks.costs.push_back(static_cast<double>(responses.conditions[showing.condition].frames));
  const auto answers = parallel::run_dealt<double>(context.world, tasks, [&](std::size_t task, std::vector<double>& values) {
    const stimulus::Showing& showing = showings[task];
    const stimulus::Stimulus movie = stimulus::render(responses.conditions[showing.condition], subject.screen, showing.centre);
    values.push_back(deviation(movie.contrast, subject.normalisation, movie.symmetry));
    for (const auto& rates : subject.answer(movie.contrast, showing.cells, showing.condition))
      values.insert(values.end(), rates.begin(), rates.end());
    return movie.condition;
  });
  stimulus::make_room(responses, subject.groups);
  for (std::size_t i = 0; i < showings.size(); ++i) stimulus::take_answer(responses, showings[i], answers.of(i));
}

void warn_of_asymmetry(const stimulus::Responses& responses) {
  for (std::size_t k = 0; k < responses.conditions.size(); ++k)
    if (!(responses.symmetry_deviation[k] <= 1e-6))
      core::warn(
          "{}: {} departs by {:.2g} from the symmetry it declares once it is normalised; it will not be used for this stimulus",
          responses.subject, responses.conditions[k].name, responses.symmetry_deviation[k]);
}

stimulus::Responses probe_subject(const Context& context, const Subject& subject, const std::string& path,
                                  const std::vector<stimulus::Condition>& conditions) {
  stimulus::Responses responses;
  responses.subject = subject.name;
  responses.screen = subject.screen;
  responses.threshold_hz = context.settings.probe.threshold_hz;
  responses.conditions = conditions;
  for (const std::string& set : context.settings.probe.sets) responses.sets.push_back(stimulus::set_from_name(set));
  for (const recording::Cell& cell : subject.cells) {
    responses.cells.push_back(cell.name);
    responses.centres.push_back(centre_of(cell, subject.screen));
    if (!cell.centre)
      core::warn("{}: {} has no receptive-field centre; its bars are placed around the screen's", subject.name, cell.name);
  }
  const std::vector<stimulus::Showing> showings = stimulus::plan_showings(conditions, responses.centres);
  const double frames = [&] {
    double sum = 0;
    for (const stimulus::Showing& showing : showings) sum += static_cast<double>(conditions[showing.condition].frames);
    return sum;
  }();
  core::log("probe {}: {} cells, {} conditions, {} movies, {:.0f} frames, {:.3g} multiply-adds", subject.name,
            subject.cells.size(), conditions.size(), showings.size(), frames, frames * subject.cost_per_frame);
  std::size_t longest = 0;
  for (const stimulus::Condition& condition : conditions) longest = std::max(longest, condition.frames);
  const std::size_t count = conditions.size() * subject.cells.size() * longest;
  io::require_space(context.world, path, count * sizeof(float));
  // Every rank gets all answers, as they come and in the order of the file.
  parallel::require_memory(context.world, 2.0 * sizeof(double) * static_cast<double>(count), "probe",
                           "probe fewer families or sets, or use fewer ranks on a host");
  if (context.options.dry_run) return responses;

  show(context, subject, showings, responses);
  warn_of_asymmetry(responses);
  return responses;
}

std::string output_of(const Context& context, const Subject& subject) {
  return context.output("responses_" + subject.name + ".h5");
}

}  // namespace

/// Shows the catalogue of artificial stimuli to models and circuits and measures the four phenomena.
int probe(Context& context) {
  const std::vector<Subject> subjects = probe_subjects(context);
  std::vector<io::Provenance> made;
  std::vector<std::optional<io::OutputLock>> locks;  // all before the first movie is shown
  for (const Subject& subject : subjects) {
    made.push_back(io::make_provenance(context.world, context.study, "probe", subject.tables, subject.inputs));
    locks.push_back(context.claim(output_of(context, subject), made.back()));
  }
  for (std::size_t s = 0; s < subjects.size(); ++s) {
    const Subject& subject = subjects[s];
    if (!locks[s]) continue;
    const std::string path = output_of(context, subject);
    io::require_unchanged(context.world, subject.inputs);
    const auto conditions = stimulus::catalogue(context.settings.probe, subject.screen);
    stimulus::Responses responses = probe_subject(context, subject, path, conditions);
    if (context.options.dry_run) continue;
    stimulus::measure(responses);
    stimulus::write_responses(context.world, path, responses, made[s]);
    core::log("{}probe: wrote {}", stimulus::phenomena_table(responses), path);
  }
  return 0;
}

}  // namespace amacrine::drivers
