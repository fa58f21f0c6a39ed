// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace amacrine::core {

/// A text as a CSV field (RFC 4180): quoted where it holds a comma, a quote or a line break.
inline std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace amacrine::core
