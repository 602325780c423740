#include "fettle/network/variants/drop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "fettle/network/macs.h"
#include "tests/network/variants/factor_support.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string FaultOf(const Graph& graph, const char* addition) {
  try {
    DropVariant().Rewrite(graph, addition);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    return error.what();
  }
  return "";
}

// A stem, a block with an identity for a skip, and one whose shortcut is a Slice and a Pad, then a
// block with a projection. `has_bodies`: else what dropping the first two should leave.
Graph Network(bool has_bodies) {
  NetworkBuilder b(1);
  const auto body = [&](const std::string& name, ValueId x, int64_t channels, int64_t stride) {
    x = b.Unit(name + ".a", x, channels, {.stride = stride, .has_bias = true});
    return b.Normalise(name + ".b_bn", b.Convolve(name + ".b", x, channels));
  };
  ValueId x = b.Unit("stem", b.Input({2, 3, 8, 8}), 4);
  ValueId y = body("first", x, 4, 1);
  if (has_bodies) x = b.Add("first.add", Binary{}, {y, x});
  x = b.Relu("first.relu", x);
  y = body("second", x, 6, 2);
  x = b.Add("second.slice", Slice{{0, 0, 0, 0}, {2, 4, 8, 8}, {1, 1, 2, 2}}, {x});
  x = b.Add("second.pad", Pad{PadMode::kConstant, {0, 1, 0, 0}, {0, 1, 0, 0}, 0}, {x});
  if (has_bodies) x = b.Add("second.add", Sum{}, {x, y});
  x = b.Relu("second.relu", x);
  y = body("third", x, 8, 1);
  x = b.Add("third.add", Binary{}, {y, b.Convolve("third.shortcut", x, 8, {.kernel = 1})});
  b.Classify(x);
  return b.graph;
}

TEST(DropTest, WhatIsLeftIsTheSkip) {
  const Graph graph = Network(true);
  Graph wanted = Network(false);
  wanted.RemoveUnused();
  const Graph got = DropVariant().Rewrite(DropVariant().Rewrite(graph, "first.add"), "second.add");
  EXPECT_EQ(WorstDifference(wanted, got), 0);
  EXPECT_EQ(got.NumParameters(), wanted.NumParameters());
  ASSERT_EQ(got.nodes().size(), wanted.nodes().size());
  for (size_t n = 0; n < got.nodes().size(); ++n) {
    EXPECT_EQ(got.nodes()[n].name, wanted.nodes()[n].name);
  }
  EXPECT_GT(WorstDifference(wanted, graph), 1e-3);
}

TEST(DropTest, ListsBlocksByTheirAdditionsWithTheirLayers) {
  const Graph graph = Network(true);
  const std::vector<NetworkDecision> decisions = FindDropDecisions(graph, {});
  ASSERT_EQ(decisions.size(), 3u);
  EXPECT_EQ(decisions[0].layer, "first.add");
  EXPECT_THAT(decisions[0].layers, ElementsAre("first.a", "first.b"));
  ASSERT_EQ(decisions[0].options.size(), 1u);
  EXPECT_EQ(decisions[0].options[0].variant, "drop()");
  // Two 3x3 convolutions of 4 channels, a bias and two batch norms.
  EXPECT_EQ(decisions[0].options[0].parameters,
            graph.NumParameters() - 2 * 4 * 4 * 9 - 4 - 2 * 4 * 4);
  EXPECT_EQ(decisions[0].options[0].macs, MacsOf(graph) - 2 * 2 * 4 * 4 * 9 * 64);
  EXPECT_EQ(decisions[1].layer, "second.add");
  EXPECT_EQ(decisions[1].options.size(), 1u);
  EXPECT_EQ(decisions[2].layer, "third.add");
  EXPECT_TRUE(decisions[2].options.empty());
  EXPECT_THAT(decisions[2].reason,
              HasSubstr("weights of its own ('third.shortcut'): a projection"));
}

