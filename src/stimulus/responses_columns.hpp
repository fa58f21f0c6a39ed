// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/stimulus/responses.hpp"

#include <string>
#include <vector>

namespace amacrine::stimulus {

/// A variable of a responses file with its values.
struct Column {
  io::Variable variable;
  std::vector<double> values;
  std::vector<double> flags;  ///< of a flag variable: the values its meanings belong to
};

/// The axes phenomena run over: every value that occurs in any set, sorted; one NaN where none does.
struct SweepAxes {
  std::vector<double> period_ms, contrast, direction{1, -1}, reversal_px, flash_px;
  std::vector<std::string> osr_control;  ///< names of the conditions; "none" where none was shown
};
SweepAxes sweep_axes(const std::vector<Condition>& conditions);

/// Variables that describe conditions and cells, without the rates.
std::vector<Column> condition_columns(const Responses& responses);
/// Variables of the phenomena: presence flags and figures.
std::vector<Column> phenomenon_columns(const Responses& responses, const SweepAxes& axes);

/// An int8 flag variable with its meanings, values still to be filled in.
Column flag_column(const std::string& name, const std::vector<std::string>& dimensions, const std::string& title,
                   const std::vector<double>& flags, const std::vector<std::string>& meanings);

}  // namespace amacrine::stimulus
