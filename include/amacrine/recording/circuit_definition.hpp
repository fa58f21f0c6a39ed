// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/study.hpp"
#include "amacrine/io/result_file.hpp"
#include "amacrine/recording/circuit.hpp"

#include <string>
#include <vector>

/// Circuits as data: tables [simulation.circuits.NAME] of TOML files (docs/circuits.md), read and written.
namespace amacrine::recording {

/// The circuits a study brings: its tables [simulation.circuits.NAME], and those of the files that simulation.circuit_files names
/// (seen from the folder the program runs in, else from the study's). All of them become part of the resolved study; overrides
/// of the command line apply to those of files, too. Throws StudyError (file, line, key, what was expected) for keys nobody reads
/// in a file of circuits, values out of range, and names that are taken.
std::vector<Circuit> read_circuits(core::Study& study);

/// The circuits of a TOML text of nothing but tables [simulation.circuits.NAME], in its order; `name` stands for its file in
/// messages. Throws StudyError as read_circuits does.
std::vector<Circuit> parse_circuits(const std::string& text, const std::string& name);

/// The circuit as such a table; parse_circuits makes an equal circuit of it (numbers are written with all their digits).
std::string circuit_text(const Circuit& circuit);

/// The circuits of a simulated recording, one for each cell of the file: as its attribute circuit_definitions has them; in files
/// older than that attribute, the program's own of that name. Empty for recordings of real cells. Throws InputError naming the
/// cell where its circuit is in neither, and where the attribute is damaged.
std::vector<Circuit> recorded_circuits(const io::Reader& file);

}  // namespace amacrine::recording
