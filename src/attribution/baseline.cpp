// SPDX-License-Identifier: Apache-2.0
#include "amacrine/attribution/baseline.hpp"

#include "amacrine/core/errors.hpp"
#include "amacrine/core/numbers.hpp"
#include "amacrine/recording/movie_file.hpp"

namespace amacrine::attribution {

AttributionSettings with_baseline(AttributionSettings settings, const model::Model& model) {
  const BaselineFrame& frame = settings.baseline_frame;
  if (frame.file.empty()) return settings;
  const recording::MovieFile movie(frame.file, frame.dataset, {frame.zero, frame.unit});
  movie.check_contrast("attribution.baseline_zero and attribution.baseline_unit");
  const model::Architecture& a = model.architecture;
  core::require<core::InputError>(movie.height() == core::as_size(a.height) && movie.width() == core::as_size(a.width),
                                  "{} has frames of {} x {} pixels, and the model sees {} x {}", movie.name(), movie.height(),
                                  movie.width(), a.height, a.width);
  core::require<core::InputError>(frame.index < movie.frames(), "{} has {} frames; attribution.baseline_frame is {}",
                                  movie.name(), movie.frames(), frame.index);
  const core::Array<float, 3> image = movie.contrast(frame.index, 1);
  settings.baseline_frame.contrast.assign(image.values().begin(), image.values().end());
  return settings;
}

template <class S>
std::vector<double> baseline_frame(const PathNetwork<S>& network, const AttributionSettings& settings) {
  const std::vector<double>& image = settings.baseline_frame.contrast;
  if (image.empty()) return baseline_frame(network, settings.baseline, settings.baseline_contrast);
  const recording::Normalisation& norm = network.normalisation;
  core::require(image.size() == core::as_size(network.height) * core::as_size(network.width),
                "internal: a baseline of {} pixels was given to a network of {} x {}", image.size(), network.height,
                network.width);
  std::vector<double> frame(image.size());
  for (std::size_t i = 0; i < frame.size(); ++i) {
    const std::size_t k = norm.mean.size() == 1 ? 0 : i;
    frame[i] = (image[i] - norm.mean[k]) / norm.scale[k];
  }
  return frame;
}

template std::vector<double> baseline_frame(const PathNetwork<float>&, const AttributionSettings&);
template std::vector<double> baseline_frame(const PathNetwork<double>&, const AttributionSettings&);

}  // namespace amacrine::attribution
