#include "fettle/cost_models/network_costs.h"

#include <gtest/gtest.h>

namespace fettle {
namespace {

LayerSpec ReluOf(int64_t channels) {
  const TensorType type{DType::kF32, {1, channels, 4, 4}};
  return {Activation{}, {type}, {}, type, false, std::nullopt, 1};
}

Implementation Way(const std::string& name) {
  return {name, 1, {Layout::kPlain}, Layout::kPlain, std::nullopt};
}

// A millisecond for whatever is not called "broken".
class OneMillisecond : public LayerCosts {
 public:
  std::optional<Estimate> Cost(const LayerSpec&, const Implementation& way) const override {
    if (way.name == "broken") return std::nullopt;
    return Estimate{1, 0.9, 1.1, EstimateOrigin::kMeasured};
  }
  std::optional<int64_t> WorkspaceBytes(const LayerSpec&, const Implementation&) const override {
    return 77;
  }
};

TEST(NetworkCostsTest, AreTheIsolatedOnesUntilSomethingIsSeen) {
  const OneMillisecond isolated;
  const NetworkCosts costs(isolated);
  EXPECT_DOUBLE_EQ(costs.Cost(ReluOf(1), Way("a"))->ms, 1);
  EXPECT_FALSE(costs.Cost(ReluOf(1), Way("broken")));
  EXPECT_EQ(costs.WorkspaceBytes(ReluOf(1), Way("a")), 77);
}

TEST(NetworkCostsTest, WhatWasSeenCostsTheMedianOfWhatItTook) {
  const OneMillisecond isolated;
  NetworkCosts costs(isolated);
  for (const double ms : {1.5, 9.0, 1.3}) costs.Learn(ReluOf(1), Way("a"), ms);
  const auto estimate = costs.Cost(ReluOf(1), Way("a"));
  EXPECT_DOUBLE_EQ(estimate->ms, 1.5);
  EXPECT_DOUBLE_EQ(estimate->low, 0.9 * 1.5);
  EXPECT_DOUBLE_EQ(estimate->high, 1.1 * 1.5);
}

TEST(NetworkCostsTest, AnImplementationsFactorCarriesOverToOtherLayers) {
  const OneMillisecond isolated;
  NetworkCosts costs(isolated);
  for (int64_t channels = 1; channels <= 30; ++channels) {
    costs.Learn(ReluOf(channels), Way("slower"), 2);
    costs.Learn(ReluOf(channels), Way("same"), 1);
  }
  EXPECT_NEAR(costs.FactorOf("slower"), 2, 0.15);
  EXPECT_NEAR(costs.FactorOf("same"), 1, 0.08);
  EXPECT_NEAR(costs.Cost(ReluOf(99), Way("slower"))->ms, 2, 0.15);
}

// Or what has been seen, and found slower than alone, would lose to whatever has not been seen yet.
TEST(NetworkCostsTest, WhatWasNeverSeenIsBelievedToBeAsTheOthers) {
  const OneMillisecond isolated;
  NetworkCosts costs(isolated);
  for (int64_t channels = 1; channels <= 30; ++channels) {
    costs.Learn(ReluOf(channels), Way("seen"), 1.4);
  }
  EXPECT_NEAR(costs.FactorOf("never seen"), 1.4, 0.06);
}

TEST(NetworkCostsTest, AFewObservationsMoveLittleAndADisturbedOneIsBounded) {
  const OneMillisecond isolated;
  NetworkCosts costs(isolated);
  costs.Learn(ReluOf(1), Way("once"), 100);
  EXPECT_GT(costs.FactorOf("once"), 1);
  EXPECT_LT(costs.FactorOf("once"), 2);
  costs.Learn(ReluOf(1), Way("broken"), 5);
  EXPECT_FALSE(costs.Cost(ReluOf(1), Way("broken")));
}

}  // namespace
}  // namespace fettle
