// SPDX-License-Identifier: Apache-2.0
#include "amacrine/stimulus/ensemble.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/random.hpp"
#include "images.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace amacrine::stimulus {
namespace {

/// The place of the window on the image, pixels, frame by frame: random walk, sometimes with a drift that may reverse once.
class Gaze {
 public:
  Gaze(const NaturalSettings& settings, const Screen& screen, core::Random& random)
      : random_(random),
        jitter_(settings.jitter_px_per_frame),
        high_x_(settings.image_px - screen.width - 2.0),
        high_y_(settings.image_px - screen.height - 2.0) {
    constexpr double inset = 10;
    x_ = random.uniform(low + inset, high_x_ - inset);
    y_ = random.uniform(low + inset, high_y_ - inset);
    if (random.uniform() >= settings.drift_probability) return;
    const double speed = random.uniform(settings.drift_speed_min, settings.drift_speed_max);
    const double angle = random.uniform(0, 2 * std::numbers::pi);
    drift_x_ = speed * std::cos(angle);
    drift_y_ = speed * std::sin(angle);
    if (random.uniform() >= settings.drift_reverses) return;
    const double frames_per_s = 1000 / screen.frame_ms;
    const auto first = static_cast<int>(std::lround(settings.drift_reverse_from_s * frames_per_s));
    const auto last = static_cast<int>(std::lround(settings.drift_reverse_to_s * frames_per_s));
    reverse_at_ = first + static_cast<int>(random.below(static_cast<std::uint32_t>(last - first + 1)));
  }

  double x() const { return x_; }
  double y() const { return y_; }
  void advance(int frame) {
    if (frame == reverse_at_) {
      drift_x_ = -drift_x_;
      drift_y_ = -drift_y_;
    }
    const double dx = random_.normal(), dy = random_.normal();
    x_ = reflect(x_ + drift_x_ + jitter_ * dx, high_x_);
    y_ = reflect(y_ + drift_y_ + jitter_ * dy, high_y_);
  }

 private:
  static constexpr double low = 1;
  static double reflect(double place, double high) {
    return place < low ? 2 * low - place : place > high ? 2 * high - place : place;
  }

  core::Random& random_;
  double jitter_, high_x_, high_y_, x_ = 0, y_ = 0, drift_x_ = 0, drift_y_ = 0;
  int reverse_at_ = -1;
};

/// Contrast added to the whole screen in each frame of a fixation; empty in most.
std::vector<double> full_field_term(const NaturalSettings& s, const Screen& screen, std::size_t frames, core::Random random) {
  if (random.uniform() >= s.full_field_probability) return {};
  std::vector<double> level(frames, 0.0);
  if (random.uniform() < s.full_field_noise_share) {
    const double keep = std::exp(-screen.frame_ms / s.noise_tau_ms);
    double state = 0;
    for (double& value : level) {
      state = keep * state + std::sqrt(1 - keep * keep) * random.normal();
      value = s.noise_sd * state;
    }
    return level;
  }
  const auto shortest = static_cast<int>(std::lround(s.flash_min_ms / screen.frame_ms));
  const auto longest = static_cast<int>(std::lround(s.flash_max_ms / screen.frame_ms));
  for (std::size_t t = 0; t < frames; ++t) {
    if (random.uniform() >= s.flash_probability_per_frame) continue;
    const auto duration = static_cast<std::size_t>(shortest) + random.below(static_cast<std::uint32_t>(longest - shortest + 1));
    const double sign = random.uniform() < s.flash_dark_share ? -1 : 1;
    const double amplitude = random.uniform(s.flash_amplitude_min, s.flash_amplitude_max);
    for (std::size_t k = t; k < std::min(t + duration, frames); ++k) level[k] += sign * amplitude;
  }
  return level;
}

/// The image seen through the screen with its top left corner at (y, x), between pixels by bilinear weights, scaled, shifted,
/// clipped.
void look(const std::vector<float>& image, int side, const Screen& screen, const Gaze& gaze, float scale, float shift, float clip,
          float* out) {
  const int column = static_cast<int>(gaze.x()), row = static_cast<int>(gaze.y());
  const auto a = static_cast<float>(gaze.x() - column), b = static_cast<float>(gaze.y() - row);
  const float w00 = scale * (1 - b) * (1 - a), w01 = scale * (1 - b) * a, w10 = scale * b * (1 - a), w11 = scale * b * a;
  for (int y = 0; y < screen.height; ++y) {
    const float* upper = image.data() + static_cast<std::ptrdiff_t>(row + y) * side + column;
    const float* lower = upper + side;
    float* pixels = out + static_cast<std::ptrdiff_t>(y) * screen.width;
    for (int x = 0; x < screen.width; ++x) {
      const float value = w00 * upper[x] + w01 * upper[x + 1] + w10 * lower[x] + w11 * lower[x + 1] + shift;
      pixels[x] = std::min(clip, std::max(-clip, value));
    }
  }
}

}  // namespace

