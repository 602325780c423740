// Against central differences by explicit gates, in double precision.
#include "fettle/training/evaluation/fisher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/training/evaluation/taylor.h"
#include "fettle/training/trainer/parameter.h"
#include "tests/support/network_builder.h"
#include "tests/training/toy_dataset.h"
#include "tests/training/training_interpreter.h"

namespace fettle {
namespace {

constexpr int64_t kImages = 6, kWidth = 5, kSide = 4;

// A stem and a block beside a shortcut, whose outputs are coupled, and a layer of its own within.
// `gate` (null for none) is called where a gate may stand.
template <typename Gate>
Graph Network(int64_t batch, const Gate& gate) {
  NetworkBuilder b(11);
  ValueId x = b.Input({batch, 1, kSide, kSide});
  x = gate(&b, "stem", b.Normalise("stem_bn", b.Convolve("stem", x, kWidth)));
  const ValueId shortcut = b.Relu("stem_relu", x);
  ValueId y = b.Convolve("inner", shortcut, kWidth + 1, {.has_bias = true});
  y = b.Relu("inner_relu", gate(&b, "inner", y));
  y = gate(&b, "outer", b.Normalise("outer_bn", b.Convolve("outer", y, kWidth)));
  b.Classify(b.Relu("sum_relu", b.Add("sum", Binary{BinaryKind::kAdd}, {y, shortcut})), 4);
  return b.graph;
}

Graph Plain() {
  return Network(1, [](NetworkBuilder*, const char*, ValueId x) { return x; });
}

class Oracle {
 public:
  explicit Oracle(const Dataset& dataset)
      : dataset_(dataset), images_(ToArray(Images(dataset, 0, kImages))) {
    graph_ = Network(kImages, [](NetworkBuilder* b, const std::string& name, ValueId x) {
      Tensor ones(TensorType{DType::kF32, {kImages, b->Channels(x), 1, 1}});
      for (float& one : ones.values<float>()) one = 1;
      const ValueId gate = b->graph.AddConstant(name + ".gate", std::move(ones));
      return b->Add(name + "_gated", Binary{BinaryKind::kMul}, {x, gate});
    });
    for (const Parameter& parameter : ParametersOf(graph_)) {
      names_.push_back(parameter.name);
      constants_.push_back(ToArray(parameter.values));
    }
  }

  // 1 / (2 N) sum over the images of the square of the loss's slope by these layers' gates
  // together.
  double Information(const std::vector<std::string>& layers, int64_t channel) {
    double sum = 0;
    for (const double slope : Slopes(layers, channel)) sum += slope * slope;
    return sum / (2.0 * kImages);
  }

  // The mean of its magnitude.
  double Taylor(const std::vector<std::string>& layers, int64_t channel) {
    double sum = 0;
    for (const double slope : Slopes(layers, channel)) sum += std::abs(slope);
    return sum / kImages;
  }

 private:
  // Of the loss by the gates of each image.
  std::vector<double> Slopes(const std::vector<std::string>& layers, int64_t channel) {
    std::vector<double> slopes;
    for (int64_t n = 0; n < kImages; ++n) {
      constexpr double kStep = 1e-5;
      slopes.push_back((Loss(layers, n, channel, kStep) - Loss(layers, n, channel, -kStep)) /
                       (2 * kStep));
    }
    return slopes;
  }

  double Loss(const std::vector<std::string>& layers, int64_t image, int64_t channel, double step) {
    std::vector<Array> constants = constants_;
    for (const std::string& layer : layers) {
      const auto found = std::ranges::find(names_, layer + ".gate");
      Array& gate = constants.at(static_cast<size_t>(found - names_.begin()));
      gate.values[static_cast<size_t>(image * gate.shape[1] + channel)] += step;
    }
    const Array logits = InterpretInTraining(graph_, images_, constants);
    double loss = 0;
    for (size_t n = 0; n < kImages; ++n) {
      double sum = 0;
      for (size_t c = 0; c < 4; ++c) sum += std::exp(logits.values[4 * n + c]);
      loss += std::log(sum) - logits.values[4 * n + static_cast<size_t>(dataset_.labels[n])];
    }
    return loss;
  }

