#include "fettle/network/variants/channel_permutation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "tests/network/random_network.h"
#include "tests/network/variants/factor_support.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

std::vector<int64_t> RandomOrder(int64_t units, Random* random) {
  const std::vector<size_t> order = random->Permutation(static_cast<size_t>(units));
  return {order.begin(), order.end()};
}

// All groups of many networks in another order: the outputs are the same.
TEST(ChannelPermutationTest, TheNetworkComputesTheSame) {
  Random random(1);
  size_t permuted = 0, all = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    const Graph graph = RandomNetwork(seed);
    const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
    const std::vector<bool> permutable = FindPermutableGroups(graph, groups);
    std::vector<UnitOrder> orders;
    for (size_t g = 0; g < groups.size(); ++g) {
      if (permutable[g]) orders.push_back({g, RandomOrder(groups[g].num_units, &random)});
    }
    const ChannelPermutation permutation(graph, groups, orders);
    const Graph result = PermuteChannels(graph, permutation);
    EXPECT_LT(WorstDifference(graph, result), 1e-6) << seed;
    ASSERT_EQ(result.nodes().size(), graph.nodes().size());
    permuted += orders.size();
    all += groups.size();
  }
  EXPECT_GT(permuted, 300u);
  EXPECT_EQ(permuted, all);
}

// What was seen of a value is what is seen of it after the permutation: moments of the values that
// the interpreter computes for both networks.
TEST(ChannelPermutationTest, TheCalibrationFollows) {
  NetworkBuilder b(3);
  const ValueId x = b.Unit("a", b.Input({1, 3, 4, 4}), 6);
  const ValueId y = b.Convolve("b", x, 5);
  b.graph.AddOutput(y);
  const std::vector<ChannelGroup> groups = FindChannelGroups(b.graph).groups;
  ASSERT_EQ(groups.size(), 1u);
  const std::vector<UnitOrder> orders = {{0, {2, 0, 1, 5, 3, 4}}};
  const ChannelPermutation permutation(b.graph, groups, orders);
  Calibration calibration;
  static_cast<Moments&>(calibration.values[b.graph.value(x).name]) = RandomMoments(6, 50, 1);
  static_cast<Moments&>(calibration.values[b.graph.value(y).name]) = RandomMoments(5, 50, 2);
  calibration.patches["b"] = RandomMoments(6 * 9, 100, 3);
  calibration.patches["a"] = RandomMoments(3 * 9, 100, 4);
  Calibration moved = calibration;
  PermuteCalibration(b.graph, permutation, &moved);
  const std::vector<int64_t>& order = orders[0].order;
  const auto& old_value = calibration.values.at(b.graph.value(x).name);
  const auto& new_value = moved.values.at(b.graph.value(x).name);
  const auto& old_patch = calibration.patches.at("b");
  const auto& new_patch = moved.patches.at("b");
  for (size_t c = 0; c < 6; ++c) {
    const auto from = static_cast<size_t>(order[c]);
    EXPECT_EQ(new_value.mean[c], old_value.mean[from]);
    EXPECT_EQ(new_value.covariance[c * 6 + 1], old_value.covariance[from * 6]);
    EXPECT_EQ(new_patch.mean[c * 9 + 4], old_patch.mean[from * 9 + 4]);
    EXPECT_EQ(new_patch.covariance[(c * 9 + 4) * 54 + 5],
              old_patch.covariance[(from * 9 + 4) * 54 + 2 * 9 + 5]);
  }
  EXPECT_EQ(moved.values.at(b.graph.value(y).name).mean,
            calibration.values.at(b.graph.value(y).name).mean);
  EXPECT_EQ(moved.patches.at("a").mean, calibration.patches.at("a").mean);
}

// Channels are tied to those six further on; of each such pair one is in the slice from 2 to 8: of
// the first two pairs the second, of the others the first.
TEST(ChannelPermutationTest, UnitsTiedDifferentlyStay) {
  NetworkBuilder b(4);
  const ValueId x = b.Convolve("a", b.Input({1, 3, 4, 4}), 12);
  const auto part = [&](const std::string& name, int64_t first, int64_t last) {
    Shape starts(4, 0), ends = b.ShapeOf(x);
    starts[1] = first;
    ends[1] = last;
    return b.Add(name, Slice{starts, ends, Shape(4, 1)}, {x});
  };
  const ValueId halves_swapped =
      b.Add("swapped", Concat{1}, {part("high", 6, 12), part("low", 0, 6)});
  const ValueId middle = part("middle", 2, 8);
  const ValueId y = b.Convolve("b", b.Add("sum", Binary{}, {x, halves_swapped}), 4);
  b.Classify(b.Add("both", Binary{}, {y, b.Convolve("c", middle, 4)}));
  const std::vector<ChannelGroup> groups = FindChannelGroups(b.graph).groups;
  ASSERT_EQ(groups.size(), 2u);
  ASSERT_EQ(groups[0].num_units, 6);
  EXPECT_THAT(FindPermutableGroups(b.graph, groups), testing::ElementsAre(false, true));
  const std::vector<UnitOrder> orders = {{0, {2, 1, 0, 3, 4, 5}}};
  EXPECT_THROW(ChannelPermutation(b.graph, groups, orders), Error);
}

TEST(ChannelPermutationTest, SenselessOrdersAreRefused) {
  NetworkBuilder b(5);
  b.Classify(b.Convolve("a", b.Input({1, 3, 4, 4}), 4));
  const std::vector<ChannelGroup> groups = FindChannelGroups(b.graph).groups;
  const auto fault = [&](const std::vector<UnitOrder>& orders) -> std::string {
    try {
      const ChannelPermutation permutation(b.graph, groups, orders);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  };
  using testing::HasSubstr;
  EXPECT_THAT(fault({{1, {0, 1, 2, 3}}}), HasSubstr("no channel group 1"));
  EXPECT_THAT(fault({{0, {0, 1, 2}}}), HasSubstr("no permutation of its 4 units"));
  EXPECT_THAT(fault({{0, {0, 1, 2, 2}}}), HasSubstr("no permutation"));
  EXPECT_THAT(fault({{0, {3, 1, 2, 0}}, {0, {0, 1, 2, 3}}}), HasSubstr("permuted twice"));
  EXPECT_EQ(fault({{0, {3, 1, 2, 0}}}), "");
}

}  // namespace
}  // namespace fettle
