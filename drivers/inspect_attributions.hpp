// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace amacrine::drivers {

/// What an attributions file holds and how good its rows are: levels, figures, flags, error estimates. Reads rows in pieces.
nlohmann::ordered_json describe_attributions(const io::Reader& reader);
std::string attributions_text(const nlohmann::ordered_json& facts);

}  // namespace amacrine::drivers