TEST(DropTest, WhatIsCarriedForgetsTheBody) {
  const Graph graph = Network(true);
  Calibration carried;
  for (const char* layer : {"stem", "first.a", "first.b", "second.a"}) {
    carried.patches[layer];
    carried.values[layer];
  }
  carried.values["first.add"];
  DropVariant().Rewrite(graph, "first.add", {.carried = &carried});
  const auto names_of = [](const auto& known) {
    std::vector<std::string> names;
    for (const auto& [name, moments] : known) names.push_back(name);
    return names;
  };
  EXPECT_THAT(names_of(carried.patches), ElementsAre("second.a", "stem"));
  EXPECT_THAT(names_of(carried.values), ElementsAre("second.a", "stem"));
}

TEST(DropTest, ASumThatIsAnOutputKeepsItsName) {
  NetworkBuilder b(2);
  const ValueId x = b.Relu("relu", b.Input({1, 4, 5, 5}));
  const ValueId sum = b.Add("sum", Binary{}, {x, b.Convolve("conv", x, 4)});
  b.graph.Rename(sum, "answer");
  b.graph.AddOutput(sum);
  const Graph got = DropVariant().Rewrite(b.graph, "sum");
  ASSERT_EQ(got.nodes().size(), 2u);
  EXPECT_EQ(got.value(got.outputs()[0]).name, "answer");
  EXPECT_EQ(got.value(got.nodes()[0].outputs[0]).name, "relu");
  EXPECT_EQ(got.NumParameters(), 0);
}

TEST(DropTest, WhatIsNeededElsewhereStays) {
  NetworkBuilder b(3);
  const ValueId x = b.Unit("stem", b.Input({1, 4, 5, 5}), 4);
  const ValueId inner = b.Convolve("inner", x, 4);
  const ValueId sum = b.Add("sum", Binary{}, {x, b.Convolve("outer", inner, 4)});
  b.Classify(b.Add("mix", Binary{BinaryKind::kMul}, {sum, inner}));
  EXPECT_THAT(FaultOf(b.graph, "sum"), HasSubstr("'mix' needs 'inner' within it too"));

  NetworkBuilder c(3);
  const ValueId y = c.Unit("stem", c.Input({1, 4, 5, 5}), 4);
  const ValueId middle = c.Convolve("middle", y, 4);
  c.Classify(c.Add("sum", Binary{}, {y, c.Convolve("outer", middle, 4)}));
  c.graph.AddOutput(middle);
  EXPECT_THAT(FaultOf(c.graph, "sum"), HasSubstr("'middle' within it is an output"));
}

TEST(DropTest, AdditionsThatEndNoBlockAreNone) {
  NetworkBuilder b(4);
  const ValueId x = b.Input({1, 4, 5, 5});
  const ValueId other = b.graph.AddInput("other", {DType::kF32, {1, 4, 5, 5}});
  const ValueId shifted = b.Add("shift", Binary{}, {x, b.Constant("c", {4, 1, 1})});
  const ValueId conv = b.Convolve("conv", shifted, 4);
  const ValueId joined = b.Add("join", Binary{}, {conv, other});
  const ValueId mean = b.Add("mean", GlobalAveragePool{}, {joined});
  const ValueId broadcast = b.Add("broadcast", Binary{}, {mean, b.Convolve("behind", joined, 4)});
  b.Classify(b.Add("double", Binary{}, {broadcast, broadcast}));
  for (const char* name : {"shift", "join", "double", "conv"}) {
    EXPECT_THAT(FaultOf(b.graph, name), HasSubstr("no addition that ends a residual block"));
  }
  EXPECT_THAT(FaultOf(b.graph, "broadcast"), HasSubstr("the skip is broadcast"));
  EXPECT_THAT(FaultOf(b.graph, "absent"), HasSubstr("no addition 'absent'"));
  EXPECT_EQ(FindDropDecisions(b.graph, {}).size(), 1u);
}

}  // namespace
}  // namespace fettle
