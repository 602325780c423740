#include "fettle/network/graph.h"

#include <gtest/gtest.h>

#include <string>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// x -> relu -> (+ constant) -> y, and a branch nobody reads.
Graph SmallGraph() {
  Graph graph;
  const ValueId x = graph.AddInput("x", {DType::kF32, {1, 4}});
  const ValueId bias = graph.AddConstant("bias", Tensor({DType::kF32, {4}}));
  const ValueId unread = graph.AddConstant("unread", Tensor({DType::kF32, {1, 4}}));
  const ValueId relu = graph.AddNode("relu", Activation{}, {x})[0];
  graph.AddNode("dead", Sum{}, {relu, unread});
  graph.AddOutput(graph.AddNode("y", Binary{}, {relu, bias})[0]);
  return graph;
}

TEST(GraphTest, NodesTypeTheirOutputs) {
  Graph graph = SmallGraph();
  EXPECT_EQ(graph.value(graph.outputs()[0]).type, (TensorType{DType::kF32, {1, 4}}));
  EXPECT_EQ(graph.value(graph.outputs()[0]).name, "y");
  const std::vector<ValueId> halves =
      graph.AddNode("halves", Split{1, {1, 3}}, {graph.outputs()[0]});
  ASSERT_EQ(halves.size(), 2u);
  EXPECT_EQ(graph.value(halves[1]).name, "halves:1");
  EXPECT_EQ(graph.value(halves[1]).type.shape, (Shape{1, 3}));
}

TEST(GraphTest, AFaultNamesTheNodeAndLeavesTheGraphAsItWas) {
  Graph graph = SmallGraph();
  const size_t values = graph.num_values();
  try {
    graph.AddNode("bad", Softmax{5}, {graph.inputs()[0]});
    FAIL() << "axis 5 of a matrix was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("node 'bad' (softmax): axis 5"), std::string::npos)
        << error.what();
  }
  EXPECT_EQ(graph.num_values(), values);
  EXPECT_EQ(graph.nodes().size(), 3u);
}

TEST(GraphTest, HoldsNoComposites) {
  Graph graph;
  const ValueId x = graph.AddInput("x", {DType::kF32, {1, 4, 3, 3}});
  try {
    graph.AddNode("block", InvertedResidual{}, {x});
    ADD_FAILURE() << "was taken";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a composite of lowered layers"), std::string::npos);
  }
  EXPECT_TRUE(graph.nodes().empty());
}

TEST(GraphTest, KnowsReadersAndProducers) {
  const Graph graph = SmallGraph();
  const ValueId x = graph.inputs()[0];
  const ValueId relu = graph.nodes()[0].outputs[0];
  EXPECT_EQ(graph.Readers()[x], std::vector<int>{0});
  EXPECT_EQ(graph.Readers()[relu], (std::vector<int>{1, 2}));
  EXPECT_EQ(graph.Producers()[relu], 0);
  EXPECT_EQ(graph.Producers()[x], -1);
}

TEST(GraphTest, RemovesWhatNothingReads) {
  Graph graph = SmallGraph();
  EXPECT_EQ(graph.NumParameters(), 8);
  graph.RemoveUnused();
  ASSERT_EQ(graph.nodes().size(), 2u);
  EXPECT_EQ(graph.nodes()[0].name, "relu");
  EXPECT_EQ(graph.nodes()[1].name, "y");
  EXPECT_EQ(graph.NumParameters(), 4);
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
  EXPECT_EQ(graph.value(graph.nodes()[1].inputs[1]).name, "bias");
  EXPECT_EQ(graph.outputs()[0], graph.nodes()[1].outputs[0]);
}

TEST(GraphTest, CopiesShareTheirWeights) {
  const Graph graph = SmallGraph();
  Graph copy = graph;
  copy.Rename(copy.inputs()[0], "other");
  EXPECT_EQ(graph.value(graph.inputs()[0]).name, "x");
  const ValueId bias = graph.nodes()[2].inputs[1];
  EXPECT_TRUE(graph.IsConstant(bias));
  EXPECT_EQ(graph.value(bias).constant.get(), copy.value(bias).constant.get());
}

}  // namespace
}  // namespace fettle
