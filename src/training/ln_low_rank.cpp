// SPDX-License-Identifier: Apache-2.0
#include "ln_low_rank.hpp"

namespace amacrine::training {
namespace {

using Eigen::Index;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int turns = 6;

/// The filter as time (functions, rank) times space (sites, rank)', and the constant.
struct Factors {
  Matrix time, space;
  double constant = 0;
};

Factors factors_of(const Vector& x, Index sites, Index rank) {
  const Index functions = (x.size() - 1) / sites;
  const Eigen::Map<const RowMajor> filter(x.data(), functions, sites);
  const Eigen::JacobiSVD<Matrix> svd(filter, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return {svd.matrixU().leftCols(rank), svd.matrixV().leftCols(rank) * svd.singularValues().head(rank).asDiagonal(),
          x[x.size() - 1]};
}

/// The space and the constant that are best with the time given.
void fit_space(const Matrix& system, const Vector& right, Factors& f) {
  const Index sites = f.space.rows(), rank = f.space.cols(), functions = f.time.rows(), last = functions * sites;
  Matrix reduced = Matrix::Zero(rank * sites + 1, rank * sites + 1);
  Vector target = Vector::Zero(rank * sites + 1);
  for (Index r = 0; r < rank; ++r)
    for (Index k = 0; k < functions; ++k) {
      target.segment(r * sites, sites) += f.time(k, r) * right.segment(k * sites, sites);
      reduced.block(r * sites, rank * sites, sites, 1) += f.time(k, r) * system.block(k * sites, last, sites, 1);
      for (Index s = 0; s < rank; ++s)
        for (Index l = 0; l < functions; ++l)
          reduced.block(r * sites, s * sites, sites, sites) +=
              f.time(k, r) * f.time(l, s) * system.block(k * sites, l * sites, sites, sites);
    }
  reduced.row(rank * sites).head(rank * sites) = reduced.col(rank * sites).head(rank * sites).transpose();
  reduced(rank * sites, rank * sites) = system(last, last), target[rank * sites] = right[last];
  const Vector found = reduced.ldlt().solve(target);
  for (Index r = 0; r < rank; ++r) f.space.col(r) = found.segment(r * sites, sites);
  f.constant = found[rank * sites];
}

/// The time and the constant that are best with the space given.
void fit_time(const Matrix& system, const Vector& right, Factors& f) {
  const Index sites = f.space.rows(), rank = f.space.cols(), functions = f.time.rows(), last = functions * sites;
  Matrix reduced = Matrix::Zero(rank * functions + 1, rank * functions + 1);
  Vector target = Vector::Zero(rank * functions + 1);
  for (Index r = 0; r < rank; ++r)
    for (Index k = 0; k < functions; ++k) {
      const Index row = r * functions + k;
      target[row] = f.space.col(r).dot(right.segment(k * sites, sites));
      reduced(row, rank * functions) = f.space.col(r).dot(system.block(k * sites, last, sites, 1).col(0));
      reduced(rank * functions, row) = reduced(row, rank * functions);
      for (Index l = 0; l < functions; ++l) {
        const Vector seen = system.block(k * sites, l * sites, sites, sites).transpose() * f.space.col(r);
        for (Index s = 0; s < rank; ++s) reduced(row, s * functions + l) = seen.dot(f.space.col(s));
      }
    }
  reduced(rank * functions, rank * functions) = system(last, last), target[rank * functions] = right[last];
  const Vector found = reduced.ldlt().solve(target);
  for (Index r = 0; r < rank; ++r) f.time.col(r) = found.segment(r * functions, functions);
  f.constant = found[rank * functions];
}

}  // namespace

Vector low_rank_minimum(const Matrix& system, const Vector& right, const Vector& start, Index sites, Index rank) {
  Factors f = factors_of(start, sites, rank);
  for (int turn = 0; turn < turns; ++turn) {
    fit_space(system, right, f);
    fit_time(system, right, f);
  }
  Vector x(start.size());
  Eigen::Map<RowMajor>(x.data(), f.time.rows(), sites) = f.time * f.space.transpose();
  x[x.size() - 1] = f.constant;
  return x;
}

}  // namespace amacrine::training