  const Dataset& dataset_;
  Array images_;
  Graph graph_;
  std::vector<std::string> names_;
  std::vector<Array> constants_;
};

TEST(FisherTest, InformationIsTheSquaredSlopeByCoupledGates) {
  const Dataset dataset = ToyDataset(kImages, {1, kSide, kSide}, 1);
  const Graph graph = Plain();
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  ASSERT_EQ(groups.size(), 2u);
  const auto information = FisherInformation(graph, groups, dataset, HostTarget(1));
  Oracle oracle(dataset);
  for (size_t g = 0; g < groups.size(); ++g) {
    const bool is_coupled = groups[g].name == "stem";
    ASSERT_EQ(groups[g].num_units, is_coupled ? kWidth : kWidth + 1);
    for (int64_t unit = 0; unit < groups[g].num_units; ++unit) {
      const double expected = is_coupled ? oracle.Information({"stem", "outer"}, unit)
                                         : oracle.Information({"inner"}, unit);
      EXPECT_NEAR(information[g][static_cast<size_t>(unit)], expected, 1e-4 * (1e-2 + expected))
          << groups[g].name << ' ' << unit;
    }
  }
}

TEST(TaylorTest, SaliencyIsTheSlopeByCoupledGates) {
  const Dataset dataset = ToyDataset(kImages, {1, kSide, kSide}, 1);
  const Graph graph = Plain();
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  const auto saliency = TaylorSaliency(graph, groups, dataset, HostTarget(1));
  Oracle oracle(dataset);
  for (size_t g = 0; g < groups.size(); ++g) {
    const std::vector<std::string> layers = groups[g].name == "stem"
                                                ? std::vector<std::string>{"stem", "outer"}
                                                : std::vector<std::string>{"inner"};
    for (int64_t unit = 0; unit < groups[g].num_units; ++unit) {
      const double expected = oracle.Taylor(layers, unit);
      EXPECT_GT(expected, 0);
      EXPECT_NEAR(saliency[g][static_cast<size_t>(unit)], expected, 1e-4 * (1e-2 + expected))
          << groups[g].name << ' ' << unit;
    }
  }
}

TEST(TaylorTest, WantsLabels) {
  Dataset dataset = ToyDataset(kImages, {1, kSide, kSide}, 1);
  dataset.labels.clear();
  dataset.num_classes = 0;
  const Graph graph = Plain();
  EXPECT_THROW(TaylorSaliency(graph, FindChannelGroups(graph).groups, dataset, HostTarget(1)),
               Error);
}

TEST(FisherTest, PotentialIsTheSumOverAllLayersButTheLast) {
  const Dataset dataset = ToyDataset(kImages, {1, kSide, kSide}, 1);
  Oracle oracle(dataset);
  double expected = 0;
  for (int64_t channel = 0; channel < kWidth + 1; ++channel) {
    expected += oracle.Information({"inner"}, channel);
    if (channel == kWidth) continue;
    expected += oracle.Information({"stem"}, channel) + oracle.Information({"outer"}, channel);
  }
  EXPECT_NEAR(FisherPotential(Plain(), dataset, HostTarget(1)), expected, 1e-4 * expected);
}

TEST(FisherTest, TheSameForAnyNumberOfThreads) {
  const Dataset dataset = ToyDataset(200, {1, kSide, kSide}, 2);
  const Graph graph = Plain();
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  EXPECT_EQ(FisherInformation(graph, groups, dataset, HostTarget(1)),
            FisherInformation(graph, groups, dataset, HostTarget(3)));
  EXPECT_EQ(FisherPotential(graph, dataset, HostTarget(1)),
            FisherPotential(graph, dataset, HostTarget(3)));
}

}  // namespace
}  // namespace fettle
