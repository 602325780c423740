#include "fettle/core/cholesky.h"

#include <gtest/gtest.h>

#include "fettle/core/random.h"

namespace fettle {
namespace {

TEST(CholeskyTest, SolvesWhatItWasMultipliedFrom) {
  Random random(4);
  for (const size_t n : {1, 2, 7, 40}) {
    std::vector<double> factor(n * n), a(n * n), x(n), b(n);
    for (double& value : factor) value = random.Uniform(-1, 1);
    for (double& value : x) value = random.Uniform(-1, 1);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        for (size_t k = 0; k < n; ++k) a[i * n + j] += factor[i * n + k] * factor[j * n + k];
      }
      a[i * n + i] += 0.1;
    }
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) b[i] += a[i * n + j] * x[j];
    }
    Cholesky(a, n).Solve(b);
    for (size_t i = 0; i < n; ++i) EXPECT_NEAR(b[i], x[i], 1e-9) << n << " " << i;
  }
}

TEST(CholeskyTest, ASingularMatrixGivesNumbers) {
  std::vector<double> b = {0, 0};
  Cholesky({1, 1, 1, 1}, 2).Solve(b);
  EXPECT_EQ(b, (std::vector<double>{0, 0}));
}

}  // namespace
}  // namespace fettle
