// SPDX-License-Identifier: Apache-2.0
#include "figures.hpp"

namespace amacrine::reduction {

const std::vector<Figure>& pathway_figures() {
  using R = const Reduction&;
  const auto i8 = io::Type::int8;
  const auto i32 = io::Type::int32;
  const auto f32 = io::Type::float32;
  static const std::vector<Figure> figures{
      {"path_channel", i32, "1", "first-layer channel", {}, "", [](R r, std::size_t i) { return r.pathways[i].channel; }},
      {"column_first",
       i32,
       "1",
       "first column of the sub-unit",
       {},
       "",
       [](R r, std::size_t i) { return r.pathways[i].column_first; }},
      {"column_last",
       i32,
       "1",
       "last column of the sub-unit",
       {},
       "",
       [](R r, std::size_t i) { return r.pathways[i].column_last; }},
      {"position",
       f32,
       "px",
       "centre of the receptive field relative to the cell's",
       {},
       "",
       [](R r, std::size_t i) { return r.pathways[i].position_px; }},
      {"share",
       f32,
       "1",
       "part of the summed absolute attribution",
       {},
       "",
       [](R r, std::size_t i) { return r.pathways[i].share; }},
      {"mean_attribution",
       f32,
       "Hz",
       "mean attribution over all attributed frames",
       {},
       "",
       [](R r, std::size_t i) { return r.pathways[i].mean_attribution; }},
      {"polarity",
       i8,
       "1",
       "answers light or dark",
       {-1, 0, 1},
       "OFF mixed ON",
       [](R r, std::size_t i) { return r.pathways[i].polarity; }},
      {"sign",
       i8,
       "1",
       "sign of D = dF/dh",
       {-1, 0, 1},
       "inhibitory none excitatory",
       [](R r, std::size_t i) { return r.pathways[i].influence.sign; }},
      {"disinhibition",
       i8,
       "1",
       "inhibition that falls silent",
       {0, 1},
       "no yes",
       [](R r, std::size_t i) { return r.pathways[i].disinhibition() ? 1 : 0; }},
      {"disinhibition_share",
       f32,
       "1",
       "part of its absolute attribution with A > 0 and D < 0",
       {},
       "",
       [](R r, std::size_t i) { return r.pathways[i].influence.disinhibition_share; }},
      {"speed",
       i8,
       "1",
       "peak of the deciding lobe",
       {-1, 0, 1},
       "slow none fast",
       [](R r, std::size_t i) { return r.pathways[i].speed; }},
      {"lobe_time",
       f32,
       "ms",
       "lag at which the deciding lobe peaks",
       {},
       "",
       [](R r, std::size_t i) { return r.pathways[i].lobe_ms; }},
      {"weight",
       f32,
       "Hz",
       "weight of the reduced model, per unit of drive",
       {},
       "",
       [](R r, std::size_t i) { return r.model.weight[i]; }},
      {"threshold",
       f32,
       "1",
       "threshold of the reduced model: active where drive + threshold > 0",
       {},
       "",
       [](R r, std::size_t i) { return r.model.threshold[i]; }},
      {"start_weight", f32, "Hz", "weight the attribution gave", {}, "", [](R r, std::size_t i) { return r.start.weight[i]; }},
      {"start_threshold", f32, "1", "threshold of the network's own units", {}, "", [](R r, std::size_t i) {
         return r.start.threshold[i];
       }}};
  return figures;
}

const std::vector<Total>& totals() {
  using R = const Reduction&;
  static const std::vector<Total> all{
      {"constant", "Hz", "constant of the reduced model", [](R r) { return r.model.constant; }},
      {"start_constant", "Hz", "constant the attribution gave", [](R r) { return r.start.constant; }},
      {"share_kept", "1", "summed share of the kept pathways", [](R r) { return r.share_kept; }},
      {"r_start", "1", "Pearson r of the start with the network, all conditions", [](R r) { return r.start_score.r; }},
      {"r_fitted", "1", "Pearson r with the network, fitted conditions", [](R r) { return r.fitted.r; }},
      {"r_held_out", "1", "Pearson r with the network, held-out conditions", [](R r) { return r.held_out.r; }},
      {"fve_fitted", "1", "fraction of the network's variance explained, fitted conditions", [](R r) { return r.fitted.fve; }},
      {"fve_held_out", "1", "fraction of the network's variance explained, held-out conditions",
       [](R r) { return r.held_out.fve; }},
      {"fit_rms", "Hz", "root mean square difference from the network, fitted conditions", [](R r) { return r.fitted.rms; }}};
  return all;
}

}  // namespace amacrine::reduction
