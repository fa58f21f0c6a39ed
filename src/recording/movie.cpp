// SPDX-License-Identifier: Apache-2.0
#include "amacrine/recording/recording.hpp"

namespace amacrine::recording {

namespace {

template <class Query>
std::size_t ask(const StoredMovie& movie, Query query) {
  return std::visit(query, movie.pixels);
}

}  // namespace

std::size_t StoredMovie::frames() const {
  return ask(*this, [](const auto& movie) { return movie.extent(0); });
}
std::size_t StoredMovie::height() const {
  return ask(*this, [](const auto& movie) { return movie.extent(1); });
}
std::size_t StoredMovie::width() const {
  return ask(*this, [](const auto& movie) { return movie.extent(2); });
}
std::size_t StoredMovie::bytes() const {
  return ask(*this, [](const auto& movie) { return movie.size() * sizeof(*movie.data()); });
}

void StoredMovie::contrast(std::size_t frame, const ContrastCoding& coding, float* out) const {
  const auto zero = static_cast<float>(coding.zero), gain = static_cast<float>(1.0 / coding.unit);
  std::visit(
      [&](const auto& movie) {
        const auto* from = movie.row(frame).data();
        const std::size_t count = movie.extent(1) * movie.extent(2);
        for (std::size_t i = 0; i < count; ++i) out[i] = (static_cast<float>(from[i]) - zero) * gain;  // grey is exactly 0
      },
      pixels);
}

}  // namespace amacrine::recording
