// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "amacrine/core/eigen_settings.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
