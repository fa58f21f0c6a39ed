// SPDX-License-Identifier: Apache-2.0
#include "drivers/inputs.hpp"

#include "amacrine/recording/reader.hpp"
#include "recording/foreign_file.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::drivers {
namespace {

using recording::foreign::Shape;

/// The movie of an open-retina session lies in a file of its own.
TEST(Inputs, AMovieThatChangesWhileItIsReadIsAnError) {
  const auto self = parallel::Communicator::self();
  const test::TemporaryFolder folder(self);
  const std::string session = folder / "session_1.hdf5", movie = folder / "stimuli/a.npy";
  std::filesystem::create_directories(folder / "stimuli");
  const auto write = [&](std::size_t frames) {
    recording::foreign::write_npy<float>(movie, "<f4", {1, frames, 2, 2},
                                         [](const Shape& i) { return static_cast<double>(i[1]); });
  };
  write(20);
  recording::foreign::Hdf5(session).add("responses_a", H5T_NATIVE_FLOAT, {1, 20}, [](const Shape&) { return 1.0; });
  const recording::RecordingSettings settings =
      recording::foreign::settings("[recording]\ntarget = \"trace\"\nframe_ms = 10\n[recording.mapping]\ntest_name = \"\"\n");
  const io::Input input = recording::training_input(self, session, settings);
  EXPECT_NO_THROW(require_unchanged(self, {input}, session, settings));
  write(20);
  std::ofstream(movie, std::ios::app) << "more";  // another size, however coarse the clock of the file system
  EXPECT_THROW(require_unchanged(self, {input}, session, settings), core::InputError);
}

}  // namespace
}  // namespace amacrine::drivers
