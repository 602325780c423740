#pragma once

#include <vector>

#include "fettle/network/linalg/matrix.h"

// By LAPACK. Each throws an Error (kBadInput) where a value is not finite, and kInternal where
// LAPACK does not converge.

namespace fettle {

struct EigenDecomposition {
  std::vector<double> values;  // descending
  Matrix vectors;              // n x n, in columns, orthonormal
};

// Of a symmetric matrix, a = V diag(values) V^T; of it the lower triangle is looked at.
EigenDecomposition SymmetricEigen(Matrix a);
std::vector<double> SymmetricEigenvalues(Matrix a);  // descending; without vectors, faster

struct SingularDecomposition {
  Matrix left;                 // m x k, in columns, orthonormal; k = min(m, n)
  std::vector<double> values;  // k of them, descending
  Matrix right_transposed;     // k x n, in rows
};

// a = left diag(values) right_transposed.
SingularDecomposition Svd(Matrix a);

// The squares of a matrix's singular values, descending: by the eigenvalues of the smaller of
// a a^T and a^T a.
std::vector<double> SpectrumOf(const Matrix& a);

// X of a X = b for a symmetric positive definite a. Where a is not (rounding, few samples), ever
// more of its mean diagonal is added to its diagonal until it is.
Matrix SolvePositive(const Matrix& a, Matrix b);

}  // namespace fettle
