// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/record.hpp"

#include "amacrine/core/errors.hpp"

#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

namespace amacrine::sweep {

namespace {

/// The record that a journal's entries make.
Record record_of(const std::vector<std::string>& texts) {
  Record record;
  for (const std::string& text : texts) {
    if (auto entry = decode(text)) {
      record.entries.push_back(std::move(*entry));
      continue;
    }
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded() || json.value("event", "") != "sweep") continue;
    record.rungs = json.value("rungs", std::vector<std::size_t>());
    record.trials = std::max(record.trials, json.value("trials", std::size_t{0}));
    record.extension = json.value("extension", std::size_t{0});
  }
  return record;
}

/// Rank 0's texts, which hold no line breaks. Collective.
std::vector<std::string> broadcast(const parallel::Communicator& communicator, const std::vector<std::string>& texts) {
  std::istringstream lines(communicator.broadcast(fmt::format("{}", fmt::join(texts, "\n"))));
  std::vector<std::string> all;
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  return all;
}

}  // namespace

Record read_record(const parallel::Communicator& communicator, const io::Journal& journal) {
  return record_of(broadcast(communicator, communicator.root() ? journal.read() : std::vector<std::string>()));
}

Record shared(const parallel::Communicator& communicator, const Record& record) {
  return record_of(broadcast(communicator, communicator.root() ? encode(record) : std::vector<std::string>()));
}

std::string encode_trials(const Record& record) {
  nlohmann::ordered_json json{{"event", "sweep"}, {"rungs", record.rungs}, {"trials", record.trials}};
  if (record.extension > 0) json["extension"] = record.extension;
  return json.dump();
}

std::vector<std::string> encode(const Record& record) {
  std::vector<std::string> texts{encode_trials(record)};
  for (const Entry& entry : record.entries) texts.push_back(encode(entry));
  return texts;
}

SweepState state_of(const SweepSettings& settings, const Record& record, const std::vector<Proposal>& proposals,
                    std::vector<std::string> shares) {
  SweepState state({record.rungs.size(), settings.reduction, settings.metric == training::Metric::correlation},
                   std::move(shares));
  for (const Entry& entry : record.entries) {
    if (entry.trial >= proposals.size()) continue;
    core::require<core::RefusedError>(
        entry.values == proposals[entry.trial].values,
        "trial {} of this sweep was trained with {}, but now sets {}; add trials at the end of the list only, give "
        "--overwrite to start anew, or another output folder",
        entry.trial, fmt::join(entry.values, " "), fmt::join(proposals[entry.trial].values, " "));
  }
  state.apply(record.entries);
  return state;
}

}  // namespace amacrine::sweep
