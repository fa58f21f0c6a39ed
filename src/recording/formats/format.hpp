// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/recording/source.hpp"

#include <memory>
#include <string>
#include <vector>

/// The formats of recordings. Private to the room. A new one is a file here and a line in formats.cpp.
namespace amacrine::recording::formats {

/// What a format says of a file.
struct Verdict {
  bool recognised = false;
  std::string reason;  ///< by what it was recognised, or what was looked for and is not there
};

/// A format of recordings.
struct Format {
  const char* name;
  /// `file`: an HDF5 file.
  Verdict (*recognise)(const io::Reader& file, const RecordingSettings& settings);
  /// Opens a file that it recognised. Throws InputError naming the key to add where the settings leave open what the file does
  /// not say.
  std::unique_ptr<Source> (*open)(io::Reader file, const RecordingSettings& settings, const Recognition& recognition);
};

/// The lab's layout: train/ and test/ with stimulus and response.
Format public_layout();
/// Any HDF5 file whose datasets [recording.mapping] names.
Format declared_mapping();
/// responses_NAME, and movies as stimuli/NAME.npy or stimulus_NAME.
Format open_retina_session();

/// All, in the order in which they are asked.
const std::vector<Format>& all();

}  // namespace amacrine::recording::formats
