// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/reader.hpp"
#include "lab_file.hpp"
#include "support/compare.hpp"

#include <cmath>
#include <filesystem>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::recording {
namespace {

using lab::LabFile;
using testing::AllOf;
using testing::HasSubstr;

/// Every refusal names the file, the dataset, and what was expected.
class Refusing : public testing::Test {
 protected:
  std::string message(const LabFile& file, const RecordingSettings& settings = {}) {
    file.write(folder_ / "lab.h5");
    return message_of_file(settings);
  }
  std::string message_of_file(const RecordingSettings& settings = {}) {
    try {
      load_recording(folder_ / "lab.h5", settings);
    } catch (const core::InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("lab.h5"));
      return error.what();
    }
    return "nothing was refused";
  }
  amacrine::test::TemporaryFolder folder_;
};

RecordingSettings target(const std::string& name) {
  RecordingSettings settings;
  settings.target = name;
  return settings;
}

TEST_F(Refusing, MissingResponsesNameThoseThatAreThere) {
  LabFile file;
  file.with_binned = false;
  EXPECT_THAT(message(file),
              AllOf(HasSubstr("train/response/binned"), HasSubstr("firing_rate_10ms"), HasSubstr("recording.target")));
  file.with_binned = true;
  file.with_rates = false;
  EXPECT_THAT(message(file, target("firing_rate_20ms")), AllOf(HasSubstr("firing_rate_20ms is missing"), HasSubstr("binned")));
}

TEST_F(Refusing, FilesThatAreNoRecordings) {
  io::ResultWriter writer(parallel::Communicator::self(), folder_ / "lab.h5", "responses", io::Provenance{});
  writer.create();
  writer.finish();
  EXPECT_THAT(message_of_file(), AllOf(HasSubstr("train/stimulus (time, height, width)"), HasSubstr("which are not there"),
                                       HasSubstr("It holds no dataset")));
}

TEST_F(Refusing, ATestPartThatCannotBeEvaluatedBeforeTraining) {
  LabFile file;
  file.test_rate = [](std::size_t n, std::size_t t) { return 0.4 + 0.1 * static_cast<double>((n + t) % 3); };  // spikes per bin
  file.write(folder_ / "lab.h5");
  EXPECT_THROW(load_recording(folder_ / "lab.h5", target("firing_rate_10ms"), Load::train), core::InputError);
  EXPECT_NO_THROW(load_recording(folder_ / "lab.h5", {}, Load::train));  // nobody reads them
  LabFile shifted;
  shifted.first_cell = 2;
  shifted.write(folder_ / "lab.h5");
  EXPECT_THROW(load_recording(folder_ / "lab.h5", {}, Load::train), core::InputError);
  EXPECT_THAT(message_of_file(), AllOf(HasSubstr("cell02 to cell04"), HasSubstr("has 3 cells"), HasSubstr("cell01 to cell03")));
}

TEST_F(Refusing, MissingTestResponses) {
  LabFile file;
  file.with_repeats = false;
  EXPECT_THAT(message(file), AllOf(HasSubstr("test/response/binned is missing"), HasSubstr("test/repeats")));
}

TEST_F(Refusing, PixelsThatAreNoNumbersByTheirFrame) {
  LabFile file;
  file.movie_type = io::Type::float32;
  file.train_frames = 1200;  // more than are read at a time
  file.pixel = [](std::size_t t, std::size_t p) {
    return t == 1100 && p == 2 ? std::numeric_limits<double>::quiet_NaN() : static_cast<double>((7 * t + 3 * p) % 251);
  };
  EXPECT_THAT(message(file), AllOf(HasSubstr("train/stimulus"), HasSubstr("in frame 1100")));
}

TEST_F(Refusing, NotANumber) {
  LabFile file;
  file.count = [](std::size_t n, std::size_t t) { return n == 1 && t == 17 ? std::numeric_limits<double>::quiet_NaN() : 1.0; };
  EXPECT_THAT(message(file), AllOf(HasSubstr("train/response/binned"), HasSubstr("cell 1"), HasSubstr("frame 17")));
  RecordingSettings others;
  others.cells = {0, 2};
  EXPECT_EQ(message_of_file(others), "nothing was refused");

  LabFile movie;
  movie.movie_type = io::Type::float32;
  movie.pixel = [](std::size_t t, std::size_t) { return t == 33 ? std::numeric_limits<double>::infinity() : 1.0; };
  EXPECT_THAT(message(movie), AllOf(HasSubstr("train/stimulus"), HasSubstr("frame 33")));

  LabFile padded;
  padded.trial = [](std::size_t r, std::size_t, std::size_t) { return r == 3 ? std::numeric_limits<double>::quiet_NaN() : 1.0; };
  EXPECT_THAT(message(padded),
              AllOf(HasSubstr("test/repeats/cell01"), HasSubstr("nan in repeat 3 for cell 0 at frame 0"), HasSubstr("padded")));
}

