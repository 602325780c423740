// Networks whose layers were changed, and what their statistics are after first aid.
#include "fettle/training/evaluation/statistics_repair.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "fettle/core/error.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/training/evaluation/bias_correction.h"
#include "fettle/training/evaluation/calibrate.h"
#include "fettle/training/trainer/fine_tuning.h"
#include "tests/support/network_builder.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

const Dataset& ToyImages() {
  static const Dataset images = ToyDataset(256, {1, 8, 8}, 1);
  return images;
}

// Convolutions with and without bias, a shortcut, a Gemm and a MatMul; no batch norm.
Graph Folded() {
  NetworkBuilder b(3);
  ValueId x = b.Relu("stem_relu", b.Convolve("stem", b.Input({1, 1, 8, 8}), 8));
  ValueId y = b.Relu("a_relu", b.Convolve("a", x, 12, {.kernel = 1, .has_bias = true}));
  y = b.Convolve("b", y, 8);
  x = b.Relu("sum_relu", b.Add("sum", Binary{}, {y, x}));
  x = b.Flatten("flatten", b.Add("pool", GlobalAveragePool{}, {x}));
  x = b.Relu("hidden_relu", b.Linear("hidden", x, 10));
  b.graph.AddOutput(b.Add("product", MatMul{}, {x, b.Constant("matrix", {10, 4})}));
  return b.graph;
}

// The mean of each channel of what each weighted layer computes.
std::map<std::string, std::vector<double>> MeansOf(const Graph& graph) {
  const Calibration calibration =
      Calibrate(graph, ValuesToCalibrate(graph), ToyImages(), PrimitiveList::All(), HostTarget(2));
  std::map<std::string, std::vector<double>> means;
  for (const char* layer : {"stem", "a", "b", "hidden", "product"}) {
    means[layer] = calibration.values.at(layer).mean;
  }
  return means;
}

