#pragma once

#include <cstdint>

#include "fettle/network/calibration.h"
#include "fettle/network/linalg/matrix.h"

namespace fettle {

Matrix CovarianceOf(const Moments& moments);  // which must have one

// What to add to the weights of some features f = F x of a layer's input x so that they come as
// near as they can, in the mean square over its inputs, to what they miss of its outputs:
//     missed C F^T (F C F^T)^-1,    C the covariance of x over so many samples.
// `missed` is [outputs, inputs], the weights of x that are not reproduced; `seen` C F^T, [inputs,
// features]; `normal` F C F^T. The diagonal of the latter gets a ridge, for what little data cannot
// tell: its mean times 1e-6 + features / samples / 100. With any ridge the outputs are no further
// off than with nothing added.
Matrix LeastSquaresChange(const Matrix& missed, const Matrix& seen, Matrix normal, int64_t samples);

}  // namespace fettle
