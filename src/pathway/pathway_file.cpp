// SPDX-License-Identifier: Apache-2.0
#include "amacrine/pathway/pathway_file.hpp"

#include "amacrine/core/numbers.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

namespace amacrine::pathway {

namespace {

/// A figure of one pathway, or of its claims.
struct Column {
  const char *name, *units, *title;
  std::function<double(const Pathway&, const Agreement&)> value;
};

const std::vector<Column>& columns() {
  static const std::vector<Column> list{
      {"weight", "Hz", "weight on the rate's input, for an activity of 1",
       [](const auto& p, const auto&) { return p.weight_hz; }},
      {"threshold", "1", "added to the filter's output (contrast)", [](const auto& p, const auto&) { return p.threshold; }},
      {"polarity", "1", "1 ON, -1 OFF, 0 none", [](const auto& p, const auto&) { return static_cast<double>(p.polarity); }},
      {"peak_lag", "ms", "lag of the time course's largest value", [](const auto& p, const auto&) { return p.peak_ms; }},
      {"offset_y", "px", "place of the profile, from the receptive field's centre",
       [](const auto& p, const auto&) { return p.dy_px; }},
      {"offset_x", "px", "place of the profile, from the receptive field's centre",
       [](const auto& p, const auto&) { return p.dx_px; }},
      {"closed", "1", "share of the training frames in which the pathway is silent",
       [](const auto& p, const auto&) { return p.closed; }},
      {"spread", "Hz", "standard deviation of the contribution to the rate's input",
       [](const auto& p, const auto&) { return p.spread_hz; }},
      {"type", "1", "pathways of the same type are sub-units of one filter",
       [](const auto& p, const auto&) { return static_cast<double>(p.type); }},
      {"fits", "1", "other fits that were compared", [](const auto&, const auto& a) { return static_cast<double>(a.fits); }},
      {"agree_sign", "1", "of these, how many have its sign",
       [](const auto&, const auto& a) { return static_cast<double>(a.sign); }},
      {"agree_polarity", "1", "how many have its polarity",
       [](const auto&, const auto& a) { return static_cast<double>(a.polarity); }},
      {"agree_peak", "1", "how many have its peak", [](const auto&, const auto& a) { return static_cast<double>(a.peak); }},
      {"agree_place", "1", "how many have its place", [](const auto&, const auto& a) { return static_cast<double>(a.place); }}};
  return list;
}

/// A figure of the verdict on layers.
struct LayerColumn {
  const char *name, *title;
  Difference LayerVerdict::*value;
};

const std::vector<LayerColumn>& layer_columns() {
  static const std::vector<LayerColumn> list{
      {"test_loss", "minus log likelihood of a trial of the test part, pathways of best_number, nats per second",
       &LayerVerdict::pathways},
      {"network_test_loss", "the same of the network", &LayerVerdict::network},
      {"network_above", "loss of the network less that of the pathways, nats per second; below 0 the network is better",
       &LayerVerdict::network_above},
      {"missed", "share of the test part's explainable variance that the pathways miss and more data would not add",
       &LayerVerdict::missed}};
  return list;
}

io::Dimension axis(const std::string& name, std::size_t size, const std::string& title) {
  return {.name = name, .size = size, .units = "1", .long_name = title, .coordinates = {}, .labels = {}};
}

io::Dimension scale(const std::string& name, const std::string& units, const std::string& title, std::vector<double> at) {
  return {.name = name, .size = at.size(), .units = units, .long_name = title, .coordinates = std::move(at), .labels = {}};
}

template <std::size_t N>
io::Dimension names_of(const std::string& name, const std::array<const char*, N>& list, const std::string& title) {
  return {.name = name,
          .size = N,
          .units = "1",
          .long_name = title,
          .coordinates = {},
          .labels = std::vector<std::string>(list.begin(), list.end())};
}

std::vector<double> steps_from(double first, double step, std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = first + step * static_cast<double>(i);
  return values;
}

std::size_t profile_extent(const PathwaySettings& settings) {
  const Bases bases = make_bases(settings, 2);
  return 2 * static_cast<std::size_t>(std::ceil(bases.knots_px.back() + 2 * bases.bump_px)) + 1;
}

/// Numbers of packed_fits of a cell, at most: of every fold and number of pathways two models and the held-out losses.
std::size_t packed_size(const Study& study) {
  const Bases bases = make_bases(study.settings, study.history);
  const Shape shape{.bumps = bases.bumps(), .courses = bases.courses()};
  const std::size_t blocks = study.recording.train.movie.frames() / block_frames + 1;
  std::size_t size = 0;
  for (std::size_t k = 0; k <= static_cast<std::size_t>(study.settings.most); ++k) size += 2 * shape.size(k) + blocks + 5;
  return fold_count * (size + 5);
}

}  // namespace

PathwayFile::PathwayFile(const parallel::Communicator& communicator, const std::string& path, const Study& study,
                         const std::vector<CellFit>& fits, const AttributedAxes& attributed, const io::Provenance& provenance)
    : writer_(communicator, path, "pathways", provenance),
      packed_(packed_fits(fits)),
      attributed_(attributed),
      slots_(static_cast<std::size_t>(study.settings.most)),
      lags_(study.history),
      extent_(profile_extent(study.settings)),
      frames_(study.recording.test.movie.frames()) {
  declare_dimensions(study);
  declare_variables();
  declare_layers();
  declare_network();
  declare_reasons(fits);
  writer_.attribute("pixel_um", study.recording.screen.pixel_um);
  writer_.attribute("frame_ms", study.recording.screen.frame_ms);
  writer_.create();
}

std::size_t PathwayFile::bytes(const Study& study) {
  const auto slots = static_cast<std::size_t>(study.settings.most);
  const std::size_t extent = profile_extent(study.settings), of_pathway = columns().size() + study.history + extent * extent;
  return study.recording.cells.size() *
         ((slots * of_pathway + 4 * slots + 20 + packed_size(study)) * sizeof(double) +
          slots * claims.size() * other_fits.size() * sizeof(std::int8_t) + study.recording.test.movie.frames() * sizeof(float));
}

void PathwayFile::declare_dimensions(const Study& study) {
  std::vector<std::string> names;
  for (const auto& cell : study.recording.cells) names.push_back(cell.name);
  const double frame_ms = study.recording.screen.frame_ms, reach = static_cast<double>(extent_ / 2);
  writer_.dimension(
      {.name = "cell", .size = names.size(), .units = "1", .long_name = "ganglion cell", .coordinates = {}, .labels = names});
  writer_.dimension(axis("pathway", slots_, "pathways, the one that moves the rate most first"));
  writer_.dimension(scale("number", "1", "number of pathways", steps_from(0, 1, slots_ + 1)));
  if (!packed_.empty()) writer_.dimension(axis("packed", packed_.size(), "numbers of packed_fits"));
  writer_.dimension(axis("half", 2, "half of the training part"));
  writer_.dimension(names_of("other_fit", other_fits, "fits that are asked whether they agree"));
  writer_.dimension(names_of("claim", claims, "what is claimed of a pathway"));
  writer_.dimension(scale("lag", "ms", "time before the response",
                          steps_from(frame_ms * study.recording_settings.minimum_lag, frame_ms, lags_)));
  writer_.dimension(scale("profile_y", "px", "from the receptive field's centre", steps_from(-reach, 1, extent_)));
  writer_.dimension(scale("profile_x", "px", "from the receptive field's centre", steps_from(-reach, 1, extent_)));
  writer_.dimension(scale("frame", "ms", "time in the test movie", steps_from(0, frame_ms, frames_)));
}

void PathwayFile::declare_variables() {
  const auto declare = [&](io::Type type, const std::string& name, const std::vector<std::string>& dimensions,
                           const std::string& units, const std::string& title) {
    writer_.variable(
        {.name = name, .type = type, .dimensions = dimensions, .units = units, .long_name = title, .attributes = {}});
  };
  using enum io::Type;
  declare(int32, "pathways", {"cell"}, "1",
          "number of pathways by held-out likelihood (docs/pathways.md); -1: the cell was not fitted");
  declare(int32, "pathways_of_half", {"cell", "half"}, "1", "the same of fits to half of the recording");
  declare(float64, "rest", {"cell"}, "Hz", "the rate's input without stimulus or pathways");
  declare(float64, "beta", {"cell"}, "1", "sharpness of the output per Hz: rate = log(1 + exp(beta input)) / beta");
  declare(float64, "held_out", {"cell", "number"}, "1",
          "minus log likelihood of held-out frames above the lowest, nats per second");
  declare(float64, "held_out_error", {"cell", "number"}, "1", "standard error of that difference");
  declare(float64, "held_out_loss", {"cell", "number"}, "1", "minus log likelihood of held-out frames, nats per second");
  declare(float64, "held_out_loss_error", {"cell", "number"}, "1", "its standard error");
  for (const char* axis : {"y", "x"})
    declare(float64, std::string("centre_") + axis, {"cell"}, "px",
            "receptive field's centre, from the middle of the first pixel");
  for (const Column& column : columns()) declare(float64, column.name, {"cell", "pathway"}, column.units, column.title);
  declare(int8, "agrees", {"cell", "pathway", "other_fit", "claim"}, "1", "whether another fit says the same");
  writer_.attribute("flag_values", std::vector<double>{-1, 0, 1}, "agrees");
  writer_.attribute("flag_meanings", "not_compared disagrees agrees", "agrees");
  declare(float64, "time_course", {"cell", "pathway", "lag"}, "1", "filter over time; absolute values sum to 1");
  declare(float64, "profile", {"cell", "pathway", "profile_y", "profile_x"}, "1", "filter over space; absolute values sum to 1");
  if (!packed_.empty()) declare(float64, "packed_fits", {"packed"}, "1", "the models of all fits, for amacrine fit alone");
  declare(float32, "rate", {"cell", "frame"}, "Hz", "predicted firing rate over the test movie");
}

void PathwayFile::declare_layers() {
  const auto flag = [&](const char* name, const char* title, std::vector<double> values, const char* meanings) {
    writer_.variable({.name = name,
                      .type = io::Type::int8,
                      .dimensions = {"cell"},
                      .units = "1",
                      .long_name = title,
                      .attributes = {{"flag_meanings", meanings}}});
    writer_.attribute("flag_values", values, name);
  };
  flag("one_layer", "whether one layer of pathways is enough (docs/pathways.md)", {-1, 0, 1}, "not_enough not_judged enough");
  flag("not_judged", "why that is not judged", {0, 1, 2, 3, 4, 5, 6, 7},
       "judged not_fitted no_network other_network no_repeats too_short both_miss unsettled");
  for (const LayerColumn& column : layer_columns())
    for (const char* error : {"", "_error"})
      writer_.variable({.name = std::string(column.name) + error,
                        .type = io::Type::float64,
                        .dimensions = {"cell"},
                        .units = "1",
                        .long_name = *error == 0 ? column.title : "its standard error",
                        .attributes = {}});
  writer_.variable({.name = "best_number",
                    .type = io::Type::int32,
                    .dimensions = {"cell"},
                    .units = "1",
                    .long_name = "number of pathways with the lowest held-out loss, which the network is compared with",
                    .attributes = {}});
}

void PathwayFile::write_layers(std::size_t n, const LayerVerdict& v) {
  writer_.write<std::int8_t>("one_layer", std::vector{static_cast<std::int8_t>(v.verdict)}, {n}, {1});
  writer_.write<std::int8_t>("not_judged", std::vector{static_cast<std::int8_t>(v.reason)}, {n}, {1});
  for (const LayerColumn& column : layer_columns()) {
    writer_.write<double>(column.name, std::vector{(v.*column.value).mean}, {n}, {1});
    writer_.write<double>(std::string(column.name) + "_error", std::vector{(v.*column.value).error}, {n}, {1});
  }
  const bool fitted = v.reason != NotJudged::not_fitted;
  writer_.write<std::int32_t>("best_number", std::vector{fitted ? static_cast<std::int32_t>(v.number) : -1}, {n}, {1});
}

void PathwayFile::declare_reasons(const std::vector<CellFit>& fits) {
  std::vector<std::string> reasons;
  for (const CellFit& fit : fits) reasons.push_back(fit.left_out);
  writer_.texts({"not_fitted", "cell", "why the cell was not fitted; empty where it was", reasons});
}

void PathwayFile::write_answers(std::size_t n, const Mechanism& m) {
  const std::size_t of_fit = claims.size(), of_pathway = other_fits.size() * of_fit;
  std::vector<std::int8_t> values(slots_ * of_pathway, -1);
  for (std::size_t k = 0; k < m.agreement.size(); ++k)
    for (std::size_t f = 0; f < m.agreement[k].answers.size(); ++f)
      for (std::size_t c = 0; c < of_fit; ++c) values[k * of_pathway + f * of_fit + c] = m.agreement[k].answers[f][c] ? 1 : 0;
  writer_.write<std::int8_t>("agrees", values, {n, 0, 0, 0}, {1, slots_, other_fits.size(), of_fit});
}

void PathwayFile::write_curve(std::size_t n, const std::string& variable, const std::vector<Difference>& curve) {
  std::vector<double> mean(slots_ + 1, core::undefined), error(slots_ + 1, core::undefined);
  for (std::size_t k = 0; k < curve.size(); ++k) mean[k] = curve[k].mean, error[k] = curve[k].error;
  writer_.write<double>(variable, mean, {n, 0}, {1, slots_ + 1});
  writer_.write<double>(variable + "_error", error, {n, 0}, {1, slots_ + 1});
}

void PathwayFile::write_pathways(std::size_t n, const Mechanism& m) {
  const std::size_t area = extent_ * extent_;
  for (const Column& column : columns()) {
    std::vector<double> values(slots_, core::undefined);
    for (std::size_t k = 0; k < m.pathways.size(); ++k) values[k] = column.value(m.pathways[k], m.agreement[k]);
    writer_.write<double>(column.name, values, {n, 0}, {1, slots_});
  }
  std::vector<double> courses(slots_ * lags_, core::undefined), profiles(slots_ * area, core::undefined);
  for (std::size_t k = 0; k < m.pathways.size(); ++k) {
    std::copy(m.pathways[k].course.begin(), m.pathways[k].course.end(), courses.begin() + static_cast<std::ptrdiff_t>(k * lags_));
    const auto& values = m.pathways[k].profile.values();
    std::copy(values.begin(), values.end(), profiles.begin() + static_cast<std::ptrdiff_t>(k * area));
  }
  writer_.write<double>("time_course", courses, {n, 0, 0}, {1, slots_, lags_});
  writer_.write<double>("profile", profiles, {n, 0, 0, 0}, {1, slots_, extent_, extent_});
}

bool holds_fits(const std::string& path, const io::Provenance& wanted) {
  if (!std::filesystem::exists(path)) return false;
  const auto recording = [](const io::Provenance& made) {
    for (const io::Input& input : made.inputs)
      if (input.role == "recording") return input.checksum;
    return std::string();
  };
  try {
    const io::Reader reader(path);
    const io::Provenance found = reader.provenance();
    return found.verb == wanted.verb && found.study_hash == wanted.study_hash && recording(found) == recording(wanted) &&
           reader.has("packed_fits");
  } catch (const core::InputError&) {
    return false;  // io::claim_output says what is wrong with it
  }
}

std::vector<CellFit> fitted_before(const std::string& path, const Study& study) {
  return unpacked_fits(study, io::Reader(path).read<double>("packed_fits"), path);
}

void PathwayFile::write_cell(std::size_t n, const recording::Cell& cell, const Mechanism& m, const std::vector<float>& rate) {
  const bool fitted = m.left_out.empty();
  const auto whole_number = [&](std::size_t value) { return fitted ? static_cast<std::int32_t>(value) : -1; };
  writer_.write<std::int32_t>("pathways", std::vector{whole_number(m.number)}, {n}, {1});
  writer_.write<std::int32_t>(
      "pathways_of_half", std::vector{whole_number(m.number_of_halves[0]), whole_number(m.number_of_halves[1])}, {n, 0}, {1, 2});
  writer_.write<double>("rest", std::vector{fitted ? m.rest_hz : core::undefined}, {n}, {1});
  writer_.write<double>("beta", std::vector{fitted ? m.beta_per_hz : core::undefined}, {n}, {1});
  writer_.write<double>("centre_y", std::vector{cell.centre ? cell.centre->y : core::undefined}, {n}, {1});
  writer_.write<double>("centre_x", std::vector{cell.centre ? cell.centre->x : core::undefined}, {n}, {1});
  write_curve(n, "held_out", m.held_out);
  write_curve(n, "held_out_loss", m.held_out_loss);
  write_pathways(n, m);
  write_answers(n, m);
  write_layers(n, m.layers);
  write_network(n, m.following);
  std::vector<float> rates = rate;
  rates.resize(frames_, static_cast<float>(core::undefined));
  writer_.write<float>("rate", rates, {n, 0}, {1, frames_});
}

}  // namespace amacrine::pathway
