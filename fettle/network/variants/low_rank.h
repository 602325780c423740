#pragma once

#include <cstddef>

#include "fettle/network/calibration.h"
#include "fettle/network/linalg/matrix.h"

namespace fettle {

// left right: a matrix of lower rank.
struct LowRank {
  Matrix left;   // m x rank, in orthonormal columns
  Matrix right;  // rank x p: left^T times the matrix
};

// The best for W [m,p]: of the least sum of squares of W - left right or, with the covariance C of
// the vectors it multiplies, of (W - left right) C^(1/2) (Zhang et al. 2015). Works on the smaller
// of the two sides. Columns beyond the rank of W (C^(1/2)) may be zero, with their rows. Asserts
// that rank is at most min(m, p).
LowRank LowRankOf(const Matrix& w, const Matrix* covariance, size_t rank);

// The covariance of `count` numbers from the first on, with a millionth of its mean diagonal added
// to the diagonal; the identity where all of it is 0.
Matrix CovarianceBlock(const Moments& moments, size_t first, size_t count);

}  // namespace fettle
