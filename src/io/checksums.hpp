// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/parallel/communicator.hpp"
#include "checksum_table.hpp"

#include <string>
#include <vector>

namespace amacrine::io::detail {

/// Collective: adds a table of checksums to a file that HDF5 has closed for good; every rank reads a share of the blocks, and the
/// bytes do not depend on the number of ranks. `values` (of rank 0) are the bytes in which values of variables lie.
void add_checksums(const parallel::Communicator& communicator, const std::string& path, const std::vector<ByteRange>& values);

}  // namespace amacrine::io::detail
