#include "fettle/network/variants/group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/network/variants/bottleneck.h"
#include "fettle/network/variants/channel_permutation.h"
#include "tests/network/random_network.h"
#include "tests/network/variants/factor_support.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

using testing::HasSubstr;

const Node& NodeOf(const Graph& graph, const std::string& name) {
  for (const Node& node : graph.nodes()) {
    if (node.name == name) return node;
  }
  throw BadInput("no node ", name);
}

// The graph with the weights of a layer zero outside of blocks.
Graph WithBlocks(const Graph& graph, const std::string& layer, size_t groups) {
  const ValueId id = NodeOf(graph, layer).inputs[1];
  Tensor weights = *graph.value(id).constant;
  const Shape shape = weights.shape();
  const auto outputs = static_cast<size_t>(shape[0]), inputs = static_cast<size_t>(shape[1]);
  const size_t taps = weights.values<float>().size() / outputs / inputs;
  for (size_t t = 0; t < outputs; ++t) {
    for (size_t s = 0; s < inputs; ++s) {
      if (t / (outputs / groups) == s / (inputs / groups)) continue;
      for (size_t tap = 0; tap < taps; ++tap)
        weights.values<float>()[(t * inputs + s) * taps + tap] = 0;
    }
  }
  return WithConstants(graph, {{id, weights}});
}

Graph Shuffled(const Graph& graph, uint64_t seed) {
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  Random random(seed);
  std::vector<UnitOrder> orders;
  for (size_t g = 0; g < groups.size(); ++g) {
    const auto order = random.Permutation(static_cast<size_t>(groups[g].num_units));
    orders.push_back({g, {order.begin(), order.end()}});
  }
  return PermuteChannels(graph, ChannelPermutation(graph, groups, orders));
}

// Where each channel of a node's weights (their first axis) was, by their values.
std::vector<size_t> WhereFrom(const Graph& graph, const Graph& result, const std::string& node) {
  const auto rows_of = [&](const Graph& network) {
    const Tensor& tensor = *network.value(NodeOf(network, node).inputs[1]).constant;
    const auto values = tensor.values<float>();
    const size_t row = values.size() / static_cast<size_t>(tensor.shape()[0]);
    std::vector<std::vector<float>> rows;
    for (size_t i = 0; i < values.size(); i += row) {
      rows.emplace_back(values.begin() + static_cast<ptrdiff_t>(i),
                        values.begin() + static_cast<ptrdiff_t>(i + row));
    }
    return rows;
  };
  const auto old = rows_of(graph);
  std::vector<size_t> from;
  for (const auto& row : rows_of(result)) {
    from.push_back(static_cast<size_t>(std::ranges::find(old, row) - old.begin()));
  }
  return from;
}

struct Shapes {
  int64_t inputs = 16, outputs = 24, kernel = 3, stride = 1;
  bool has_bias = false;
};

Graph Chain(uint64_t seed, const Shapes& shapes) {
  NetworkBuilder b(seed);
  ValueId x = b.Unit("a", b.Input({2, 3, 7, 7}), shapes.inputs);
  x = b.Unit("b", x, shapes.outputs,
             {.kernel = shapes.kernel, .stride = shapes.stride, .has_bias = shapes.has_bias});
  b.Classify(b.Unit("c", x, 8));
  return std::move(b.graph);
}

// Blocks hidden by an order of the channels are found, whatever the layer is like: nothing is lost.
TEST(GroupTest, HiddenBlocksAreFound) {
  const Shapes all[] = {{}, {.kernel = 1}, {.stride = 2, .has_bias = true}, {.inputs = 8}};
  for (const Shapes& shapes : all) {
    for (const size_t groups : {2, 4, 8}) {
      for (uint64_t seed = 0; seed < 4; ++seed) {
        const Graph graph = Shuffled(WithBlocks(Chain(seed, shapes), "b", groups), seed);
        const Graph result = GroupVariant(static_cast<int64_t>(groups)).Rewrite(graph, "b", {});
        EXPECT_LT(WorstDifference(graph, result), 1e-5) << groups << " " << seed;
        EXPECT_NEAR(GroupVariant(static_cast<int64_t>(groups)).WeightError(graph, "b").value(), 0,
                    1e-9);
        EXPECT_EQ(std::get<Conv>(NodeOf(result, "b").op).groups, static_cast<int64_t>(groups));
        ASSERT_EQ(result.nodes().size(), graph.nodes().size());
        for (size_t n = 0; n < graph.nodes().size(); ++n) {
          EXPECT_EQ(result.nodes()[n].name, graph.nodes()[n].name);
        }
      }
    }
  }
}

// The input and output of a layer around which there is a shortcut move together or not at all.
TEST(GroupTest, CoupledChannelsMoveTogether) {
  for (uint64_t seed = 0; seed < 4; ++seed) {
    NetworkBuilder b(seed);
    const ValueId x = b.Unit("a", b.Input({2, 3, 7, 7}), 16);
    b.Classify(b.Relu("relu", b.Add("add", Binary{}, {x, b.Unit("b", x, 16)})));
    const Graph blocks = WithBlocks(b.graph, "b", 2);
    const Graph graph = Shuffled(blocks, seed);
    EXPECT_LT(WorstDifference(graph, GroupVariant(2).Rewrite(graph, "b", {})), 1e-5) << seed;
  }
}