TEST_F(Refusing, RatesThatAreCounts) {
  LabFile file;
  file.rate = file.count;
  EXPECT_THAT(message(file, target("firing_rate_10ms")),
              AllOf(HasSubstr("train/response/firing_rate_10ms"), HasSubstr("spike counts")));
}

TEST_F(Refusing, TestRatesThatAreCounts) {
  LabFile file;
  file.test_rate = file.count;
  EXPECT_THAT(message(file, target("firing_rate_10ms")),
              AllOf(HasSubstr("test/response/firing_rate_10ms"), HasSubstr("rates in Hz"), HasSubstr("spike counts")));
  EXPECT_EQ(message_of_file(), "nothing was refused");  // nobody reads them
  file.test_rate = [](std::size_t, std::size_t) { return 0.0; };
  EXPECT_EQ(message(file, target("firing_rate_10ms")), "nothing was refused");  // silent is fine
}

TEST_F(Refusing, RepeatsByRateThatAreCounts) {
  LabFile file;
  file.repeats_by_cell = false;
  for (const char* name : {"binned", "firing_rate_10ms"})
    EXPECT_THAT(message(file, target(name)),
                AllOf(HasSubstr("test/repeats/firing_rate_10ms"), HasSubstr("rates in Hz"), HasSubstr("spike counts")));
  file.trial = [](std::size_t, std::size_t, std::size_t) { return 0.0; };
  EXPECT_EQ(message(file), "nothing was refused");
}

TEST_F(Refusing, RepeatsSayWhichTrialIsNegative) {
  LabFile file;
  file.repeats_by_cell = false;
  file.trial = [](std::size_t r, std::size_t n, std::size_t t) { return r == 2 && n == 1 && t == 13 ? -1.5 : 60.5; };
  EXPECT_THAT(message(file),
              AllOf(HasSubstr("test/repeats/firing_rate_10ms"), HasSubstr("-1.5 in repeat 2 for cell 1 at frame 13")));
}

TEST_F(Refusing, TestRatesPerBin) {
  LabFile file;
  file.test_rate = [](std::size_t n, std::size_t t) { return 0.4 + 0.1 * static_cast<double>((n + t) % 3); };
  EXPECT_THAT(message(file, target("firing_rate_10ms")),
              AllOf(HasSubstr("test/response/firing_rate_10ms"), HasSubstr("the mean of test/repeats"),
                    HasSubstr("its mean is 0.5"), HasSubstr("spikes per bin")));
}

TEST_F(Refusing, RatesPerBin) {
  LabFile file;
  file.rate = [](std::size_t n, std::size_t t) { return 0.6 + 0.1 * static_cast<double>((n + t) % 3); };  // spikes per bin
  EXPECT_THAT(message(file, target("firing_rate_10ms")), AllOf(HasSubstr("60 Hz"), HasSubstr("spikes per bin")));
  file.with_binned = file.with_repeats = false;  // a spike smoothed by 10 ms reaches 1000 / (10 sqrt(2 pi)) Hz
  EXPECT_THAT(message(file, target("firing_rate_10ms")), AllOf(HasSubstr("39.9 Hz"), HasSubstr("spikes per bin")));
  file.rate = [](std::size_t n, std::size_t t) { return 6.0 + static_cast<double>((n + t) % 3) / 3; };  // a cell that is quiet
  EXPECT_EQ(message(file, target("firing_rate_10ms")), "nothing was refused");
}

TEST_F(Refusing, NegativeRates) {
  LabFile file;
  file.rate = [](std::size_t, std::size_t t) { return t % 2 == 0 ? -0.7 : 120.7; };
  EXPECT_THAT(message(file, target("firing_rate_10ms")), AllOf(HasSubstr("-0.7"), HasSubstr("z-scored")));
}

TEST_F(Refusing, CountsThatAreRates) {
  LabFile file;
  file.count = [](std::size_t, std::size_t t) { return 60.0 + 0.5 * static_cast<double>(t % 2); };
  EXPECT_THAT(message(file), AllOf(HasSubstr("train/response/binned"), HasSubstr("whole numbers")));
  file.count = [](std::size_t, std::size_t t) { return 100.0 * static_cast<double>(t % 3); };
  EXPECT_THAT(message(file), AllOf(HasSubstr("one bin of 10 ms has 200")));
}

