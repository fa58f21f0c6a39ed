// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"

#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace amacrine::attribution {

/// A variable of float32 is the same in two files, bit by bit.
inline void expect_same_bits(const io::Reader& a, const io::Reader& b, const std::string& variable) {
  const std::vector<float> x = a.read<float>(variable), y = b.read<float>(variable);
  ASSERT_EQ(x.size(), y.size()) << variable;
  EXPECT_EQ(std::memcmp(x.data(), y.data(), x.size() * sizeof(float)), 0) << variable;
}

}  // namespace amacrine::attribution
