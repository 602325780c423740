#include "fettle/network/saliency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fettle/core/error.h"

namespace fettle {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

constexpr double kClose = 1e-6;

Tensor Values(const Shape& shape, const std::vector<float>& values) {
  return Tensor::Of<float>(DType::kF32, shape, values);
}

// Two convolutions of two channels, summed; the first is batch normalised by a scale of 2 and -3
// and a deviation of 2.
Graph Coupled() {
  Graph graph;
  const Conv op{{{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 1};
  const ValueId x = graph.AddInput("x", {DType::kF32, {1, 2, 2, 2}});
  const ValueId v = graph.AddConstant("v", Values({2, 2, 1, 1}, {1, -2, 3, 4}));
  const ValueId w = graph.AddConstant("w", Values({2, 2, 1, 1}, {0, 5, -6, 1}));
  const ValueId a = graph.AddNode("a", op, {x, v})[0];
  const ValueId scale = graph.AddConstant("scale", Values({2}, {2, -3}));
  const ValueId other = graph.AddConstant("other", Values({2}, {7, 7}));
  const ValueId variance = graph.AddConstant("variance", Values({2}, {4, 4}));
  const ValueId bn = graph.AddNode("bn", BatchNorm{0}, {a, scale, other, other, variance})[0];
  const ValueId b = graph.AddNode("b", op, {x, w})[0];
  const ValueId sum = graph.AddNode("sum", Sum{}, {bn, b})[0];
  const ValueId reader = graph.AddConstant("reader", Values({3, 2, 1, 1}, {9, 9, 9, 9, 9, 9}));
  graph.AddOutput(graph.AddNode("y", op, {sum, reader})[0]);
  return graph;
}

TEST(SaliencyTest, SumsOverTheCoupledProducers) {
  const Graph graph = Coupled();
  const ChannelGroup group = FindChannelGroups(graph).groups.at(0);
  EXPECT_THAT(MagnitudeSaliency(graph, group, {WeightNorm::kL1, false}),
              ElementsAre(DoubleNear(3 + 5, kClose), DoubleNear(7 + 7, kClose)));
  EXPECT_THAT(
      MagnitudeSaliency(graph, group, {WeightNorm::kL2, false}),
      ElementsAre(DoubleNear(std::sqrt(5 + 25), kClose), DoubleNear(std::sqrt(25 + 37), kClose)));
}

TEST(SaliencyTest, FoldsTheBatchNorm) {
  const Graph graph = Coupled();
  const ChannelGroup group = FindChannelGroups(graph).groups.at(0);
  EXPECT_THAT(MagnitudeSaliency(graph, group, {WeightNorm::kL1, true}),
              ElementsAre(DoubleNear(3 * 1 + 5, kClose), DoubleNear(7 * 1.5 + 7, kClose)));
  EXPECT_THAT(MagnitudeSaliency(graph, group),
              ElementsAre(DoubleNear(std::sqrt(5 + 25), kClose),
                          DoubleNear(std::sqrt(25 * 2.25 + 37), kClose)));
}

TEST(SaliencyTest, SumsOverTheChannelsOfAUnitAndTheColumnsOfALinearLayer) {
  // Channels 0 and 3, 1 and 4, 2 and 5 go together; the weights lie column by column.
  Graph graph;
  const ValueId x = graph.AddInput("x", {DType::kF32, {1, 2}});
  const ValueId u = graph.AddConstant("v", Values({2, 6}, {1, 2, 3, 4, 5, 6,  //
                                                           1, 1, 1, 1, 1, 1}));
  const ValueId h = graph.AddNode("hidden", Gemm{}, {x, u})[0];
  const ValueId p = graph.AddNode("pairs", Reshape{{1, 2, 3}}, {h})[0];
  const ValueId s = graph.AddNode("swap", Transpose{{0, 2, 1}}, {p})[0];
  const ValueId f = graph.AddNode("flat", Reshape{{1, 6}}, {s})[0];
  const ValueId r = graph.AddConstant("w", Values({6, 1}, {1, 1, 1, 1, 1, 1}));
  graph.AddOutput(graph.AddNode("y", MatMul{}, {f, r})[0]);
  const ChannelGroup group = FindChannelGroups(graph).groups.at(0);
  EXPECT_THAT(MagnitudeSaliency(graph, group, {WeightNorm::kL1, true}),
              ElementsAre(1 + 4 + 2, 2 + 5 + 2, 3 + 6 + 2));
}

TEST(SaliencyTest, ReadsBF16AndRefusesIntegers) {
  for (DType dtype : {DType::kBF16, DType::kI8}) {
    Graph graph;
    const ValueId x = graph.AddInput("x", {dtype, {1, 1}});
    Tensor weight({dtype, {1, 2}});
    if (dtype == DType::kBF16) {
      weight.values<uint16_t>()[0] = ToBF16(-0.5f);
      weight.values<uint16_t>()[1] = ToBF16(4);
    }
    const ValueId h = graph.AddNode("h", MatMul{}, {x, graph.AddConstant("v", weight)})[0];
    const ValueId w = graph.AddConstant("w", Tensor({dtype, {2, 1}}));
    graph.AddOutput(graph.AddNode("y", MatMul{}, {h, w})[0]);
    const ChannelGroup group = FindChannelGroups(graph).groups.at(0);
    if (dtype == DType::kBF16) {
      EXPECT_THAT(MagnitudeSaliency(graph, group), ElementsAre(0.5, 4));
    } else {
      EXPECT_THROW(MagnitudeSaliency(graph, group), Error);
    }
  }
}

TEST(SaliencyTest, TheMostSalientStandInOrder) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(MostSalient(std::vector<double>{3, 1, 4, 1, 5}, 3), ElementsAre(0, 2, 4));
  EXPECT_THAT(MostSalient(std::vector<double>{1, 2, 2, 2}, 2), ElementsAre(1, 2));
  EXPECT_THAT(MostSalient(std::vector<double>{nan, -1, 0}, 2), ElementsAre(1, 2));
  EXPECT_THAT(MostSalient(std::vector<double>{1, 2}, 0), ElementsAre());
}

}  // namespace
}  // namespace fettle
