// SPDX-License-Identifier: Apache-2.0
// What recordings hold that is no signal: movies that stand still or are shown twice, packed numbers, codings that are none,
// cells that were lost.
#include "amacrine/recording/movie_file.hpp"
#include "amacrine/recording/reader.hpp"
#include "lab_file.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

using lab::LabFile;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// What loading a file says: the refusal, or else its warnings and log lines.
class Signals : public testing::Test {
 protected:
  std::string told(const LabFile& file, Load load = Load::train, const RecordingSettings& settings = {}) {
    file.write(folder_ / "lab.h5");
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    std::string refusal;
    try {
      load_recording(folder_ / "lab.h5", settings, load);
    } catch (const core::InputError& error) {
      refusal = std::string("refused: ") + error.what();
    }
    const std::string words = testing::internal::GetCapturedStderr() + testing::internal::GetCapturedStdout();
    return refusal.empty() ? words : refusal;
  }
  amacrine::test::TemporaryFolder folder_;
};

/// 20 s at 10 ms, frames held for 3, mean 125.
LabFile long_file() {
  LabFile file;
  file.train_frames = 2000;
  file.test_frames = 600;
  file.pixel = [](std::size_t t, std::size_t p) { return static_cast<double>((7 * (t / 3) + 83 * p) % 251); };
  file.test_pixel = [](std::size_t t, std::size_t p) { return static_cast<double>((17 * (t / 3) + 61 * p + 5) % 251); };
  return file;
}

/// `file` with its training movie of one value in frames [begin, end).
LabFile still(LabFile file, std::size_t begin, std::size_t end, double value) {
  file.pixel = [usual = file.pixel, begin, end, value](std::size_t t, std::size_t p) {
    return t >= begin && t < end ? value : usual(t, p);
  };
  return file;
}

TEST_F(Signals, AWholeRecordingIsReadWithoutAWord) {
  EXPECT_EQ(told(long_file()), "");
  EXPECT_EQ(told(long_file(), Load::test), "");
  LabFile images = long_file();  // each shown for 1.5 s
  images.pixel = [](std::size_t t, std::size_t p) { return static_cast<double>((7 * (t / 150) + 83 * p) % 251); };
  EXPECT_EQ(told(images), "");
}

TEST_F(Signals, MoviesThatEndBeforeTheirFileAreRefusedWithThePlace) {
  const std::string said = told(still(long_file(), 700, 2000, 0));
  EXPECT_THAT(said, AllOf(HasSubstr("refused"), HasSubstr("train/stimulus"), HasSubstr("last 1300 of 2000 frames"),
                          HasSubstr("from frame 700 on"), HasSubstr("0 in every pixel")));
  EXPECT_THAT(told(still(long_file(), 700, 2000, 0), Load::test), HasSubstr("refused")) << "evaluate knows it, too";
  LabFile file = long_file();
  file.test_pixel = [usual = file.test_pixel](std::size_t t, std::size_t p) { return t >= 400 ? 255 : usual(t, p); };
  EXPECT_THAT(told(file), AllOf(HasSubstr("refused"), HasSubstr("test/stimulus"), HasSubstr("from frame 400 on")));
}

TEST_F(Signals, HolesAndFrozenFramesAreToldWithTheirPlaces) {
  EXPECT_THAT(told(still(long_file(), 300, 500, 0)),
              AllOf(Not(HasSubstr("refused")), HasSubstr("warning"), HasSubstr("frames 300 to 499"), HasSubstr("all 0")));
  LabFile frozen = long_file();
  frozen.pixel = [usual = frozen.pixel](std::size_t t, std::size_t p) { return usual(t >= 900 && t < 1200 ? 900 : t, p); };
  EXPECT_THAT(told(frozen), AllOf(Not(HasSubstr("refused")), HasSubstr("warning"), HasSubstr("frames 900 to 1199")));
}

