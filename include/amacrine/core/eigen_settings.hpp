// SPDX-License-Identifier: Apache-2.0
#pragma once

// Included before Eigen. The matrices here are small: without explicit vectors Eigen sums in one order on every machine, and GCC
// 12 does not warn about uninitialised registers inside its own AVX-512 header.
#ifndef EIGEN_DONT_VECTORIZE
#define EIGEN_DONT_VECTORIZE
#endif
// Eigen's blocking of products depends on the number of threads, and with it the order of sums.
#ifndef EIGEN_DONT_PARALLELIZE
#define EIGEN_DONT_PARALLELIZE
#endif