double Difference(const std::vector<double>& a, const std::vector<double>& b) {
  EXPECT_EQ(a.size(), b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

Graph Corrected(const Graph& original, const Graph& changed) {
  return CorrectBiases(original, changed, ToyImages(), PrimitiveList::All(), HostTarget(2));
}

const Node& NodeNamed(const Graph& graph, const std::string& name) {
  return *std::ranges::find(graph.nodes(), name, &Node::name);
}

TEST(BiasCorrectionTest, EveryLayersMeansAreTheOriginals) {
  const Graph graph = Folded();
  const Graph changed = ParseVariant("svd(rank=2)")->Rewrite(graph, "a");
  const Graph corrected = Corrected(graph, changed);
  const auto wanted = MeansOf(graph), before = MeansOf(changed), after = MeansOf(corrected);
  EXPECT_EQ(Difference(before.at("stem"), wanted.at("stem")), 0);
  for (const char* layer : {"a", "b", "hidden", "product"}) {
    EXPECT_GT(Difference(before.at(layer), wanted.at(layer)), 1e-2) << layer;
    EXPECT_LT(Difference(after.at(layer), wanted.at(layer)), 1e-4) << layer;
  }
  // What is upstream of the change has no bias for its pains; what had none and needs one has one.
  EXPECT_EQ(NodeNamed(corrected, "stem").inputs.size(), 2u);
  EXPECT_EQ(NodeNamed(corrected, "b").inputs.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<Gemm>(NodeNamed(corrected, "product").op));
  EXPECT_EQ(corrected.NumParameters(), changed.NumParameters() + 8 + 4);
}

TEST(BiasCorrectionTest, LayersOfAnotherWidthAreLeftAlone) {
  const Graph graph = Folded();
  const Graph changed = ParseVariant("prune(keep=0.5)")->Rewrite(graph, "a");
  const Graph corrected = Corrected(graph, changed);
  const auto wanted = MeansOf(graph), before = MeansOf(changed), after = MeansOf(corrected);
  EXPECT_EQ(Difference(after.at("a"), before.at("a")), 0);
  EXPECT_GT(Difference(before.at("b"), wanted.at("b")), 1e-2);
  EXPECT_LT(Difference(after.at("b"), wanted.at("b")), 1e-4);
}

TEST(BiasCorrectionTest, WhatIsNotChangedStaysBitForBit) {
  const Graph graph = Folded();
  const Graph same = Corrected(graph, graph);
  ASSERT_EQ(same.nodes().size(), graph.nodes().size());
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    ASSERT_EQ(same.nodes()[n].inputs, graph.nodes()[n].inputs);
    for (const ValueId id : graph.nodes()[n].inputs) {
      EXPECT_EQ(same.value(id).constant, graph.value(id).constant);
    }
  }
}

TEST(BiasCorrectionTest, ImagesMustFit) {
  const Graph graph = Folded();
  EXPECT_THROW(CorrectBiases(graph, graph, ToyDataset(20, {3, 8, 8}, 1), PrimitiveList::All(),
                             HostTarget(1)),
               Error);
}

double LossOf(const Graph& graph) {
  const Tensor logits = Logits(graph, ToyImages(), DType::kF32, HostTarget(2));
  const std::span<const float> values = logits.values<float>();
  double loss = 0;
  for (size_t n = 0; n < ToyImages().labels.size(); ++n) {
    double sum = 0;
    for (size_t c = 0; c < 4; ++c) sum += std::exp(static_cast<double>(values[4 * n + c]));
    loss += std::log(sum) - values[4 * n + static_cast<size_t>(ToyImages().labels[n])];
  }
  return loss / static_cast<double>(ToyImages().labels.size());
}

Graph Trained(const Graph& graph, double rate) {
  TrainSettings settings = FineTuneSettings(ToyImages(), 96, 32);
  settings.learning_rate = rate;
  return FineTune(graph, ToyImages(), settings, HostTarget(2));
}

TEST(StatisticsRepairTest, LowersTheLossOfANetworkWithBatchNorm) {
  NetworkBuilder b(4);
  ValueId x = b.Unit("stem", b.Input({1, 1, 8, 8}), 8);
  x = b.Unit("a", x, 16);
  b.Classify(b.Unit("b", x, 8), 4);
  const Graph trained = Trained(b.graph, 0.05);
  const Graph changed = ParseVariant("prune(keep=0.25)")->Rewrite(trained, "a");
  const RepairedNetwork repaired =
      RepairStatistics(trained, changed, ToyImages(), PrimitiveList::All(), HostTarget(2));
  EXPECT_EQ(repaired.repair, StatisticsRepair::kBatchNorm);
  EXPECT_EQ(repaired.graph.NumParameters(), changed.NumParameters());
  EXPECT_GT(LossOf(changed), LossOf(trained));
  EXPECT_LT(LossOf(repaired.graph), LossOf(changed));
}

TEST(StatisticsRepairTest, CorrectsBiasesWhereThereIsNoBatchNormOrNoTrainingForm) {
  const Graph graph = Folded();
  const Graph changed = ParseVariant("svd(rank=1)")->Rewrite(graph, "a");
  const RepairedNetwork repaired =
      RepairStatistics(graph, changed, ToyImages(), PrimitiveList::All(), HostTarget(2));
  EXPECT_EQ(repaired.repair, StatisticsRepair::kBiases);
  EXPECT_LT(Difference(MeansOf(repaired.graph).at("product"), MeansOf(graph).at("product")), 1e-4);

  NetworkBuilder b(4);
  ValueId x = b.Add("lrn", Lrn{}, {b.Unit("stem", b.Input({1, 1, 8, 8}), 8)});
  b.Classify(b.Unit("a", x, 16, {.kernel = 1}), 4);
  const Graph untrainable = ParseVariant("svd(rank=2)")->Rewrite(b.graph, "a");
  EXPECT_EQ(RepairStatistics(b.graph, untrainable, ToyImages(), PrimitiveList::All(), HostTarget(2))
                .repair,
            StatisticsRepair::kBiases);
}

}  // namespace
}  // namespace fettle
