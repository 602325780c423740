#pragma once

#include <cstddef>

#include "fettle/network/calibration.h"
#include "fettle/network/linalg/matrix.h"

// A kernel [T, S * Dh * Dw] seen as a matrix by what a first factor reads and by what comes behind
// it. `inner` is the number of taps that are left to what comes behind: Dh * Dw for a 1x1 factor,
// Dw for a Dh x 1 one.

namespace fettle {

// [P * inner, T] as [P, T * inner]: what number p of the first factor's patch, through tap k of the
// rest, does to output t stands at (p, t * inner + k).
Matrix Unfolded(const Matrix& kernel, size_t inner);

// Back: [P, T * inner] to [T, P * inner].
Matrix Folded(const Matrix& unfolded, size_t inner);

// [P, P]: the covariance of the first factor's patch, the mean over the places that the rest sees.
Matrix MeanCovariance(const Moments& input, size_t inner);

// A kernel in coordinates in which the first factor's patches are about white: then the error of
// the kernel is about that of the layer's outputs.
struct Whitening {
  Matrix root;     // L [P, P] with L L^T the mean covariance
  Matrix inverse;  // of L

  Matrix Whitened(const Matrix& kernel, size_t inner) const;
};
Whitening WhiteningOf(const Moments& input, size_t inner);

// The best a b of that rank for an unfolded kernel: a^T [rank, P] are the first factor's weights, b
// [rank, T * inner] folds to the rest's. In the Frobenius norm or, with moments, for white
// differences between the places that the rest sees.
struct RankFactors {
  Matrix first;  // [rank, P]
  Matrix rest;   // [rank, T * inner]
};
RankFactors BestOfRank(const Matrix& unfolded, size_t rank, const Moments* input, size_t inner);

}  // namespace fettle
