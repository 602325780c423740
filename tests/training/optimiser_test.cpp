#include "fettle/training/trainer/optimiser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fault.h"

namespace fettle {
namespace {

Tensor One(float value) { return Tensor::Of<float>(DType::kF32, {1}, std::vector<float>{value}); }

float ValueOf(const Parameter& parameter) { return parameter.values.values<float>()[0]; }

TEST(OptimiserTest, TwoStepsByHand) {
  TrainSettings settings;
  settings.momentum = 0.5;
  settings.weight_decay = 0.1;
  settings.average_momentum = 0.25;
  std::vector<Parameter> parameters{{"weight", ParameterKind::kWeight, One(1)},
                                    {"bias", ParameterKind::kScale, One(1)},
                                    {"mean", ParameterKind::kEstimated, One(1)}};
  Optimiser optimiser(settings, parameters);
  std::vector<Tensor> gradients;
  for (const float value : {0.3f, 0.3f, 5.0f}) gradients.push_back(One(value));
  optimiser.Step(0.1, gradients, &parameters);
  // slope 0.4, velocity 0.4; without decay 0.3 and 0.3; a quarter of the way from 1 to 5.
  EXPECT_FLOAT_EQ(ValueOf(parameters[0]), 1 - 0.1f * (0.4f + 0.5f * 0.4f));
  EXPECT_FLOAT_EQ(ValueOf(parameters[1]), 1 - 0.1f * (0.3f + 0.5f * 0.3f));
  EXPECT_FLOAT_EQ(ValueOf(parameters[2]), 2);
  const float weight = ValueOf(parameters[0]);
  optimiser.Step(0.2, gradients, &parameters);
  const float slope = 0.3f + 0.1f * weight, velocity = 0.5f * 0.4f + slope;
  EXPECT_FLOAT_EQ(ValueOf(parameters[0]), weight - 0.2f * (slope + 0.5f * velocity));
}

TEST(LearningRateTest, RisesThenFalls) {
  TrainSettings settings;
  settings.learning_rate = 1;
  EXPECT_DOUBLE_EQ(LearningRate(settings, 0, 13, 3), 0.25);
  EXPECT_DOUBLE_EQ(LearningRate(settings, 2, 13, 3), 0.75);
  EXPECT_DOUBLE_EQ(LearningRate(settings, 3, 13, 3), 1);
  EXPECT_NEAR(LearningRate(settings, 8, 13, 3), 0.5, 1e-12);
  EXPECT_GT(LearningRate(settings, 12, 13, 3), 0);
  EXPECT_LT(LearningRate(settings, 12, 13, 3), 0.03);
}

TEST(TrainSettingsTest, RefusesNonsenseByName) {
  const auto fault_of = [](auto change) {
    TrainSettings settings;
    change(&settings);
    return FaultOf([&] { CheckSettings(settings); }, ErrorKind::kUsage);
  };
  using testing::HasSubstr;
  EXPECT_EQ(fault_of([](TrainSettings*) {}), "none");
  EXPECT_THAT(fault_of([](auto* s) { s->epochs = 0; }), HasSubstr("epochs is 0"));
  EXPECT_THAT(fault_of([](auto* s) { s->batch = 0; }), HasSubstr("batch"));
  EXPECT_THAT(fault_of([](auto* s) { s->batch = 5; }), HasSubstr("shards"));
  EXPECT_THAT(fault_of([](auto* s) { s->learning_rate = -1; }), HasSubstr("learning rate"));
  EXPECT_THAT(fault_of([](auto* s) { s->momentum = 1; }), HasSubstr("momentum"));
  EXPECT_THAT(fault_of([](auto* s) { s->weight_decay = -1; }), HasSubstr("weight decay"));
  EXPECT_THAT(fault_of([](auto* s) { s->label_smoothing = 1; }), HasSubstr("label smoothing"));
  EXPECT_THAT(fault_of([](auto* s) { s->augmentation.shift = -1; }), HasSubstr("shift"));
  EXPECT_THAT(fault_of([](auto* s) { s->augmentation.erase_probability = 2; }), HasSubstr("erase"));
  EXPECT_THAT(fault_of([](auto* s) { s->dtype = DType::kI8; }), HasSubstr("i8"));
}

}  // namespace
}  // namespace fettle