TEST_F(Signals, GreyPausesAreNoFault) {
  EXPECT_THAT(told(still(long_file(), 300, 480, 125)),
              AllOf(Not(HasSubstr("warning")), HasSubstr("180 of 2000 frames are grey pauses"), HasSubstr("300 to 479")));
  EXPECT_THAT(told(still(long_file(), 1850, 2000, 125)), AllOf(Not(HasSubstr("refused")), Not(HasSubstr("warning"))));
  // A movie of -1 and 1 that was not written to its end is grey there: it is told, and where.
  LabFile checks = long_file();
  checks.movie_type = io::Type::float32;
  checks.pixel = [](std::size_t t, std::size_t p) { return ((t / 3) * 2654435761U >> (p % 16)) % 2 == 0 ? -1.0 : 1.0; };
  checks.test_pixel = [pixel = checks.pixel](std::size_t t, std::size_t p) { return pixel(t + 30000, p); };
  EXPECT_THAT(told(still(checks, 700, 2000, 0)), AllOf(HasSubstr("warning"), HasSubstr("frames 700 to 1999")));
}

TEST_F(Signals, TheTestMovieInTheTrainingMovieIsFound) {
  LabFile file = long_file();
  file.pixel = [train = file.pixel, test = file.test_pixel](std::size_t t, std::size_t p) {
    return t >= 1200 && t < 1800 ? test(t - 1200, p) : train(t, p);
  };
  for (Load load : {Load::train, Load::test, Load::both})
    EXPECT_THAT(told(file, load), AllOf(HasSubstr("warning"), HasSubstr("from frame 0 on"), HasSubstr("frames 1200 to 1799")));
  file.pixel = [train = long_file().pixel, test = file.test_pixel](std::size_t t, std::size_t p) {
    return t < 150 ? test(t + 300, p) : train(t, p);  // 50 of its pictures
  };
  EXPECT_THAT(told(file), AllOf(HasSubstr("test/stimulus from frame 300 on"), HasSubstr("frames 0 to 149")));
  file.pixel = [train = long_file().pixel, test = file.test_pixel](std::size_t t, std::size_t p) {
    return t < 30 ? test(t + 300, p) : train(t, p);  // ten pictures may be in both
  };
  EXPECT_EQ(told(file), "");
}

TEST_F(Signals, PackedAndMissingValuesAreRefusedByName) {
  const auto with = [](const std::string& name, double value, const std::string& dataset) {
    LabFile file = long_file();
    file.more = [=](io::ResultWriter& writer) { writer.attribute(name, value, dataset); };
    return file;
  };
  EXPECT_THAT(told(with("scale_factor", 0.01, "train/stimulus")),
              AllOf(HasSubstr("refused"), HasSubstr("train/stimulus"), HasSubstr("scale_factor"), HasSubstr("0.01")));
  EXPECT_THAT(told(with("add_offset", 3, "test/repeats/cell02")),
              AllOf(HasSubstr("refused"), HasSubstr("cell02"), HasSubstr("add_offset")));
  EXPECT_THAT(told(with("scale_factor", 0.5, "train/response/binned")), HasSubstr("refused"));
  EXPECT_EQ(told(with("scale_factor", 1, "train/stimulus")), "");
  EXPECT_THAT(told(with("_FillValue", 0, "train/response/binned")),
              AllOf(HasSubstr("refused"), HasSubstr("_FillValue"), HasSubstr("row 0")));
  EXPECT_THAT(told(with("missing_value", 83, "train/stimulus")), AllOf(HasSubstr("refused"), HasSubstr("missing_value")));
  EXPECT_EQ(told(with("_FillValue", 254, "train/stimulus")), "") << "pixels go to 250";
  EXPECT_EQ(told(with("_FillValue", std::nan(""), "train/response/binned")), "") << "as xarray writes it";
}