TEST_F(Refusing, CellsOutOfRange) {
  RecordingSettings settings;
  settings.cells = {0, 3};
  EXPECT_THAT(message({}, settings),
              AllOf(HasSubstr("cell 3 is out of range"), HasSubstr("cells 0 to 2"), HasSubstr("recording.cells")));
}

/// A file whose counts have the given dimensions.
LabFile counts_over(const std::vector<std::string>& dimensions, std::size_t values) {
  LabFile file;
  file.with_binned = false;
  file.more = [=](io::ResultWriter& writer) {
    writer.variable({"train/response/binned", io::Type::float32, dimensions, "", "", {}});
  };
  file.fill = [=](io::ResultWriter& writer) {
    const std::vector<float> zeros(values);
    writer.write<float>("train/response/binned", std::span<const float>(zeros));
  };
  return file;
}

TEST_F(Refusing, ResponsesOfAnotherShape) {
  EXPECT_THAT(message(counts_over({"unit", "test/time"}, 300)),
              AllOf(HasSubstr("train/response/binned"), HasSubstr("200 time bins"), HasSubstr("(3, 100)")));
  EXPECT_THAT(message(counts_over({"train/time", "unit"}, 600)), HasSubstr("transposed"));
  EXPECT_THAT(message(counts_over({"train/time"}, 200)), AllOf(HasSubstr("(cells, time)"), HasSubstr("1 dimension")));
}

TEST_F(Refusing, AnotherFrameInterval) {
  LabFile file;
  file.frame_s = 1.0 / 30.0;
  RecordingSettings settings;
  settings.frame_ms = 10.0;
  EXPECT_THAT(message(file, settings), AllOf(HasSubstr("33.33"), HasSubstr("recording.frame_ms is 10")));
}

