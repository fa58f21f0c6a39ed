// SPDX-License-Identifier: Apache-2.0
#include "amacrine/core/log.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/parallel/memory.hpp"
#include "amacrine/parallel/stop.hpp"
#include "amacrine/stimulus/responses.hpp"
#include "drivers/subjects.hpp"
#include "drivers/verbs.hpp"

#include <algorithm>
#include <cmath>

namespace amacrine::drivers {

namespace {

/// One movie to be shown: a condition, and the cells whose responses to it are wanted. Bars are drawn around a receptive-field
/// centre, so they need a movie for each centre; everything else is one movie for all cells.
struct Showing {
  std::size_t condition = 0;
  std::vector<std::size_t> cells;
  stimulus::Centre centre;
};

stimulus::Centre centre_of(const recording::Cell& cell, const stimulus::Screen& screen) {
  return cell.centre.value_or(stimulus::Centre{(screen.height - 1) / 2.0, (screen.width - 1) / 2.0});
}

std::vector<Showing> plan(const std::vector<stimulus::Condition>& conditions, const std::vector<stimulus::Centre>& centres) {
  std::vector<Showing> showings;
  for (std::size_t k = 0; k < conditions.size(); ++k) {
    const std::size_t first = showings.size();
    for (std::size_t n = 0; n < centres.size(); ++n) {
      const auto shared =
          std::find_if(showings.begin() + static_cast<std::ptrdiff_t>(first), showings.end(), [&](const Showing& showing) {
            return conditions[k].bar_px.empty() || (showing.centre.y == centres[n].y && showing.centre.x == centres[n].x);
          });
      if (shared == showings.end()) {
        showings.push_back({k, {n}, centres[n]});
      } else {
        shared->cells.push_back(n);
      }
    }
  }
  return showings;
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

/// Shows this rank's share of the movies and brings all answers together. Values are in the order of the showings: the deviation,
/// then the cells' rates.
std::vector<double> show(const Context& context, const Subject& subject, const std::vector<stimulus::Condition>& conditions,
                         const std::vector<Showing>& showings) {
  const parallel::Range mine = context.world.owned(showings.size());
  core::Progress progress("probe " + subject.name, static_cast<double>(mine.size()), "movies");
  std::vector<double> local;
  for (std::size_t i = mine.begin; i < mine.end && !parallel::stop_asked(); ++i) {
    const Showing& showing = showings[i];
    const stimulus::Stimulus movie = stimulus::render(conditions[showing.condition], subject.screen, showing.centre);
    local.push_back(deviation(movie.contrast, subject.normalisation, movie.symmetry));
    for (const auto& rates : subject.answer(movie.contrast, showing.cells, showing.condition))
      local.insert(local.end(), rates.begin(), rates.end());
    progress.update(static_cast<double>(i + 1 - mine.begin), movie.condition);
  }
  parallel::throw_if_stopped(context.world);
  return context.world.gather_all<double>(local);
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
  const std::vector<Showing> showings = plan(conditions, responses.centres);
  const double frames = [&] {
    double sum = 0;
    for (const Showing& showing : showings) sum += static_cast<double>(conditions[showing.condition].frames);
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

  const std::vector<double> values = show(context, subject, conditions, showings);
  responses.symmetry_deviation.assign(conditions.size(), 0.0);
  responses.rate_hz.assign(subject.cells.size(), stimulus::CellResponses(conditions.size()));
  responses.group_hz.assign(subject.cells.size(), std::vector(subject.groups, stimulus::CellResponses(conditions.size())));
  auto next = values.begin();
  for (const Showing& showing : showings) {
    double& largest = responses.symmetry_deviation[showing.condition];
    largest = std::max(largest, *next++);
    for (std::size_t n : showing.cells) {
      const auto end = next + static_cast<std::ptrdiff_t>(conditions[showing.condition].frames);
      responses.rate_hz[n][showing.condition].assign(next, end);
      next = end;
      for (auto& group : responses.group_hz[n]) {
        const auto group_end = next + static_cast<std::ptrdiff_t>(conditions[showing.condition].frames);
        group[showing.condition].assign(next, group_end);
        next = group_end;
      }
    }
  }
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
