#include "fettle/deploy/fuse_inverted_residual.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fettle/core/layer_check.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/executor.h"
#include "fettle/runtime/plan_check.h"
#include "fettle/runtime/plan_file.h"
#include "tests/runtime/small_graphs.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

Window Each(int64_t kernel, int64_t stride, int64_t pad) {
  return {{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
}

// x -> expand -> filter -> project, + x where the shapes allow it, twice: the first block halves
// the image and changes the channels, the second keeps both. The layers are 0..2 and 3..5.
class FusionTest : public testing::Test {
 protected:
  FusionTest() {
    const TensorId x = AddTensor(&graph_, "x", {DType::kF32, {2, 6, 9, 8}});
    graph_.inputs = {x};
    const TensorId y = Block("first", x, 6, 20, 10, 2);
    const TensorId z = Block("second", y, 10, 24, 10, 1);
    Layer& last = graph_.layers.back();
    last.inputs.push_back(y);
    last.spec.inputs.push_back(last.spec.output);
    last.spec.adds_residual = true;
    graph_.outputs = {z};
  }

  TensorId Conv1(const std::string& name, const Conv& op, TensorId x, Shape shape, bool has_bias,
                 bool cuts) {
    std::vector<Tensor> weights;
    weights.push_back(RandomTensor({DType::kF32, shape}, &random_));
    if (has_bias) weights.push_back(RandomTensor({DType::kF32, {shape[0]}}, &random_));
    const TensorId y = AddLayer(&graph_, name, op, {x}, std::move(weights));
    if (cuts) graph_.layers.back().spec.activation = Activation{ActivationKind::kClip, 0, 6};
    return y;
  }

  TensorId Block(const std::string& name, TensorId x, int64_t inputs, int64_t channels,
                 int64_t outputs, int64_t stride) {
    const TensorId a =
        Conv1(name + ".a", {Each(1, 1, 0), 1}, x, {channels, inputs, 1, 1}, true, true);
    const TensorId b =
        Conv1(name + ".b", {Each(3, stride, 1), channels}, a, {channels, 1, 3, 3}, false, true);
    return Conv1(name + ".c", {Each(1, 1, 0), 1}, b, {outputs, channels, 1, 1}, true, false);
  }

  std::vector<Tensor> Run(const LayerGraph& graph) {
    Random random(5);
    return Executor(DefaultPlan(graph, DType::kF32, primitives_, target_), primitives_, target_)
        .Run({RandomTensor({DType::kF32, {2, 6, 9, 8}}, &random)});
  }

  void ExpectSameAnswer(const LayerGraph& fused) {
    for (const Layer& layer : fused.layers) EXPECT_EQ(FaultOf(layer.spec), std::nullopt);
    EXPECT_EQ(MacsOf(fused), MacsOf(graph_));
    const Tensor expected = Run(graph_)[0], actual = Run(fused)[0];
    ASSERT_EQ(actual.type(), expected.type());
    for (size_t i = 0; i < actual.values<float>().size(); ++i) {
      EXPECT_NEAR(actual.values<float>()[i], expected.values<float>()[i], 1e-3);
    }
  }

  Random random_{3};
  LayerGraph graph_;
  const PrimitiveList primitives_ = PrimitiveList::All();
  const Target target_ = HostTarget(2);
};

TEST_F(FusionTest, FindsBlocksWithAndWithoutExpansion) {
  EXPECT_THAT(FusibleBlocks(graph_),
              testing::ElementsAre(FusibleBlock{std::nullopt, 1, 2}, FusibleBlock{0, 1, 2},
                                   FusibleBlock{std::nullopt, 4, 5}, FusibleBlock{3, 4, 5}));
}

TEST_F(FusionTest, AnySubsetComputesTheSame) {
  const std::vector<FusibleBlock> blocks = FusibleBlocks(graph_);
  for (size_t mask = 0; mask < 16; ++mask) {
    std::vector<FusibleBlock> chosen;
    for (size_t i = 0; i < 4; ++i) {
      if ((mask >> i & 1) != 0) chosen.push_back(blocks[i]);
    }
    const auto overlap = [&](size_t i, size_t j) { return (mask >> i & mask >> j & 1) != 0; };
    EXPECT_FALSE(AreApart(blocks[0], blocks[1]));
    EXPECT_TRUE(AreApart(blocks[1], blocks[3]));
    if (overlap(0, 1) || overlap(2, 3)) continue;
    SCOPED_TRACE(mask);
    ExpectSameAnswer(FuseBlocks(graph_, chosen));
  }
}

TEST_F(FusionTest, TheCompositeStandsForItsParts) {
  const LayerGraph fused = FuseBlocks(graph_, std::vector<FusibleBlock>{{3, 4, 5}});
  ASSERT_EQ(fused.layers.size(), 4u);
  EXPECT_EQ(fused.layers[3].name, "second.c");
  EXPECT_EQ(KeyOf(fused.layers[3].spec).text,
            "inverted_residual(expands=1,expanded=clip:0:6,kernel=3x3,strides=1x1,dilations=1x1,"
            "pads_begin=1x1,pads_end=1x1,filtered=clip:0:6) in=f32[2x10x5x4],f32[2x10x5x4] "
            "weights=f32[24x10x1x1],f32[24],f32[24x1x3x3],f32[24],f32[10x24x1x1],f32[10] "
            "out=f32[2x10x5x4] residual=1");
}

TEST_F(FusionTest, WhatOthersReadIsNotFused) {
  LayerGraph graph = graph_;
  graph.outputs.push_back(graph.layers[0].output);
  EXPECT_THAT(FusibleBlocks(graph),
              testing::ElementsAre(FusibleBlock{std::nullopt, 1, 2},
                                   FusibleBlock{std::nullopt, 4, 5}, FusibleBlock{3, 4, 5}));
  graph.outputs.push_back(graph.layers[1].output);
  EXPECT_EQ(FusibleBlocks(graph).size(), 2u);
}

TEST_F(FusionTest, IsKeptInAPlansFile) {
  const LayerGraph fused = FuseBlocks(graph_, std::vector<FusibleBlock>{{0, 1, 2}, {3, 4, 5}});
  for (const DType precision : {DType::kF32, DType::kBF16}) {
    const Plan plan = DefaultPlan(fused, precision, primitives_, target_);
    ASSERT_EQ(FaultOf(plan), std::nullopt);
    const ScratchFolder scratch;
    WritePlan(scratch.path(), plan);
    const Plan read = ReadPlan(scratch.path());
    ASSERT_EQ(read.steps.size(), plan.steps.size());
    for (size_t s = 0; s < read.steps.size(); ++s) {
      EXPECT_EQ(read.steps[s].spec, plan.steps[s].spec);
      EXPECT_EQ(read.steps[s].implementation, plan.steps[s].implementation);
    }
    Random random(5);
    const Tensor x = RandomTensor({DType::kF32, {2, 6, 9, 8}}, &random);
    EXPECT_EQ(Executor(read, primitives_, target_).Run({x}),
              Executor(plan, primitives_, target_).Run({x}));
  }
}

}  // namespace
}  // namespace fettle
