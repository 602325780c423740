#pragma once

#include <cstdint>
#include <vector>

namespace fettle {

// Adds the products of all pairs of columns, X^T X, of a row-major matrix [rows, columns]. Computed
// in f32, summed up in f64.
void AddSecondMoments(const std::vector<float>& x, int64_t rows, int64_t columns,
                      std::vector<double>* sums);

}  // namespace fettle
