#include "fettle/network/linalg/evbmf.h"

#include <gtest/gtest.h>

#include <tuple>

#include "fettle/core/random.h"
#include "fettle/network/linalg/decompositions.h"

namespace fettle {
namespace {

Matrix RandomMatrix(size_t rows, size_t columns, double deviation, Random* random) {
  Matrix matrix(rows, columns);
  for (double& value : matrix.values()) value = random->Normal(0, deviation);
  return matrix;
}

size_t RankSeen(size_t rows, size_t columns, size_t rank, double noise, uint64_t seed) {
  Random random(seed);
  Matrix sum = RandomMatrix(rows, columns, noise, &random);
  if (rank > 0) {
    const Matrix signal =
        Product(RandomMatrix(rows, rank, 1, &random), RandomMatrix(rank, columns, 1, &random));
    for (size_t i = 0; i < sum.values().size(); ++i) sum.values()[i] += signal.values()[i];
  }
  return EvbmfRank(SpectrumOf(sum), rows, columns);
}

TEST(EvbmfTest, FindsTheRankThroughNoise) {
  const std::tuple<size_t, size_t> extents[] = {{40, 40}, {30, 200}, {200, 30}, {64, 576}};
  for (const auto& [rows, columns] : extents) {
    for (const size_t rank : {1u, 3u, 8u, 12u}) {
      for (const double noise : {0.01, 0.1, 0.5}) {
        EXPECT_EQ(RankSeen(rows, columns, rank, noise, rank), rank)
            << rows << "x" << columns << " " << noise;
      }
    }
  }
}

TEST(EvbmfTest, SeesNothingInNoiseAloneAndAllWithoutNoise) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    EXPECT_LE(RankSeen(40, 100, 0, 1, seed), 1u);
    EXPECT_EQ(RankSeen(40, 100, 7, 0, seed), 7u);
  }
  const std::vector<double> zeros(5);
  EXPECT_EQ(EvbmfRank(zeros, 5, 9), 0u);
}

TEST(EvbmfTest, DoesNotDependOnScaleOrOrientation) {
  Random random(1);
  const Matrix noise = RandomMatrix(20, 50, 1, &random);
  std::vector<double> energies = SpectrumOf(noise);
  energies[0] *= 30;
  energies[1] *= 20;
  const size_t rank = EvbmfRank(energies, 20, 50);
  EXPECT_EQ(rank, 2u);
  EXPECT_EQ(EvbmfRank(energies, 50, 20), rank);
  for (double& energy : energies) energy *= 1e-8;
  EXPECT_EQ(EvbmfRank(energies, 20, 50), rank);
}

}  // namespace
}  // namespace fettle
