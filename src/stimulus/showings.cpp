// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/showings.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>

namespace amacrine::stimulus {

std::vector<Showing> plan_showings(const std::vector<Condition>& conditions, const std::vector<Centre>& centres) {
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

void make_room(Responses& responses, std::size_t groups) {
  const std::size_t cells = responses.cells.size(), conditions = responses.conditions.size();
  responses.symmetry_deviation.assign(conditions, 0.0);
  responses.rate_hz.assign(cells, CellResponses(conditions));
  responses.group_hz.assign(cells, std::vector(groups, CellResponses(conditions)));
}

void take_answer(Responses& responses, const Showing& showing, std::span<const double> values) {
  const std::size_t k = showing.condition, frames = responses.conditions[k].frames;
  std::size_t series = 0;
  for (const std::size_t n : showing.cells) series += 1 + responses.group_hz[n].size();
  core::require(values.size() == 1 + series * frames, "{}: {} values were answered, expected 1 and {} series of {} frames",
                responses.conditions[k].name, values.size(), series, frames);
  responses.symmetry_deviation[k] = std::max(responses.symmetry_deviation[k], values[0]);
  auto next = values.begin() + 1;
  const auto take = [&](std::vector<double>& rates) {
    rates.assign(next, next + static_cast<std::ptrdiff_t>(frames));
    next += static_cast<std::ptrdiff_t>(frames);
  };
  for (const std::size_t n : showing.cells) {
    take(responses.rate_hz[n][k]);
    for (CellResponses& group : responses.group_hz[n]) take(group[k]);
  }
}

}  // namespace amacrine::stimulus
