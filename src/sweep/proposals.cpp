// SPDX-License-Identifier: Apache-2.0
#include "amacrine/sweep/proposals.hpp"

#include "amacrine/core/random.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>

namespace amacrine::sweep {
namespace {

constexpr std::size_t default_trials = 32;

/// Short, so that the text is the value.
std::string number_text(const Parameter& p, double value) {
  return p.whole ? fmt::format("{:.0f}", value) : fmt::format("{:.6g}", value);
}

/// From low at u = 0 to high at u = 1, evenly on the parameter's scale.
double between(const Parameter& p, double low, double high, double u) {
  return p.log ? std::exp(std::log(low) + (std::log(high) - std::log(low)) * u) : low + (high - low) * u;
}

/// The value at u of [0, 1).
std::string value_at(const Parameter& p, double u) {
  if (!p.values.empty())
    return p.values[std::min(p.values.size() - 1, static_cast<std::size_t>(u * static_cast<double>(p.values.size())))];
  // Each whole number has the same share.
  const double low = p.whole ? p.low - 0.5 : p.low, high = p.whole ? p.high + 0.5 : p.high;
  double value = between(p, low, high, u);
  if (p.whole) value = std::clamp(std::round(value), p.low, p.high);
  return number_text(p, value);
}

std::vector<std::string> grid_values(const Parameter& p) {
  if (!p.values.empty()) return p.values;
  std::vector<std::string> values;
  for (std::size_t i = 0; i < p.points; ++i) {
    const double u = static_cast<double>(i) / static_cast<double>(p.points - 1);
    double value = between(p, p.low, p.high, u);
    if (p.whole) value = std::round(value);
    const std::string text = number_text(p, value);
    if (values.empty() || values.back() != text) values.push_back(text);
  }
  return values;
}

using Values = std::vector<std::string>;  ///< of one trial, "key=value"

std::vector<Values> grid(const std::vector<Parameter>& space, std::size_t most) {
  std::vector<Values> all{{}};
  for (const Parameter& p : space) {
    std::vector<Values> longer;
    for (const Values& begun : all)
      for (const std::string& value : grid_values(p)) {
        longer.push_back(begun);
        longer.back().push_back(p.key + "=" + value);
      }
    core::require<core::StudyError>(longer.size() <= 1'000'000, "the grid of [sweep.space] has more than a million trials");
    all = std::move(longer);
  }
  if (most > 0 && most < all.size()) all.resize(most);
  return all;
}

/// The generalised golden ratio of d dimensions: the root above 1 of x^(d + 1) = x + 1.
double golden_ratio(std::size_t dimensions) {
  double x = 2;
  for (int i = 0; i < 64; ++i) x = std::pow(1 + x, 1.0 / static_cast<double>(dimensions + 1));
  return x;
}

std::vector<Values> sampled(const SweepSettings& s) {
  const std::size_t trials = s.trials > 0 ? s.trials : default_trials;
  const double ratio = golden_ratio(s.space.size());
  core::Random start(s.seed, core::Stream::sweep, UINT64_MAX);
  std::vector<double> shift;
  for (std::size_t d = 0; d < s.space.size(); ++d) shift.push_back(start.uniform());
  std::vector<Values> all;
  for (std::size_t trial = 0; trial < trials; ++trial) {
    core::Random random(s.seed, core::Stream::sweep, trial);
    Values values;
    for (std::size_t d = 0; d < s.space.size(); ++d) {
      const double step = static_cast<double>(trial) * std::pow(ratio, -static_cast<double>(d + 1)) + shift[d];
      const double u = s.method == Method::random ? random.uniform() : step - std::floor(step);
      values.push_back(s.space[d].key + "=" + value_at(s.space[d], u));
    }
    all.push_back(values);
  }
  return all;
}

/// The words of a line, which are separated by blanks outside of brackets and quotes.
Values words_of(const std::string& line) {
  Values words;
  std::string word;
  int depth = 0;
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '[') ++depth;
    if (!quoted && c == ']') --depth;
    if (!quoted && depth == 0 && (c == ' ' || c == '\t' || c == '\r')) {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

void check_list_word(const std::string& word, const std::string& file, std::size_t line) {
  const std::string key = word.substr(0, word.find('='));
  const bool known = key.starts_with("training.") || key.starts_with("model.");
  core::require<core::StudyError>(word.find('=') != std::string::npos && known && tells_trials_apart(key),
                                  "{}:{}: '{}' is not an override of [training] or [model] that tells trials apart, such as "
                                  "training.l2=1e-4",
                                  file, line, word);
}

std::vector<Values> listed(const SweepSettings& s) {
  std::ifstream file(s.list_file);
  core::require<core::InputError>(file.good(), "{}: the list of trials (sweep.list_file) cannot be read", s.list_file);
  std::vector<Values> all;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const Values words = words_of(line.substr(0, line.find('#')));
    for (const std::string& word : words) check_list_word(word, s.list_file, number);
    if (!words.empty()) all.push_back(words);
  }
  core::require<core::StudyError>(!all.empty(), "{}: holds no trial; expected lines such as training.learning_rate=3e-3",
                                  s.list_file);
  if (s.trials > 0 && s.trials < all.size()) all.resize(s.trials);
  return all;
}

bool sets(const Values& values, const std::string& key) {
  return std::any_of(values.begin(), values.end(), [&](const std::string& value) { return value.starts_with(key + "="); });
}

}  // namespace

std::vector<Proposal> proposals(const SweepSettings& settings) {
  core::require<core::StudyError>(settings.method == Method::list || !settings.space.empty(),
                                  "a sweep needs the table [sweep.space], such as training.learning_rate = {{ low = 1e-3, high = "
                                  "1e-1, scale = \"log\" }}");
  const std::vector<Values> all = settings.method == Method::list   ? listed(settings)
                                  : settings.method == Method::grid ? grid(settings.space, settings.trials)
                                                                    : sampled(settings);
  std::vector<Proposal> proposals;
  for (std::size_t trial = 0; trial < all.size(); ++trial) {
    Proposal proposal{all[trial], all[trial]};
    core::Random random(settings.seed, core::Stream::sweep, UINT64_MAX - 1 - trial);
    if (!sets(all[trial], "training.model_seed"))
      proposal.overrides.push_back(fmt::format("training.model_seed={}", random.bits()));
    for (const char* fixed : {"training.model_seeds=[]", "training.learning_rates=[]", "training.ln=false"})
      proposal.overrides.emplace_back(fixed);
    proposals.push_back(std::move(proposal));
  }
  return proposals;
}

}  // namespace amacrine::sweep
