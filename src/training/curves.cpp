// SPDX-License-Identifier: Apache-2.0
#include "amacrine/training/curves.hpp"

#include "amacrine/core/csv.hpp"
#include "amacrine/core/errors.hpp"

#include <cmath>

namespace amacrine::training {
namespace {

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : ""; }
std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : "null"; }

std::string json_text(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

std::string curves_csv(const std::vector<EpochRecord>& records, const std::vector<std::string>& cells) {
  std::string text = "epoch,windows,learning_rate,train_loss,penalty,validation_loss,validation_r";
  for (const std::string& cell : cells) text.append(",").append(core::csv_text(fmt::format("r_{}", cell)));
  text += ",seconds,windows_per_second,best\n";
  for (const EpochRecord& r : records) {
    text += fmt::format("{},{:.0f}", r.epoch, r.windows);
    for (const double value : {r.learning_rate, r.train_loss, r.penalty, r.validation_loss, r.validation_r})
      text.append(",").append(csv_number(value));
    for (const double value : r.cell_r) text.append(",").append(csv_number(value));
    text += fmt::format(",{:.3f},{:.1f},{}\n", r.seconds, r.windows_per_second, r.best ? 1 : 0);
  }
  return text;
}

std::string curves_jsonl(const std::vector<EpochRecord>& records, const std::vector<std::string>& cells) {
  std::string text;
  for (const EpochRecord& r : records) {
    std::string per_cell;
    for (std::size_t n = 0; n < r.cell_r.size(); ++n)
      per_cell += fmt::format("{}{}: {}", n == 0 ? "" : ", ", json_text(cells[n]), json_number(r.cell_r[n]));
    text += fmt::format(
        "{{\"epoch\": {}, \"windows\": {:.0f}, \"learning_rate\": {}, \"train_loss\": {}, \"penalty\": {}, \"validation_loss\": "
        "{}, "
        "\"validation_r\": {}, \"r\": {{{}}}, \"seconds\": {:.3f}, \"windows_per_second\": {:.1f}, \"best\": {}}}\n",
        r.epoch, r.windows, json_number(r.learning_rate), json_number(r.train_loss), json_number(r.penalty),
        json_number(r.validation_loss), json_number(r.validation_r), per_cell, r.seconds, r.windows_per_second, r.best);
  }
  return text;
}

}  // namespace amacrine::training
