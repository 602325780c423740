#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace fettle {

// Solves a x = b for a symmetric positive definite a by Cholesky's decomposition a = l l^T.
class Cholesky {
 public:
  // `a`: n x n, row-major; of it the lower triangle is looked at. A pivot that rounding has made
  // negative counts as tiny.
  Cholesky(std::vector<double> a, size_t n);

  // In place: b becomes x. Asserts n numbers.
  void Solve(std::span<double> b) const;

 private:
  std::vector<double> l_;
  size_t n_;
};

}  // namespace fettle
