#include "fettle/cost_models/measured_costs.h"

#include <gtest/gtest.h>

namespace fettle {
namespace {

LayerSpec Relu() {
  LayerSpec spec;
  spec.op = Activation{};
  spec.inputs = {{DType::kF32, {1, 8, 4, 4}}};
  spec.output = spec.inputs[0];
  return spec;
}

Implementation Ours() { return {"own.activation", 1, {Layout::kPlain}, Layout::kPlain, {}}; }

CostRecord RecordOf(MeasurementStatus status, std::vector<double> samples) {
  CostRecord record;
  record.task = {KeyOf(Relu()), Ours().name, 1, Ours().inputs, Ours().output, 1, CacheMode::kHot};
  record.measurement.status = status;
  record.measurement.latency_ms = MedianInterval(samples);
  record.measurement.samples_ms = std::move(samples);
  return record;
}

// On a busy machine there is often not the time for six samples; that forbids no implementation.
TEST(MeasuredCosts, FewSamplesAreAnEstimateAndNoneIsNothing) {
  MeasuredCosts costs;
  costs.Add(RecordOf(MeasurementStatus::kUnstable, {}));
  EXPECT_FALSE(costs.IsKnown(Relu(), Ours()));
  EXPECT_EQ(costs.Cost(Relu(), Ours())->origin, EstimateOrigin::kPredicted);
  costs.Add(RecordOf(MeasurementStatus::kUnstable, {3, 1, 2}));
  const Estimate estimate = costs.Cost(Relu(), Ours()).value();
  EXPECT_TRUE(costs.IsKnown(Relu(), Ours()));
  EXPECT_EQ(estimate.ms, 2);
  EXPECT_EQ(estimate.low, 1);
  EXPECT_EQ(estimate.high, 3);
  EXPECT_EQ(estimate.origin, EstimateOrigin::kMeasured);
}

TEST(MeasuredCosts, WhatIsWrongIsNeverChosen) {
  MeasuredCosts costs;
  costs.Add(RecordOf(MeasurementStatus::kWrongResult, {}));
  EXPECT_TRUE(costs.IsKnown(Relu(), Ours()));
  EXPECT_FALSE(costs.Cost(Relu(), Ours()));
}

}  // namespace
}  // namespace fettle