std::size_t fixation_frames(const NaturalSettings& settings, const Screen& screen) {
  return static_cast<std::size_t>(std::lround(1000 * settings.fixation_s / screen.frame_ms));
}

void natural_fixation(const NaturalSettings& s, std::uint64_t seed, std::uint64_t fixation, const Screen& screen, float* out) {
  core::require<core::InputError>(s.image_px >= std::max(screen.height, screen.width) + 24,
                                  "natural scenes are drawn for screens of up to {} pixels a side, and this one has {} x {}",
                                  s.image_px - 24, screen.height, screen.width);
  core::Random drawing(seed, core::Stream::image, fixation), looking(seed, core::Stream::fixation, fixation);
  const bool leaves = drawing.uniform() < s.dead_leaves_probability;
  const std::vector<float> image = leaves ? dead_leaves_image(s, drawing) : gaussian_image(s, drawing);
  const std::size_t frames = fixation_frames(s, screen);
  const std::vector<double> level = full_field_term(s, screen, frames, core::Random(seed, core::Stream::full_field, fixation));
  const auto scale = static_cast<float>(looking.uniform(s.image_contrast_min, s.image_contrast_max));
  const auto pixels = static_cast<std::size_t>(screen.height) * static_cast<std::size_t>(screen.width);
  Gaze gaze(s, screen, looking);
  for (std::size_t t = 0; t < frames; ++t) {
    const float shift = level.empty() ? 0.0F : static_cast<float>(level[t]);
    look(image, s.image_px, screen, gaze, scale, shift, static_cast<float>(s.clip), out + t * pixels);
    gaze.advance(static_cast<int>(t));
  }
}

core::Array<float, 3> natural_frames(const NaturalSettings& settings, std::uint64_t seed, std::size_t first, std::size_t frames,
                                     const Screen& screen) {
  const auto height = static_cast<std::size_t>(screen.height), width = static_cast<std::size_t>(screen.width);
  const std::size_t length = fixation_frames(settings, screen);
  core::Array<float, 3> movie({frames, height, width}), one({length, height, width});
  for (std::size_t fixation = first / length; fixation * length < first + frames; ++fixation) {
    natural_fixation(settings, seed, fixation, screen, one.data());
    const std::size_t begin = std::max(first, fixation * length), end = std::min(first + frames, (fixation + 1) * length);
    std::copy(one.row(begin - fixation * length).data(),
              one.row(begin - fixation * length).data() + (end - begin) * height * width, movie.row(begin - first).data());
  }
  return movie;
}

void white_frames(const WhiteSettings& settings, std::uint64_t seed, std::size_t first, std::size_t frames, const Screen& screen,
                  float* out) {
  const auto check = static_cast<std::size_t>(settings.check_px);
  const auto height = static_cast<std::size_t>(screen.height), width = static_cast<std::size_t>(screen.width);
  const std::size_t columns = (width + check - 1) / check, rows = (height + check - 1) / check;
  const auto contrast = static_cast<float>(settings.contrast);
  std::vector<float> checks(columns * rows);
  std::uint64_t drawn = ~std::uint64_t{0};
  for (std::size_t t = first; t < first + frames; ++t) {
    const double patterns = static_cast<double>(t) * screen.frame_ms * settings.rate_hz / 1000;
    // The small term keeps a frame that starts a pattern on time where the product rounds down.
    const auto pattern = static_cast<std::uint64_t>(std::floor(patterns + 1e-9));
    if (pattern != drawn) {
      core::Random random(seed, core::Stream::checks, pattern);
      for (float& value : checks) value = (random.bits() >> 31) != 0 ? contrast : -contrast;
      drawn = pattern;
    }
    for (std::size_t y = 0; y < height; ++y)
      for (std::size_t x = 0; x < width; ++x) *out++ = checks[y / check * columns + x / check];
  }
}

}  // namespace amacrine::stimulus
