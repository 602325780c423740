#pragma once

#include <cstdint>

#include "fettle/network/calibration.h"
#include "fettle/network/graph.h"
#include "fettle/network/linalg/matrix.h"

namespace fettle {

// Of standard normal numbers.
Matrix RandomMatrix(size_t rows, size_t columns, uint64_t seed);

// Those of so many correlated random vectors.
Moments RandomMoments(size_t size, int64_t samples, uint64_t seed);

// The greatest difference of any output, for random inputs, over the greatest output of `a`.
double WorstDifference(const Graph& a, const Graph& b);

}  // namespace fettle
