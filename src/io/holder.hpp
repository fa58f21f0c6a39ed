// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>

/// The process that holds a lock: who it is, and whether it still lives.
namespace amacrine::io::detail {

/// Facts of a holder by name: id (of this lock), run, verb, study, host, machine, boot, pid_space, pid, started (clock ticks
/// since the boot), cluster, job, restart (of SLURM), since (UTC). A fact that is not known is empty or absent.
using Holder = std::map<std::string, std::string>;

std::string fact(const Holder& holder, const std::string& name);

/// This process, with the facts that need no lock.
Holder this_process();
/// "amacrine train (study.toml) on host a, pid 7, SLURM job 3, since 2026-01-01T00:00:00Z, run 0123456789abcdef"
std::string describe(const Holder& holder);

/// Why `holder` cannot be alive any more, as seen by the process `self`; empty where that cannot be proved. Without `asked` only
/// what needs no person's word: its process of this boot and this pid space is gone, or SLURM has requeued its job as this one.
/// With `asked` also: its host was started anew, or SLURM's accounting says that its job has ended.
std::string proof_of_end(const Holder& holder, const Holder& self, bool asked);

}  // namespace amacrine::io::detail
