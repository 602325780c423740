#pragma once

#include <functional>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/variants/factor.h"

// The other half of RefitLast: a row of factors fitted to the layer's inputs from its front.

namespace fettle {

// Better weights for the first of at least two factors for inputs of that covariance C, given those
// behind it: so many steps of preconditioned conjugate gradients on the equations of least squares,
// which couple all of its weights (with H the rest's kernel by taps j, k, and V the weights:
// sum H_j^T H_k V C_kj). No step raises the error.
void RefitFirst(const Matrix& kernel, const Moments& input, int steps,
                std::vector<Factor>* factors);

// How many such steps a layer of that kernel is worth in all: each is a product with C.
int StepsToAfford(const Matrix& kernel);
inline constexpr int kStepsARound = 8;

// Both in turn, from factors of which the last is refitted, until a round gains no more than a
// share of 1e-4 or the steps are used up. Never makes the error greater. A round whose factors are
// not to be taken, where somebody asks, is the end too.
void RefitInTurn(const Matrix& kernel, const Moments& input, std::vector<Factor>* factors,
                 const std::function<bool(const std::vector<Factor>&)>& may_take = {});

// Refits the last of both rows and keeps that with the smaller error.
void KeepBetter(const Matrix& kernel, const Moments& input, std::vector<Factor> other,
                std::vector<Factor>* factors);

}  // namespace fettle
