// Least squares on real statistics: those that Calibrate makes of a network and images.
#include "fettle/network/variants/consumer_reconstruction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "fettle/core/random.h"
#include "fettle/core/target.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/variants/prune.h"
#include "fettle/training/evaluation/calibrate.h"
#include "fettle/training/evaluation/reconstruction.h"
#include "tests/support/network_builder.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

const Dataset& ToyImages() {
  static const Dataset images = ToyDataset(200, {3, 6, 6}, 3);
  return images;
}

Calibration CalibrationOf(const Graph& graph) {
  return Calibrate(graph, ValuesToCalibrate(graph), ToyImages(), PrimitiveList::All(),
                   HostTarget(1));
}

// The group's first units stay.
Graph Pruned(const Graph& graph, const std::string& name, int64_t count,
             const Calibration* calibration) {
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].name != name) continue;
    KeptUnits kept{i, std::vector<int64_t>(static_cast<size_t>(count))};
    std::iota(kept.units.begin(), kept.units.end(), 0);
    return PruneChannels(graph, groups, {&kept, 1},
                         {.folds_constants = true, .calibration = calibration});
  }
  ADD_FAILURE() << "no group " << name;
  return graph;
}

double ErrorOf(const Graph& graph, const Graph& changed, const std::string& layer) {
  return ReconstructionErrors(graph, changed, ToyImages(), PrimitiveList::All(), HostTarget(1))
      .at(layer);
}

// `kernel` of the consumers "second" and "third".
Graph Network(int64_t kernel) {
  NetworkBuilder b(5);
  ValueId x = b.Unit("first", b.Input({1, 3, 6, 6}), 8);
  x = b.Unit("second", x, 6, {.kernel = kernel, .pad = kernel / 2});
  b.Classify(b.Unit("third", x, 4, {.kernel = kernel, .pad = kernel / 2}), 4);
  return b.graph;
}

// The last of the first layer's filters, and all that is done to it, become a copy of the first.
void CopyFirstUnitToLast(Graph* graph) {
  for (const ChannelGroup& group : FindChannelGroups(*graph).groups) {
    if (group.name != "first") continue;
    for (const ChannelSlice& slice : group.slices) {
      const Value& value = graph->value(slice.place.value);
      if (value.constant == nullptr || slice.place.axis != 0) continue;
      Tensor copy = *value.constant;
      const size_t unit = copy.num_bytes() / static_cast<size_t>(copy.shape()[0]);
      std::copy_n(copy.bytes(), unit, copy.bytes() + 7 * unit);
      graph->SetConstant(slice.place.value, std::make_shared<const Tensor>(std::move(copy)));
    }
  }
}

TEST(ConsumerReconstructionTest, WhatIsLinearInOthersCostsNothing) {
  for (const int64_t kernel : {1, 3}) {
    Graph graph = Network(kernel);
    CopyFirstUnitToLast(&graph);
    const Calibration calibration = CalibrationOf(graph);
    const double plain = ErrorOf(graph, Pruned(graph, "first", 7, nullptr), "second");
    const double reconstructed = ErrorOf(graph, Pruned(graph, "first", 7, &calibration), "second");
    EXPECT_GT(plain, 1e-2) << kernel;
    EXPECT_LT(reconstructed, 1e-4) << kernel;
  }
}

TEST(ConsumerReconstructionTest, IsNeverWorseThanConstants) {
  const Graph graph = Network(1);
  const Calibration calibration = CalibrationOf(graph);
  for (const auto& [group, layer] : {std::pair("first", "second"), std::pair("second", "third"),
                                     std::pair("third", "classifier")}) {
    double before = 0;
    for (const int64_t count : {3, 2, 1}) {
      const double plain = ErrorOf(graph, Pruned(graph, group, count, nullptr), layer);
      const double reconstructed = ErrorOf(graph, Pruned(graph, group, count, &calibration), layer);
      EXPECT_LT(reconstructed, plain) << group << " " << count;
      EXPECT_GT(reconstructed, 0.98 * before) << group << " " << count;  // fewer explain less
      before = reconstructed;
    }
  }
}

// No other weights of a 1x1 convolution do better: along random directions the error grows.
TEST(ConsumerReconstructionTest, IsTheLeastSquaresSolution) {
  const Graph graph = Network(1);
  const Calibration calibration = CalibrationOf(graph);
  const Graph best = Pruned(graph, "first", 4, &calibration);
  const double least = ErrorOf(graph, best, "second");
  ValueId weights = -1;
  for (const Node& node : best.nodes()) {
    if (node.name == "second") weights = node.inputs[1];
  }
  Random random(2);
  for (int trial = 0; trial < 10; ++trial) {
    Graph other = best;
    Tensor changed = *best.value(weights).constant;
    for (float& weight : changed.values<float>()) {
      weight += static_cast<float>(random.Uniform(-0.05, 0.05));
    }
    other.SetConstant(weights, std::make_shared<const Tensor>(std::move(changed)));
    EXPECT_GT(ErrorOf(graph, other, "second"), least);
  }
}

TEST(ConsumerReconstructionTest, WithoutStatisticsNothingIsNamed) {
  const Graph graph = Network(1);
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  const KeptUnits kept{0, {0, 1}};
  const KeptIndices indices(graph, groups, {&kept, 1});
  EXPECT_TRUE(ReconstructConsumers(graph, indices, {}).weights.empty());
  Calibration without = CalibrationOf(graph);
  for (auto& [name, statistics] : without) statistics.covariance.clear();
  EXPECT_TRUE(ReconstructConsumers(graph, indices, without).biases.empty());
}

}  // namespace
}  // namespace fettle
