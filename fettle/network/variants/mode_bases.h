#pragma once

#include <cstddef>

#include "fettle/network/calibration.h"
#include "fettle/network/linalg/matrix.h"

namespace fettle {

// A kernel W [T, S * taps] with its outputs in a basis of R and its inputs in one of Q:
// W(t,s,tap) ~ sum_r sum_q last(t,r) core(r,q,tap) first(q,s).
struct TwoModes {
  Matrix last;   // T x R
  Matrix core;   // R x (Q * taps), input by input
  Matrix first;  // Q x S
};

// By the truncated higher-order SVD, one mode after the other (De Lathauwer et al. 2000,
// Vannieuwenhoven et al. 2012): the outputs' basis from the kernel, the inputs' from what is left
// of it. With moments of the patches, each in the metric of its covariance: for the outputs the
// whole one, for the inputs that of a channel with another at the same tap, the mean of all taps.
TwoModes ProjectModes(const Matrix& kernel, size_t taps, const Moments* input, size_t outputs,
                      size_t inputs);

// core with first behind it, [R, S * taps]: what `last` reads of the layer's input.
Matrix FeaturesOf(const TwoModes& modes, size_t taps);

}  // namespace fettle
