// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/io/result_file.hpp"
#include "amacrine/model/parameters.hpp"
#include "support/compare.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

/// Networks and what PyTorch computes of them: the files of tests/reference.
namespace amacrine::training::pytorch {

struct Case {
  Case(const std::string& file_name, const std::string& group)
      : name(group),
        file(test::data_file(file_name), true),
        architecture(model::architecture_from_json(file.text_attribute("architecture", group))),
        layout(model::make_layout(architecture)) {}

  std::vector<double> values(const std::string& dataset) const { return file.read<double>(fmt::format("{}/{}", name, dataset)); }
  double number(const std::string& attribute) const { return file.attribute(attribute, name); }
  /// A tree of datasets as one flat block.
  std::vector<double> flat(const std::string& tree, const std::vector<model::ParameterEntry>& entries) const {
    std::vector<double> block;
    for (const model::ParameterEntry& entry : entries) {
      const auto piece = values(tree + "/" + entry.name);
      EXPECT_EQ(piece.size(), entry.size) << entry.name;
      block.insert(block.end(), piece.begin(), piece.end());
    }
    return block;
  }
  /// A bias in front of a batch norm has no true gradient: what is left is rounding.
  bool without_gradient(const model::ParameterEntry& entry) const {
    const bool hidden_bias = entry.name.starts_with("hidden") && entry.name.ends_with(".bias");
    return (hidden_bias && architecture.norm != model::Norm::none) || (entry.name == "readout.bias" && architecture.output_norm);
  }

  std::string name;
  io::Reader file;
  model::Architecture architecture;
  model::ParameterLayout layout;
};

template <class To, class From>
std::vector<To> cast(const std::vector<From>& values) {
  return {values.begin(), values.end()};
}

template <class S>
std::vector<S> piece(const std::vector<S>& block, const model::ParameterEntry& entry) {
  const auto first = block.begin() + static_cast<std::ptrdiff_t>(entry.offset);
  return {first, first + static_cast<std::ptrdiff_t>(entry.size)};
}

}  // namespace amacrine::training::pytorch
