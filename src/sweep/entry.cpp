// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/entry.hpp"

#include <nlohmann/json.hpp>

namespace amacrine::sweep {
namespace {

const char* name_of(Entry::Kind kind) {
  return kind == Entry::Kind::reached ? "reached" : kind == Entry::Kind::failed ? "failed" : "retry";
}

}  // namespace

std::string encode(const Entry& e) {
  nlohmann::ordered_json json{{"trial", e.trial}, {"event", name_of(e.kind)}, {"values", e.values}};
  if (e.kind == Entry::Kind::reached)
    json.update({{"rung", e.rung}, {"finished", e.finished}, {"epochs", e.epochs}, {"windows", e.windows}, {"value", e.value}});
  if (e.kind == Entry::Kind::failed) json["reason"] = e.reason;
  if (e.kind != Entry::Kind::retry) json.update({{"group", e.group}, {"begin", e.begin}, {"end", e.end}});
  return json.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

std::optional<Entry> decode(const std::string& text) {
  try {
    const auto json = nlohmann::json::parse(text);
    Entry e;
    const std::string event = json.at("event");
    if (event != "reached" && event != "failed" && event != "retry") return std::nullopt;
    e.kind = event == "reached" ? Entry::Kind::reached : event == "failed" ? Entry::Kind::failed : Entry::Kind::retry;
    json.at("trial").get_to(e.trial), json.at("values").get_to(e.values);
    if (e.kind == Entry::Kind::reached) {
      json.at("rung").get_to(e.rung), json.at("finished").get_to(e.finished), json.at("epochs").get_to(e.epochs);
      json.at("windows").get_to(e.windows), json.at("value").get_to(e.value);
    }
    if (e.kind == Entry::Kind::failed) json.at("reason").get_to(e.reason);
    if (e.kind != Entry::Kind::retry)
      json.at("group").get_to(e.group), json.at("begin").get_to(e.begin), json.at("end").get_to(e.end);
    return e;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace amacrine::sweep
