// SPDX-License-Identifier: Apache-2.0
#include "amacrine/parallel/environment.hpp"

#include <cstdlib>
#include <map>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace amacrine::parallel {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// rank_warning() of a job of `ranks` with these variables and no others of their kind.
std::string warning(int ranks, const std::map<std::string, std::string>& variables) {
  std::map<std::string, std::optional<std::string>> before;
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "SLURM_NTASKS"}) {
    const char* const old = std::getenv(name);
    before[name] = old == nullptr ? std::nullopt : std::optional<std::string>(old);
    unsetenv(name);
  }
  for (const auto& [name, value] : variables) setenv(name.c_str(), value.c_str(), 1);
  const std::string text = rank_warning(ranks);
  for (const auto& [name, old] : before) old ? setenv(name.c_str(), old->c_str(), 1) : unsetenv(name.c_str());
  return text;
}

TEST(RankWarning, TellsProcessesThatAreEachAJobOfTheirOwn) {
  EXPECT_THAT(warning(1, {{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}),
              HasSubstr("srun has started 8 processes"));
  EXPECT_THAT(warning(1, {{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "3"}}), IsEmpty()) << "the first speaks for all";
  // The advice: mpirun, or an srun that makes them one job.
  EXPECT_THAT(warning(1, {{"SLURM_STEP_NUM_TASKS", "2"}, {"OMPI_COMM_WORLD_SIZE", "1"}}), IsEmpty());
  EXPECT_THAT(warning(8, {{"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_PROCID", "0"}}), IsEmpty());
}

TEST(RankWarning, TellsTasksThatNobodyUses) {
  EXPECT_THAT(warning(1, {{"SLURM_NTASKS", "4"}}), HasSubstr("the job has 4 tasks"));
  EXPECT_THAT(warning(1, {{"SLURM_NTASKS", "4"}, {"OMPI_COMM_WORLD_SIZE", "1"}}), IsEmpty());
  EXPECT_THAT(warning(4, {{"SLURM_NTASKS", "4"}}), IsEmpty());
}

TEST(RankWarning, IsSilentElsewhere) {
  EXPECT_THAT(warning(1, {}), IsEmpty());
  EXPECT_THAT(warning(1, {{"SLURM_NTASKS", "1"}, {"SLURM_STEP_NUM_TASKS", "1"}, {"SLURM_PROCID", "0"}}), IsEmpty());
}

}  // namespace
}  // namespace amacrine::parallel
