#include "fettle/tuner/fusion_choice.h"

#include <gtest/gtest.h>

#include <map>

#include "fettle/core/error.h"
#include "fettle/deploy/fuse_inverted_residual.h"
#include "tests/runtime/small_graphs.h"

namespace fettle {
namespace {

// Every layer takes 1 ms, reorders nothing; composites what is said, by the channels between.
class SaidCosts : public LayerCosts {
 public:
  explicit SaidCosts(std::map<int64_t, double> composites) : composites_(std::move(composites)) {}

  std::optional<Estimate> Cost(const LayerSpec& spec, const Implementation&) const override {
    double ms = std::holds_alternative<Reorder>(spec.op) ? 0 : 1;
    EstimateOrigin origin = EstimateOrigin::kMeasured;
    if (const auto* block = std::get_if<InvertedResidual>(&spec.op)) {
      const auto said = composites_.find(spec.weights[0].shape[0]);
      // As if none without an expansion had been measured.
      if (said == composites_.end() || !block->expands) origin = EstimateOrigin::kPredicted;
      ms = said == composites_.end() ? 0.1 : said->second;
    }
    return Estimate{ms, ms, ms, origin};
  }

 private:
  std::map<int64_t, double> composites_;
};

// Two blocks, with 20 and 24 channels between.
LayerGraph TwoBlocks() {
  Random random(1);
  LayerGraph graph;
  TensorId x = AddTensor(&graph, "x", {DType::kF32, {1, 8, 6, 6}});
  graph.inputs = {x};
  const auto conv = [&](const std::string& name, int64_t to, int64_t from, int64_t kernel) {
    const int64_t groups = kernel == 1 ? 1 : from;
    std::vector<Tensor> weights;
    weights.push_back(RandomTensor({DType::kF32, {to, from / groups, kernel, kernel}}, &random));
    x = AddLayer(&graph, name, Conv{Square(kernel, kernel / 2), groups}, {x}, std::move(weights));
  };
  for (const int64_t channels : {20, 24}) {
    const std::string name = Text("block", channels);
    conv(name + ".expand", channels, 8, 1);
    conv(name + ".filter", channels, channels, 3);
    conv(name + ".project", 8, channels, 1);
  }
  graph.outputs = {x};
  return graph;
}

class FusionChoiceTest : public testing::Test {
 protected:
  FusedNetwork Choose(std::map<int64_t, double> composites) {
    const LayerGraph graph = TwoBlocks();
    const std::vector<std::vector<DType>> precisions(graph.layers.size(), {DType::kF32});
    return FuseWhereItPays(graph, precisions, &catalog_, SaidCosts(std::move(composites)));
  }

  const PrimitiveList primitives_ = PrimitiveList::All();
  const Target target_ = HostTarget(1);
  ImplementationCatalog catalog_{primitives_, target_};
};

TEST_F(FusionChoiceTest, FusesExactlyWhatIsFasterFused) {
  EXPECT_EQ(Choose({{20, 3.5}, {24, 3.5}}).blocks, 0);
  EXPECT_EQ(Choose({{20, 2.5}, {24, 2.5}}).blocks, 2);
  const FusedNetwork one = Choose({{20, 3.5}, {24, 2.5}});
  EXPECT_EQ(one.blocks, 1);
  EXPECT_NEAR(one.predicted_ms, 3 + 2.5, 1e-9);
  ASSERT_EQ(one.graph.layers.size(), 4u);
  EXPECT_EQ(one.precisions.size(), 4u);
  EXPECT_EQ(one.graph.layers[3].name, "block24.project");
}

TEST_F(FusionChoiceTest, WhatWasNotMeasuredIsNotFused) {
  EXPECT_EQ(Choose({}).blocks, 0);
  EXPECT_EQ(Choose({{20, 0.5}}).blocks, 1);
}

TEST_F(FusionChoiceTest, PartsMustAgreeInPrecision) {
  const LayerGraph graph = TwoBlocks();
  std::vector<std::vector<DType>> precisions(graph.layers.size(), {DType::kF32});
  precisions[1] = {DType::kBF16};  // of the first block's filters
  precisions[3] = precisions[4] = precisions[5] = {DType::kBF16};
  const FusedNetwork fused =
      FuseWhereItPays(graph, precisions, &catalog_, SaidCosts({{20, 0.5}, {24, 0.5}}));
  EXPECT_EQ(fused.blocks, 1);
  EXPECT_EQ(fused.precisions.back(), std::vector{DType::kBF16});
}

TEST_F(FusionChoiceTest, CompositesAreListedOnce) {
  const LayerGraph graph = TwoBlocks();
  EXPECT_EQ(CompositesOf(graph, {DType::kF32}, &catalog_).size(), 4u);
  EXPECT_EQ(CompositesOf(graph, {DType::kF32, DType::kBF16}, &catalog_).size(), 8u);
  ImplementationCatalog others(primitives_, target_, "onednn");
  EXPECT_TRUE(CompositesOf(graph, {DType::kF32}, &others).empty());
}

TEST_F(FusionChoiceTest, AStepTellsItsLayers) {
  const LayerGraph graph = TwoBlocks();
  const Layer composite = CompositeOf(graph, {0, 1, 2});
  PlanStep step;
  step.layer = composite.name;
  step.spec = composite.spec;
  EXPECT_EQ(LayersOfStep(graph, step),
            (std::vector<std::string>{"block20.expand", "block20.filter", "block20.project"}));
  step.spec = CompositeOf(graph, {std::nullopt, 1, 2}).spec;
  EXPECT_EQ(LayersOfStep(graph, step),
            (std::vector<std::string>{"block20.filter", "block20.project"}));
  step.spec = graph.layers[2].spec;
  EXPECT_EQ(LayersOfStep(graph, step), (std::vector<std::string>{"block20.project"}));
}

}  // namespace
}  // namespace fettle