// The network's input stays as it is, and so does its output: only the other side can give way.
TEST(GroupTest, FrozenChannelsStay) {
  NetworkBuilder b(1);
  ValueId x = b.Convolve("first", b.Input({2, 8, 7, 7}), 16);
  x = b.Convolve("last", b.Relu("relu", x), 8);
  b.graph.AddOutput(x);
  for (const char* layer : {"first", "last"}) {
    const Graph graph = Shuffled(WithBlocks(b.graph, layer, 4), 3);
    EXPECT_LT(WorstDifference(graph, GroupVariant(4).Rewrite(graph, layer, {})), 1e-5) << layer;
  }
  NetworkBuilder alone(1);
  alone.graph.AddOutput(alone.Convolve("only", alone.Input({2, 8, 7, 7}), 16));
  const Graph graph = WithBlocks(alone.graph, "only", 4);
  EXPECT_LT(WorstDifference(graph, GroupVariant(4).Rewrite(graph, "only", {})), 1e-5);
}

// What each group computes of its own inputs is what is best for it, and never worse with data.
TEST(GroupTest, DataMakesItNoWorse) {
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Graph graph = Chain(seed, {.has_bias = seed % 2 == 0});
    Calibration calibration;
    calibration.patches["b"] = RandomMoments(16 * 9, 1500, 2 * seed);
    const auto error = [&](const Calibration* given) {
      Calibration carried = calibration;
      const Graph result =
          GroupVariant(4).Rewrite(graph, "b", {.calibration = given, .carried = &carried});
      EXPECT_EQ(carried.patches.count("b"), 0u);
      // In the order of the result: by where it put the outputs of a and the inputs of c.
      const WeightedLayer before = FindWeightedLayer(graph, "b");
      const WeightedLayer after = FindWeightedLayer(result, "b");
      const std::vector<size_t> inputs = WhereFrom(graph, result, "a"),
                                outputs = WhereFrom(graph, result, "b_bn");
      const Matrix kernel = KernelOf(graph, before);
      const Matrix blocks = KernelOf(result, after);
      Matrix got(kernel.rows(), kernel.columns());
      for (size_t t = 0; t < 24; ++t) {
        for (size_t s = 0; s < 4; ++s) {
          for (size_t tap = 0; tap < 9; ++tap) {
            got(outputs[t], inputs[t / 6 * 4 + s] * 9 + tap) = blocks(t, s * 9 + tap);
          }
        }
      }
      return RelativeError(kernel, got, &calibration.patches.at("b"));
    };
    EXPECT_LT(error(&calibration), error(nullptr)) << seed;
  }
}

// By the weights that are left: the squares that are no more, of all.
TEST(GroupTest, WeightErrorIsWhatRewritingLoses) {
  const Graph graph = Chain(1, {});
  const GroupVariant variant(4);
  const Graph result = variant.Rewrite(graph, "b", {});
  const double before = KernelOf(graph, FindWeightedLayer(graph, "b")).SquaredNorm();
  const double after = KernelOf(result, FindWeightedLayer(result, "b")).SquaredNorm();
  EXPECT_NEAR(variant.WeightError(graph, "b").value(), 1 - after / before, 1e-6);
}

// Two rewrites in turn on what was seen of the first network come to the same in either order: what
// is carried speaks of the channels as they stand.
TEST(GroupTest, WhatIsCarriedStaysTrue) {
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const Graph graph = Chain(seed, {});
    Calibration calibration;
    calibration.patches["b"] = RandomMoments(16 * 9, 1500, 3);
    calibration.patches["c"] = RandomMoments(24 * 9, 3000, 4);
    const BottleneckVariant bottleneck(2);
    const GroupVariant group(4);
    const auto in_turn = [&](const FactorVariant& one, const char* at_one,
                             const FactorVariant& other, const char* at_other, bool carries) {
      Calibration carried = calibration;
      const Graph first =
          one.Rewrite(graph, at_one, {.calibration = &carried, .carried = &carried});
      const Calibration& then = carries ? carried : calibration;
      return other.Rewrite(first, at_other, {.calibration = &then});
    };
    const Graph group_last = in_turn(bottleneck, "c", group, "b", true);
    const Graph group_first = in_turn(group, "b", bottleneck, "c", true);
    const Graph untrue = in_turn(group, "b", bottleneck, "c", false);
    EXPECT_LT(WorstDifference(group_last, group_first), 1e-4);
    EXPECT_GT(WorstDifference(group_last, untrue), 1e-2);
  }
}

TEST(GroupTest, FreshOnesKeepTheOrder) {
  const Graph graph = Chain(1, {});
  const Graph result = GroupVariant(4).Rewrite(graph, "b", {.fresh_seed = 1});
  EXPECT_EQ(std::get<Conv>(NodeOf(result, "b").op).groups, 4);
  EXPECT_EQ(result.nodes().size(), graph.nodes().size());
  const auto weights_of = [](const Graph& network) {
    return network.value(NodeOf(network, "a").inputs[1]).constant;
  };
  EXPECT_EQ(weights_of(result), weights_of(graph));
}

TEST(GroupTest, IsRefusedWithAReason) {
  NetworkBuilder b(1);
  ValueId x = b.Convolve("odd", b.Input({1, 9, 5, 5}), 8);
  b.Classify(b.Convolve("grouped", x, 8, {.groups = 2}), 4);
  const auto fault = [&](const char* layer, int64_t groups) -> std::string {
    try {
      GroupVariant(groups).Rewrite(b.graph, layer, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(fault("odd", 2), HasSubstr("its 9 inputs and 8 outputs cannot be parted into 2"));
  EXPECT_THAT(fault("odd", 1), HasSubstr("one group is what it has"));
  EXPECT_THAT(fault("grouped", 2), HasSubstr("it is in groups already"));
  EXPECT_THAT(fault("classifier", 2), HasSubstr("it is no convolution"));
}

}  // namespace
}  // namespace fettle
