// SPDX-License-Identifier: Apache-2.0
#include "attribution_rows.hpp"

#include <algorithm>
#include <numeric>

namespace amacrine::benchmark {
namespace {

using attribution::Block;
using attribution::Level;

/// Sums over groups of columns: (W, M, C, X) -> (W, M, C, groups).
void append_columns(const Block& block, std::size_t groups, std::vector<float>& out) {
  const std::vector<double>& values = block.attribution.values();
  const std::size_t span = block.width / groups;
  for (std::size_t first = 0; first < values.size(); first += span)
    out.push_back(static_cast<float>(std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(first),
                                                     values.begin() + static_cast<std::ptrdiff_t>(first + span), 0.0)));
}

void append(const Block& block, Level level, Rows& rows) {
  if (level == Level::unit) {
    rows.attribution.insert(rows.attribution.end(), block.unit_attribution.begin(), block.unit_attribution.end());
  } else if (level == Level::pixel) {
    rows.attribution.insert(rows.attribution.end(), block.pixels.begin(), block.pixels.end());
  } else {
    append_columns(block, level == Level::position ? block.width : 1, rows.attribution);
  }
  rows.windows += block.windows;
  rows.cells = block.cells;
  rows.entries = rows.attribution.size() / (rows.windows * rows.cells);
}

core::Array<float, 3> scaled(const core::Array<float, 3>& movie, double scale) {
  core::Array<float, 3> out = movie;
  for (float& value : out.values()) value = static_cast<float>(value * scale);
  return out;
}

}  // namespace

template <class S>
CaseAttributor<S>::CaseAttributor(const model::Model& model, const attribution::AttributionSettings& settings)
    : attributor_(core::Exec(), model::make_inference<S>(model), settings),
      cells_(model.cells.size()),
      block_(static_cast<std::size_t>(settings.block_windows)) {
  std::iota(cells_.begin(), cells_.end(), 0);
}

template <class S>
void CaseAttributor<S>::attribute(const Case& what, const core::Array<float, 3>& movie, const Stretch& stretch, Rows& rows) {
  attribution::BlockAttributor<S>& engine = attributor_.engine(what.symmetry, what.level);
  for (std::size_t done = 0; done < stretch.count; done += block_)
    append(engine.attribute(movie, stretch.first + done, std::min(block_, stretch.count - done), cells_, what.level), what.level,
           rows);
}

template <class S>
Rows CaseAttributor<S>::all(const Case& what) {
  const stimulus::Symmetry axes = attributor_.folded(what.symmetry, what.level);
  const core::Array<float, 3> movie = axes == stimulus::Symmetry::none ? what.movie : attribution::fold_movie(what.movie, axes);
  Rows rows;
  if (what.scales.size() == 1) {
    for (const Stretch& stretch : what.stretches) attribute(what, movie, stretch, rows);
    return rows;
  }
  attribution::BlockAttributor<S>& engine = attributor_.engine(what.symmetry, what.level);
  std::vector<Rows> by_scale(what.scales.size());
  for (const Stretch& stretch : what.stretches)
    for (std::size_t done = 0; done < stretch.count; done += block_) {
      const std::size_t count = std::min(block_, stretch.count - done);
      const auto& blocks = engine.attribute_ray(movie, what.scales, stretch.first + done, count, cells_, what.level);
      for (std::size_t i = 0; i < blocks.size(); ++i) append(blocks[i], what.level, by_scale[i]);
    }
  for (const Rows& part : by_scale) {
    rows.attribution.insert(rows.attribution.end(), part.attribution.begin(), part.attribution.end());
    rows.windows += part.windows;
    rows.cells = part.cells;
    rows.entries = part.entries;
  }
  return rows;
}

template <class S>
Rows CaseAttributor<S>::sample(const Case& what, bool ray) {
  Rows rows;
  const stimulus::Symmetry axes = attributor_.folded(what.symmetry, what.level);
  const std::size_t each = what.stretch_windows();
  for (std::size_t first = 0; first < what.sample.size();) {
    std::size_t count = 1;
    while (first + count < what.sample.size() && what.sample[first + count] == what.sample[first] + count) ++count;
    const std::size_t at = what.sample[first] / each;
    core::Array<float, 3> movie = ray ? what.movie : scaled(what.movie, what.scales[at]);
    if (axes != stimulus::Symmetry::none) movie = attribution::fold_movie(movie, axes);
    std::size_t rest = what.sample[first] % each, k = 0;
    while (rest >= what.stretches[k].count) rest -= what.stretches[k++].count;
    const Stretch stretch{what.stretches[k].first + rest, count};
    if (ray) {
      attribution::BlockAttributor<S>& engine = attributor_.engine(what.symmetry, what.level);
      append(engine.attribute_ray(movie, what.scales, stretch.first, count, cells_, what.level)[at], what.level, rows);
    } else {
      attribute(what, movie, stretch, rows);
    }
    first += count;
  }
  return rows;
}

template class CaseAttributor<float>;
template class CaseAttributor<double>;

}  // namespace amacrine::benchmark
