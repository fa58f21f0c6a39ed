// SPDX-License-Identifier: Apache-2.0
#include "drivers/fit_network.hpp"

#include "amacrine/core/log.hpp"
#include "amacrine/model/inference.hpp"
#include "amacrine/recording/reader.hpp"
#include "drivers/inputs.hpp"
#include "drivers/subjects.hpp"

namespace amacrine::drivers {

namespace {

/// Whether a network predicts this recording's cells as the study has them; else a warning says why not.
bool fits_recording(const Context& context, const model::Model& model, const std::string& path,
                    const recording::Recording& recording) {
  try {
    check_model_fits(model, path, recording);
  } catch (const core::InputError& error) {
    core::warn("the network says nothing about the pathways: {}", error.what());
    return false;
  }
  const bool same = model.minimum_lag == context.settings.recording.minimum_lag;
  if (!same)
    core::warn("the network says nothing about the pathways: {} was trained with recording.minimum_lag = {}, the study has {}",
               path, model.minimum_lag, context.settings.recording.minimum_lag);
  return same;
}

}  // namespace

pathway::NetworkRates network_over_test(const Context& context, const recording::Recording& recording) {
  const std::string path = context.output("model.h5");
  if (!file_exists(context.world, path)) return {{}, pathway::NotJudged::no_network};
  model::Model model = model::read_model(path);
  // Windows longer than the study's would begin before the frames that are scored.
  if (model.architecture.history > context.settings.architecture.history || !fits_recording(context, model, path, recording))
    return {{}, pathway::NotJudged::other_network};
  model.normalisation = recording::test_normalisation(recording, context.settings.recording, model.normalisation);
  auto rates = model::predict(context.world, model::make_inference<float>(model), recording.test.movie, recording.coding, 0,
                              recording.test.movie.frames());
  warn_of_rates("network", recording.cells, rates);
  return {std::move(rates), pathway::NotJudged::judged};
}

}  // namespace amacrine::drivers
