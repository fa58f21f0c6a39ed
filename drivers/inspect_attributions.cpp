// SPDX-License-Identifier: Apache-2.0
#include "drivers/inspect_attributions.hpp"

#include "amacrine/core/log.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace amacrine::drivers {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t windows_at_once = 65536;

/// Calls visit(values) for the rows of a variable (window, cell), a piece at a time.
template <class T, class F>
void for_rows(const io::Reader& reader, const std::string& variable, const F& visit) {
  const auto shape = reader.shape(variable);
  for (std::size_t first = 0; first < shape[0]; first += windows_at_once)
    visit(reader.read<T>(variable, {first, 0}, {std::min(windows_at_once, shape[0] - first), shape[1]}));
}

/// Levels and how many windows are stored at each.
ordered_json stored_levels(const io::Reader& reader, std::size_t windows) {
  ordered_json levels{{"channel", windows}};
  for (const std::string level : {"position", "unit", "pixel", "channel2", "unit2"})
    if (const std::string index = level + "_window_index"; reader.has(index)) levels[level] = reader.shape(index).at(0);
  return levels;
}

}  // namespace

ordered_json describe_attributions(const io::Reader& reader) {
  const auto shape = reader.shape("flag");
  ordered_json facts;
  for (const std::string name : {"subject", "source", "rule", "target", "baseline", "storage"})
    if (reader.has_attribute(name)) facts[name] = reader.text_attribute(name);
  facts["windows"] = shape.at(0);
  facts["cells"] = shape.at(1);
  facts["levels"] = stored_levels(reader, shape[0]);
  for (const std::string figure : {"attribution", "downstream_weight", "response_weight", "drive", "response_change"})
    if (reader.has(figure)) facts["quantities"].push_back(figure);
  std::size_t unmet = 0, infinite = 0, estimated = 0;
  for_rows<std::int32_t>(reader, "flag", [&](const std::vector<std::int32_t>& flags) {
    unmet += static_cast<std::size_t>(std::count(flags.begin(), flags.end(), 1));
    infinite += static_cast<std::size_t>(std::count(flags.begin(), flags.end(), 2));
  });
  float largest = 0;
  for_rows<float>(reader, "error_estimate", [&](const std::vector<float>& errors) {
    for (float error : errors)
      if (std::isfinite(error)) {
        ++estimated;
        largest = std::max(largest, error);
      }
  });
  facts["rows_tolerance_not_met"] = unmet;
  facts["rows_not_finite"] = infinite;
  facts["rows_with_error_estimate"] = estimated;
  if (estimated > 0) facts["largest_error_estimate"] = largest;
  return facts;
}

std::string attributions_text(const ordered_json& facts) {
  const auto text = [&](const char* name) { return facts.contains(name) ? facts[name].get<std::string>() : std::string("?"); };
  std::vector<std::string> levels;
  for (const auto& [level, windows] : facts["levels"].items())
    levels.push_back(fmt::format("{} ({} windows)", level, windows.get<std::size_t>()));
  const auto count = [&](const char* name) { return facts[name].get<std::size_t>(); };
  const std::size_t rows = count("windows") * count("cells");
  std::string out = fmt::format("of         {}, stimuli from the {}; rule {}, baseline {}, target {}\n", text("subject"),
                                text("source"), text("rule"), text("baseline"), text("target"));
  out += fmt::format("levels     {}; stored {}\n", fmt::join(levels, ", "), text("storage"));
  out += fmt::format("rows       {}: {} above the tolerance, {} not finite; ", rows, count("rows_tolerance_not_met"),
                     count("rows_not_finite"));
  out += count("rows_with_error_estimate") > 0
             ? fmt::format("largest error estimate {:.2g}\n", facts["largest_error_estimate"].get<double>())
             : std::string("no error estimates (attribution.tolerance = 0)\n");
  return out;
}

}  // namespace amacrine::drivers
