#include "fettle/core/cholesky.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

namespace fettle {

Cholesky::Cholesky(std::vector<double> a, size_t n) : l_(std::move(a)), n_(n) {
  assert(l_.size() == n * n);
  for (size_t i = 0; i < n; ++i) {
    double* const row = l_.data() + i * n;
    for (size_t j = 0; j <= i; ++j) {
      const double* const other = l_.data() + j * n;
      double sum = row[j];
      for (size_t k = 0; k < j; ++k) sum -= row[k] * other[k];
      row[j] = j < i ? sum / other[j] : std::sqrt(std::max(sum, 1e-300));
    }
  }
}

void Cholesky::Solve(std::span<double> b) const {
  assert(b.size() == n_);
  for (size_t i = 0; i < n_; ++i) {
    for (size_t k = 0; k < i; ++k) b[i] -= l_[i * n_ + k] * b[k];
    b[i] /= l_[i * n_ + i];
  }
  for (size_t i = n_; i-- > 0;) {
    b[i] /= l_[i * n_ + i];
    for (size_t k = 0; k < i; ++k) b[k] -= l_[i * n_ + k] * b[i];
  }
}

}  // namespace fettle
