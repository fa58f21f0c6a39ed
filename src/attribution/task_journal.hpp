// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/attribution/plan.hpp"
#include "amacrine/io/provenance.hpp"

#include <string>

namespace amacrine::attribution {

/// What must agree for a task's number to mean the same rows, to the last bit: study, inputs, tasks and the program. One line.
std::string journal_identity(const Plan& plan, const io::Provenance& provenance);

}  // namespace amacrine::attribution
