// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/model/architecture.hpp"
#include "amacrine/model/segment_shape.hpp"
#include "amacrine/parallel/communicator.hpp"

#include <map>
#include <string>

namespace amacrine::benchmark {

/// What a kernel has to do at least: arithmetic, and the bytes of its arrays read or written once.
struct Work {
  double flops = 0, bytes = 0;
  Work& operator+=(const Work& other) {
    flops += other.flops, bytes += other.bytes;
    return *this;
  }
};

/// Work of one float32 training step by launch label, for a network whose hidden layers are all spectral. A complex transform of
/// length n counts 5 n log2 n, a normal deviate 25.
std::map<std::string, Work> work_of_step(const model::Architecture& architecture, const parallel::Shards& segments,
                                         const model::SegmentShape& shape);

}  // namespace amacrine::benchmark
