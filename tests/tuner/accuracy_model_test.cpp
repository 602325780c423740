#include "fettle/tuner/accuracy_model.h"

#include <gtest/gtest.h>

#include "fettle/core/random.h"

namespace fettle {
namespace {

using Sample = AccuracyModel::Sample;

// Drops of these weights, with noise.
std::vector<Sample> Samples(const std::vector<double>& weights, size_t count, double noise) {
  Random random(5);
  std::vector<Sample> samples;
  for (size_t i = 0; i < count; ++i) {
    Sample sample;
    for (const double weight : weights) {
      sample.contributions.push_back(random.Uniform());
      sample.drop += weight * sample.contributions.back();
    }
    sample.drop += noise * random.Normal();
    samples.push_back(sample);
  }
  return samples;
}

TEST(AccuracyModelTest, NothingIsKnownWithoutSamples) {
  EXPECT_FALSE(AccuracyModel({}).is_known());
  EXPECT_EQ(AccuracyModel({}).RelativeWeight(3), 1);
  EXPECT_FALSE(AccuracyModel({{{0, 0}, 1}}).is_known());
  // What gains accuracy is no reason to expect more of it.
  EXPECT_FALSE(AccuracyModel({{{1, 1}, -1}}).is_known());
}

TEST(AccuracyModelTest, OneSampleGivesTheScale) {
  const AccuracyModel model({{{1, 3}, 2}});
  ASSERT_TRUE(model.is_known());
  EXPECT_DOUBLE_EQ(model.Drop({1, 1}), 1);
  EXPECT_DOUBLE_EQ(model.RelativeWeight(0), 1);
}

TEST(AccuracyModelTest, FindsTheWeightsThatManySamplesHave) {
  const std::vector<double> weights = {0.5, 2, 4, 1};
  const AccuracyModel model(Samples(weights, 200, 0));
  const double mean = model.Drop({1, 1, 1, 1}) / 4;
  EXPECT_NEAR(mean, 7.5 / 4, 0.01);
  for (size_t d = 0; d < weights.size(); ++d) {
    std::vector<double> single(4);
    single[d] = 1;
    EXPECT_NEAR(model.Drop(single), weights[d], 0.02) << d;
  }
  EXPECT_GT(model.RelativeWeight(2), model.RelativeWeight(0));
}

TEST(AccuracyModelTest, NoiseOfAFewSamplesDoesNotTellDecisionsApart) {
  // Of 20 decisions all alike, 6 samples say nothing: predictions of new ones are as good as those
  // of the slope alone, within a little.
  const std::vector<double> weights(20, 1);
  const AccuracyModel model(Samples(weights, 6, 0.5));
  double error = 0;
  for (const Sample& sample : Samples(weights, 100, 0)) {
    error = std::max(error, std::abs(model.Drop(sample.contributions) - sample.drop));
  }
  EXPECT_LT(error, 2);  // of drops about 10
}

TEST(AccuracyModelTest, WeightsAreNeverNegative) {
  const AccuracyModel model(Samples({3, -2, 1}, 50, 0));
  EXPECT_EQ(model.RelativeWeight(1), 0);
  EXPECT_GE(model.Drop({0, 1, 0}), 0);
}

}  // namespace
}  // namespace fettle
