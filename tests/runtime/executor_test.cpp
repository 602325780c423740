#include "fettle/runtime/executor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "fettle/runtime/default_choices.h"
#include "tests/runtime/small_graphs.h"

namespace fettle {
namespace {

class ExecutorTest : public testing::Test {
 protected:
  Plan DefaultPlan(const LayerGraph& graph, DType precision = DType::kF32) const {
    return fettle::DefaultPlan(graph, precision, primitives_, target_);
  }
  std::vector<Tensor> Run(const LayerGraph& graph, const std::vector<Tensor>& inputs,
                          DType precision = DType::kF32) const {
    return Executor(DefaultPlan(graph, precision), primitives_, target_).Run(inputs);
  }

  const PrimitiveList primitives_ = PrimitiveList::All();
  const Target target_ = HostTarget(2);
};

Tensor Values(const Shape& shape, std::vector<float> values) {
  return Tensor::Of<float>(DType::kF32, shape, values);
}

// Everything by the reference primitive, in plain layout.
std::vector<LayerChoice> ReferenceChoices(const LayerGraph& graph, const PrimitiveList& primitives,
                                          const Target& target) {
  std::vector<LayerChoice> choices;
  for (const Layer& layer : graph.layers) {
    choices.push_back(
        {DType::kF32, primitives.reference().Implementations(layer.spec, target).front()});
  }
  return choices;
}

TEST_F(ExecutorTest, ComputesAResidualBlockAsTheReferenceDoes) {
  Random random(1);
  const LayerGraph graph = ResidualBlock(3);
  const Tensor x = RandomTensor({DType::kF32, {1, 3, 8, 8}}, &random);
  const Plan slow = BuildPlan(graph, ReferenceChoices(graph, primitives_, target_),
                              FirstReorder(primitives_, target_), 1);
  const std::vector<Tensor> expected = Executor(slow, primitives_, target_).Run({x});
  const std::vector<Tensor> actual = Run(graph, {x});
  const std::vector<Tensor> rounded = Run(graph, {x}, DType::kBF16);
  for (size_t i = 0; i < expected[0].values<float>().size(); ++i) {
    EXPECT_NEAR(actual[0].values<float>()[i], expected[0].values<float>()[i], 1e-4);
    EXPECT_NEAR(rounded[0].values<float>()[i], expected[0].values<float>()[i], 0.1);
  }
}

TEST_F(ExecutorTest, RunsAgainWithOtherInputs) {
  LayerGraph graph;
  const TensorId x = AddTensor(&graph, "x", {DType::kF32, {1, 3}});
  graph.inputs = {x};
  graph.outputs = {AddLayer(&graph, "relu", Activation{}, {x})};
  Executor executor(DefaultPlan(graph), primitives_, target_);
  EXPECT_EQ(executor.Run({Values({1, 3}, {-1, 2, 0})})[0], Values({1, 3}, {0, 2, 0}));
  EXPECT_EQ(executor.Run({Values({1, 3}, {5, -2, 1})})[0], Values({1, 3}, {5, 0, 1}));
}

TEST_F(ExecutorTest, OutputsMayBeInputsConstantsAndTheSameTensorTwice) {
  LayerGraph graph;
  const TensorId x = AddTensor(&graph, "x", {DType::kF32, {1, 2}});
  const TensorId constant = AddTensor(&graph, "c", {DType::kF32, {1, 2}});
  graph.tensors.back().constant = std::make_shared<Tensor>(Values({1, 2}, {-7, 8}));
  graph.inputs = {x};
  const TensorId once = AddLayer(&graph, "once", Activation{}, {constant});
  const TensorId sum = AddLayer(&graph, "sum", Binary{BinaryKind::kAdd}, {x, once});
  const TensorId relu = AddLayer(&graph, "relu", Activation{}, {sum});
  graph.outputs = {x, constant, sum, sum, relu, once};
  Executor executor(DefaultPlan(graph), primitives_, target_);
  for (int round = 0; round < 2; ++round) {
    const std::vector<Tensor> outputs = executor.Run({Values({1, 2}, {-1, -9})});
    EXPECT_EQ(outputs[0], Values({1, 2}, {-1, -9}));
    EXPECT_EQ(outputs[1], Values({1, 2}, {-7, 8}));
    EXPECT_EQ(outputs[2], Values({1, 2}, {-1, -1}));
    EXPECT_EQ(outputs[3], outputs[2]);
    EXPECT_EQ(outputs[4], Values({1, 2}, {0, 0}));
    EXPECT_EQ(outputs[5], Values({1, 2}, {0, 8}));
  }
}

TEST_F(ExecutorTest, RefusesInputsThatDoNotFit) {
  Executor executor(DefaultPlan(ResidualBlock(1)), primitives_, target_);
  const auto message = [&](const std::vector<Tensor>& inputs) -> std::string {
    try {
      executor.Run(inputs);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message({}), "the model has 1 inputs, 0 were given");
  EXPECT_EQ(message({Values({1, 2}, {1, 2})}), "input 'x' is f32[1x3x8x8], not f32[1x2]");
}

TEST_F(ExecutorTest, RefusesPrimitivesThatAreNotThere) {
  Plan plan = DefaultPlan(ResidualBlock(1));
  plan.steps[0].implementation.name = "magic.conv:fast";
  EXPECT_THROW(Executor(plan, primitives_, target_), Error);
  plan = DefaultPlan(ResidualBlock(1));
  plan.steps[0].implementation.version += 1;
  EXPECT_THROW(Executor(plan, primitives_, target_), Error);
}

TEST_F(ExecutorTest, CountsMemory) {
  Executor executor(DefaultPlan(ResidualBlock(1)), primitives_, target_);
  EXPECT_EQ(executor.memory().inputs_outputs, 4 * (3 * 64 + 9));
  EXPECT_GE(executor.memory().arena, 4 * 2 * 9 * 64);
}

TEST_F(ExecutorTest, HoldsNoWeightTwice) {
  Plan plan = DefaultPlan(ResidualBlock(1));
  const std::weak_ptr<const Tensor> weight = plan.steps.at(0).weights.at(0);
  const Executor executor(std::move(plan), primitives_, target_);
  EXPECT_TRUE(weight.expired());
}

}  // namespace
}  // namespace fettle