TEST_F(Signals, CodingsThatAreNoneAreRefusedByName) {
  const auto coded = [](std::map<std::string, double> attributes) {
    LabFile file = long_file();
    file.attributes = std::move(attributes);
    return file;
  };
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(told(coded({{"contrast_zero", 125}, {"contrast_unit", 72}})), "");
  for (const auto& [zero, unit] : {std::pair{127.0, 0.0}, {127.0, -1.0}, {127.0, nan}, {nan, 42.0}, {127.0, INFINITY}})
    EXPECT_THAT(told(coded({{"contrast_zero", zero}, {"contrast_unit", unit}})),
                AllOf(HasSubstr("refused"), HasSubstr("contrast_zero"), HasSubstr("contrast_unit")));
  EXPECT_THAT(told(coded({{"contrast_zero", 127}})), AllOf(HasSubstr("refused"), HasSubstr("but not contrast_unit")));
  EXPECT_THAT(told(coded({{"contrast_unit", 42}})), AllOf(HasSubstr("refused"), HasSubstr("but not contrast_zero")));
}

TEST_F(Signals, BytesThatAreTakenForContrastAreRefused) {
  LabFile bytes = long_file();
  bytes.attributes = {{"contrast_zero", 0}, {"contrast_unit", 1}};
  EXPECT_THAT(told(bytes), AllOf(HasSubstr("refused"), HasSubstr("contrast_unit"), HasSubstr("from 0 to 2")));
  bytes.movie_type = io::Type::float32;
  EXPECT_THAT(told(bytes), HasSubstr("refused"));
  bytes.pixel = [](std::size_t t, std::size_t p) { return (static_cast<double>((7 * (t / 3) + 83 * p) % 251) - 125) / 72; };
  bytes.test_pixel = [](std::size_t t, std::size_t p) { return (static_cast<double>((17 * (t / 3) + 61 * p) % 251) - 125) / 72; };
  EXPECT_EQ(told(bytes), "");
  const MovieFile as_contrast(folder_ / "lab.h5", "train/stimulus", {0, 1});
  EXPECT_NO_THROW(as_contrast.check_contrast("attribution.movie_zero"));
  const MovieFile tiny_unit(folder_ / "lab.h5", "train/stimulus", {0, 0.01});
  EXPECT_THROW(tiny_unit.check_contrast("attribution.movie_zero"), core::InputError);
}

TEST_F(Signals, CellsThatAreLostForAWhileAreToldWithThePlace) {
  LabFile file = long_file();
  file.count = [](std::size_t n, std::size_t t) {
    return n == 1 && t >= 600 && t < 1400 ? 0.0 : static_cast<double>((t + n) % 4 == 0);
  };
  const std::string said = told(file);
  EXPECT_THAT(said, AllOf(HasSubstr("cell 1 (cell02)"), HasSubstr("frames 600 to 1402"), HasSubstr("25.1 Hz elsewhere")));
  EXPECT_THAT(said, Not(HasSubstr("cell 0")));
  file.count = [](std::size_t n, std::size_t t) {
    return n == 1 ? static_cast<double>(t % 400 == 0) : static_cast<double>((t + n) % 4 == 0);
  };
  EXPECT_EQ(told(file), "") << "a cell that fires seldom is not lost";
}

TEST_F(Signals, CopiedCellsAndTrialsAreTold) {
  LabFile file = long_file();
  file.count = [](std::size_t n, std::size_t t) { return static_cast<double>((t + n % 2) % 4 == 0); };
  EXPECT_THAT(told(file),
              AllOf(HasSubstr("cells 0 (cell01) and 2 (cell03) have the same response"), Not(HasSubstr("1 (cell02)"))));
  file = long_file();
  file.trial = [](std::size_t r, std::size_t n, std::size_t t) { return (t + n + r / 3) % 4 == 0 ? 2.0 : 0.0; };
  EXPECT_THAT(told(file), HasSubstr("repeats 0 and 1 of cell 0 in test/repeats are equal"));
}