TEST_F(Refusing, FrameIntervalsThatAreNone) {
  for (const double ms : {0.0, -10.0, std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    LabFile file;
    file.attributes = {{"frame_ms", ms}};
    EXPECT_THAT(message(file), AllOf(HasSubstr("frame_ms"), HasSubstr(fmt::format("is {}", ms)), HasSubstr("above 0")));
  }
}

TEST_F(Refusing, ATimeAxisInUnitsNobodyNamed) {
  LabFile file;
  file.frame_s = 1000.0 / 60.0;  // ms
  file.time_units = "1";
  EXPECT_THAT(message(file), AllOf(HasSubstr("steps of 16.6667"), HasSubstr("units = 'ms'"), HasSubstr("frame_ms")));
  RecordingSettings advised;
  advised.frame_ms = 1000.0 / 60.0;
  EXPECT_EQ(message_of_file(advised), "nothing was refused");
  file.attributes = {{"frame_ms", 1000.0 / 60.0}};
  EXPECT_EQ(message(file), "nothing was refused");
  file.attributes.clear();
  file.time_units = "minutes";
  EXPECT_THAT(message(file), AllOf(HasSubstr("'minutes'"), HasSubstr("not understood")));
}

TEST_F(Refusing, AnAttributeAgainstTheTimeAxis) {
  LabFile file;
  file.attributes = {{"frame_ms", 30.0}};
  file.frame_s = 1.0 / 30.0;
  EXPECT_THAT(message(file), AllOf(HasSubstr("frame_ms says frames of 30 ms"), HasSubstr("train/time of 33.3333 ms")));
}

TEST_F(Refusing, IrregularTimeAxes) {
  LabFile file;
  file.time = [](std::size_t t) { return 0.01 * static_cast<double>(t) + (t > 120 ? 6.0 : 0.0) + (t > 40 ? 0.01 : 0.0); };
  EXPECT_THAT(message(file), AllOf(HasSubstr("2 of 199 intervals"), HasSubstr("usually 0.01"), HasSubstr("first at frame 41"),
                                   HasSubstr("6.01, at frame 121")));
  file.time = [](std::size_t t) { return t == 33 ? std::numeric_limits<double>::quiet_NaN() : 0.01 * static_cast<double>(t); };
  EXPECT_THAT(message(file), AllOf(HasSubstr("train/time goes from"), HasSubstr("to nan at frame 33")));
  file.time = [](std::size_t t) { return -0.01 * static_cast<double>(t); };
  EXPECT_THAT(message(file), HasSubstr("ascend"));
  file.time = [](std::size_t) { return 0.0; };
  EXPECT_THAT(message(file), HasSubstr("ascend"));
}

TEST_F(Refusing, RecordingsWithNothingToLearnFrom) {
  LabFile dead;
  dead.pixel = [](std::size_t, std::size_t) { return 127.0; };
  EXPECT_THAT(message(dead), AllOf(HasSubstr("train/stimulus is 127 in every pixel"), HasSubstr("changes")));
  LabFile silent;
  silent.count = [](std::size_t, std::size_t) { return 0.0; };
  EXPECT_THAT(message(silent), AllOf(HasSubstr("none of the 3 cells"), HasSubstr("train/response/binned")));
}

TEST_F(Refusing, BlocksThatDoNotDivideAndSkipsThatLeaveNothing) {
  RecordingSettings settings;
  settings.blocks = 3;
  EXPECT_THAT(message({}, settings), AllOf(HasSubstr("200 frames"), HasSubstr("3 blocks")));
  settings.blocks = 4;
  settings.skip_seconds = 0.5;
  EXPECT_THAT(message({}, settings), HasSubstr("leaves nothing"));
}

/// A file whose test movie is `slope` x the training movie's values + `offset`.
LabFile rescaled_test_movie(double slope, double offset) {
  LabFile file;
  file.movie_type = io::Type::float32;
  file.fill = [file, slope, offset](io::ResultWriter& writer) {
    std::vector<float> movie;
    for (std::size_t t = 0; t < file.test_frames; ++t)
      for (std::size_t p = 0; p < file.height * file.width; ++p)
        movie.push_back(static_cast<float>(slope * file.pixel(t, p) + offset));
    writer.write<float>("test/stimulus", std::span<const float>(movie));
  };
  return file;
}

TEST_F(Refusing, TrainingAndTestMoviesOnDifferentScales) {
  const LabFile z_scores = rescaled_test_movie(1.0 / 72, -125.0 / 72);
  EXPECT_THAT(message(z_scores), AllOf(HasSubstr("train/stimulus has mean 12"), HasSubstr("and sd 7"),
                                       HasSubstr("test/stimulus mean -0.0"), HasSubstr("test_statistics = \"own\"")));
  EXPECT_THROW(load_recording(folder_ / "lab.h5", {}, Load::train), core::InputError);
  EXPECT_THROW(load_recording(folder_ / "lab.h5", {}, Load::test), core::InputError);
  RecordingSettings own;
  own.test_statistics = "own";
  EXPECT_NO_THROW(load_recording(folder_ / "lab.h5", own));
  EXPECT_THAT(message(rescaled_test_movie(1.0 / 255, 0)), HasSubstr("not on one scale"));
  EXPECT_THAT(message(rescaled_test_movie(0, 125)), HasSubstr("nothing was refused"));  // a movie that never changes
}

TEST_F(Refusing, OnlyScalesThatNoTwoMoviesHave) {
  EXPECT_EQ(message(rescaled_test_movie(0.5, 60)), "nothing was refused");
  testing::internal::CaptureStderr();
  EXPECT_EQ(message(rescaled_test_movie(1.0 / 7, 125 * 6.0 / 7)),
            "nothing was refused");  // contrasts of an adaptation experiment
  EXPECT_THAT(testing::internal::GetCapturedStderr(), AllOf(HasSubstr("train/stimulus has mean"), HasSubstr("contrast shown?")));
}

TEST_F(Refusing, FilesThatAreMissingOrCutShort) {
  EXPECT_THAT(message_of_file(), HasSubstr("there is no such file"));
  LabFile().write(folder_ / "lab.h5");
  const auto size = std::filesystem::file_size(folder_ / "lab.h5");
  std::filesystem::resize_file(folder_ / "lab.h5", size / 2);
  EXPECT_THAT(message_of_file(), HasSubstr("cut short"));
}

TEST_F(Refusing, RecordingsThatDoNotFitTheModel) {
  LabFile().write(folder_ / "lab.h5");
  const Recording recording = load_recording(folder_ / "lab.h5", {});
  EXPECT_NO_THROW(check_fits(recording, {40, 4, 5, 10.0, 1}));
  const auto refused = [&](const ModelShape& shape) {
    try {
      check_fits(recording, shape);
    } catch (const core::InputError& error) {
      return std::string(error.what());
    }
    return std::string("nothing was refused");
  };
  EXPECT_THAT(refused({40, 4, 5, 8.0, 0}), AllOf(HasSubstr("10 ms"), HasSubstr("8 ms")));
  EXPECT_THAT(refused({40, 50, 50, 10.0, 0}), AllOf(HasSubstr("4 x 5"), HasSubstr("50 x 50")));
  EXPECT_THAT(refused({100, 4, 5, 10.0, 1}), AllOf(HasSubstr("test/stimulus"), HasSubstr("100 frames"), HasSubstr("101")));
}

}  // namespace
}  // namespace amacrine::recording
