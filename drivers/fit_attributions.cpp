// SPDX-License-Identifier: Apache-2.0
#include "drivers/fit_attributions.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/model/model.hpp"
#include "drivers/inputs.hpp"
#include "drivers/subjects.hpp"

#include <algorithm>

namespace amacrine::drivers {

namespace {

std::string checksum_of_role(const std::vector<io::Input>& inputs, const std::string& role) {
  const auto found = std::find_if(inputs.begin(), inputs.end(), [&](const io::Input& input) { return input.role == role; });
  return found == inputs.end() ? std::string() : found->checksum;
}

/// "channel 3", or with the sign of the gain where a channel's units of both signs are apart.
std::vector<std::string> names_of_lines(const reduction::AttributionFile& file) {
  std::vector<std::string> names;
  const auto& channels = file.layer().channels;
  for (const reduction::Line& line : file.lines()) {
    const bool divided = file.lines().size() > channels.size();
    const char* const gain = !divided || line.gain_sign == 0 ? "" : line.gain_sign > 0 ? ", gain above 0" : ", gain below 0";
    names.push_back(channels[static_cast<std::size_t>(line.channel)] + gain);
  }
  return names;
}

}  // namespace

NetworkAttributions::NetworkAttributions(const Context& context, const io::Provenance& provenance) {
  const std::string path = context.output("attributions_network.h5");
  if (!file_exists(context.world, path)) return;
  try {
    open(context, path, checksum_of_role(provenance.inputs, "network"));
  } catch (const core::InputError& error) {
    core::warn("the network's attributions say nothing about the pathways: {}", error.what());
    file_.reset(), axes_ = {};
  }
}

void NetworkAttributions::open(const Context& context, const std::string& path, const std::string& network) {
  const io::Reader reader(path);
  core::require<core::InputError>(!network.empty(), "{} is there, but the model.h5 that it is of is not", path);
  core::require<core::InputError>(checksum_of_role(reader.provenance().inputs, "network") == network,
                                  "{} is of another network than model.h5", path);
  core::require<core::InputError>(reader.text_attribute("baseline") == "grey", "{} has another baseline than grey", path);
  file_ = std::make_unique<const reduction::AttributionFile>(path, context.settings.reduction);
  core::Study attributed = core::Study::from_text(reader.provenance().study, path);
  const model::Model model = model::read_model(context.output("model.h5"));
  screen_ = model.screen;
  catalogue_ = stimulus::catalogue(stimulus::read_probe(attributed), screen_);
  cells_ = model.cells;
  place_given(context, cells_);
  axes_.lines = names_of_lines(*file_);
  axes_.columns = file_->layer().columns();
  for (const reduction::StoredCondition& condition : file_->conditions()) {
    const std::string stimulus = reduction::stimulus_of(condition.name);
    if (std::find(axes_.stimuli.begin(), axes_.stimuli.end(), stimulus) == axes_.stimuli.end()) axes_.stimuli.push_back(stimulus);
  }
}

std::vector<pathway::Following> NetworkAttributions::of(const pathway::Study& study, const pathway::CellFit& fit,
                                                        const pathway::Mechanism& mechanism, std::size_t n) const {
  if (!file_ || mechanism.pathways.empty()) return {};
  const recording::Cell& cell = study.recording.cells[n];
  const auto attributed = std::find(file_->cells().begin(), file_->cells().end(), cell.name);
  const auto shown =
      std::find_if(cells_.begin(), cells_.end(), [&](const recording::Cell& each) { return each.name == cell.name; });
  if (attributed == file_->cells().end() || shown == cells_.end()) return {};
  const pathway::Bases bases = pathway::make_bases(study.settings, study.history);
  pathway::FittedModel fitted{bases, fit, fit.folds[pathway::whole][mechanism.number].model, {}, *cell.centre};
  for (const pathway::Pathway& each : mechanism.pathways) fitted.order.push_back(each.slot);
  const pathway::Shown stimuli{catalogue_, screen_, shown->centre.value_or(*cell.centre),
                               static_cast<std::size_t>(file_->layer().minimum_lag), file_->layer().linear_output};
  const auto of_cell = file_->read_cell(static_cast<std::size_t>(attributed - file_->cells().begin()));
  std::vector<pathway::Following> following;
  for (const pathway::StimulusTraces& traces : pathway::traces_of(fitted, stimuli, of_cell))
    following.push_back(pathway::follow(traces));
  return following;
}

}  // namespace amacrine::drivers