TEST_F(Signals, ATimeAxisOfAnotherLengthIsRefused) {
  LabFile file = long_file();
  file.with_time = false;
  file.more = [](io::ResultWriter& writer) { writer.dimension({"train/time", 1999, "s", "", std::vector<double>(1999), {}}); };
  EXPECT_THAT(told(file), AllOf(HasSubstr("refused"), HasSubstr("1999"), HasSubstr("2000")));
}

TEST_F(Signals, TransposedFilesAreRecognised) {
  const auto write_axes = [&](const std::vector<std::string>& movie, const std::vector<std::string>& response) {
    const std::map<std::string, std::size_t> sizes{{"t", 2000}, {"y", 4}, {"x", 5}, {"cell", 3}};
    io::ResultWriter writer(parallel::Communicator::self(), folder_ / "lab.h5", "recording", io::Provenance{});
    for (const auto& [name, size] : sizes) writer.dimension({name, size, "1", "", {}, {}});
    writer.variable({"train/stimulus", io::Type::uint8, movie, "1", "", {}});
    writer.variable({"train/response/binned", io::Type::float32, response, "1", "", {}});
    writer.create();
    writer.write<float>("train/stimulus", std::vector<float>(40000));
    writer.write<float>("train/response/binned", std::vector<float>(6000));
    writer.finish();
    try {
      load_recording(folder_ / "lab.h5", {}, Load::train);
    } catch (const core::InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_THAT(write_axes({"x", "y", "t"}, {"t", "cell"}), AllOf(HasSubstr("whole file looks transposed"), HasSubstr("MATLAB")));
  EXPECT_THAT(write_axes({"x", "y", "t"}, {"cell", "t"}), HasSubstr("train/stimulus looks transposed"));
  EXPECT_THAT(write_axes({"t", "y", "x"}, {"t", "cell"}), HasSubstr("it looks transposed"));
}

TEST_F(Signals, OneLineSaysWhatARecordingIs) {
  long_file().write(folder_ / "lab.h5");
  const Recording recording = load_recording(folder_ / "lab.h5", {}, Load::both);
  const std::string line = description(recording, 40);
  // Counts 0 1 0 2 0 in bins of 10 ms: 60 Hz on average, 200 at most. Trials of 2 in every fourth bin, four of them: 50 Hz
  // always.
  EXPECT_THAT(
      line, AllOf(HasSubstr("frames of 10 ms"), HasSubstr("windows of 40 frames = 400 ms"), HasSubstr("train 2000 frames = 20 s"),
                  HasSubstr("test 600 frames = 6.0 s"), HasSubstr("cell03 60 / 200"), HasSubstr("cell03 50 / 50")));
  const auto warnings = [&](double frame_ms, int history) {
    Recording other = recording;
    other.screen.frame_ms = frame_ms;
    testing::internal::CaptureStderr();
    testing::internal::CaptureStdout();
    describe_and_check(other, history);
    testing::internal::GetCapturedStdout();
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_EQ(warnings(10, 40), "");
  EXPECT_EQ(warnings(1000.0 / 60, 24), "");
  EXPECT_THAT(warnings(100, 40),
              AllOf(HasSubstr("unusual"), HasSubstr("it is 10 ms"), HasSubstr("4000 ms"), HasSubstr("model.history = 4")));
  EXPECT_THAT(warnings(1, 40), AllOf(HasSubstr("unusual"), HasSubstr("40 ms")));
  Recording fast = recording;
  for (float& rate : fast.train.target.values()) rate *= 2;
  testing::internal::CaptureStderr();
  describe_and_check(fast, 40);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), AllOf(HasSubstr("120 Hz on average"), HasSubstr("frame interval")));
}

TEST_F(Signals, IntervalsInSecondsAreRefused) {
  LabFile file = long_file();
  file.with_time = false;
  file.attributes = {{"frame_ms", 0.01}};
  EXPECT_THAT(told(file), AllOf(HasSubstr("refused"), HasSubstr("in seconds")));
}

}  // namespace
}  // namespace amacrine::recording
