#include "tests/network/variants/factor_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fettle/core/random.h"
#include "tests/network/random_network.h"

namespace fettle {

Matrix RandomMatrix(size_t rows, size_t columns, uint64_t seed) {
  Random random(seed);
  Matrix matrix(rows, columns);
  for (double& value : matrix.values()) value = random.Normal();
  return matrix;
}

Moments RandomMoments(size_t size, int64_t samples, uint64_t seed) {
  Matrix vectors = Product(RandomMatrix(static_cast<size_t>(samples), size, seed),
                           RandomMatrix(size, size, seed + 1));
  Moments moments{samples, std::vector<double>(size), {}};
  for (size_t s = 0; s < vectors.rows(); ++s) {
    for (size_t i = 0; i < size; ++i) {
      moments.mean[i] += vectors(s, i) / static_cast<double>(samples);
    }
  }
  for (size_t s = 0; s < vectors.rows(); ++s) {
    for (size_t i = 0; i < size; ++i) vectors(s, i) -= moments.mean[i];
  }
  Matrix covariance = TransposedProduct(vectors, vectors);
  for (double& value : covariance.values()) value /= static_cast<double>(samples);
  moments.covariance.assign(covariance.values().begin(), covariance.values().end());
  return moments;
}

double WorstDifference(const Graph& a, const Graph& b) {
  const std::vector<Array> inputs = RandomInputs(a, 1);
  const std::vector<Array> of_a = Interpret(a, inputs), of_b = Interpret(b, inputs);
  EXPECT_EQ(of_a.size(), of_b.size());
  double worst = 0, greatest = 1e-30;
  for (size_t i = 0; i < of_a.size(); ++i) {
    EXPECT_EQ(of_a[i].shape, of_b[i].shape);
    for (size_t k = 0; k < of_a[i].values.size(); ++k) {
      worst = std::max(worst, std::abs(of_a[i].values[k] - of_b[i].values[k]));
      greatest = std::max(greatest, std::abs(of_a[i].values[k]));
    }
  }
  return worst / greatest;
}

}  // namespace fettle
