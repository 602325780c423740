// What variants say they lose, by the weights.
#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/network/variants/weighted_layer.h"
#include "tests/network/random_network.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

TEST(WeightErrorTest, OfPruningIsTheShareOfTheSquaredNormThatGoes) {
  NetworkBuilder b(1);
  b.Classify(b.Relu("relu", b.Convolve("conv", b.Input({1, 3, 4, 4}), 8)));
  // Filters of 1, 2, ..., 8 times the same magnitude.
  const Graph& network = b.graph;
  Tensor weights(network.value(network.nodes()[0].inputs[1]).type);
  for (size_t i = 0; i < weights.values<float>().size(); ++i) {
    weights.values<float>()[i] = static_cast<float>(i / 27 + 1);
  }
  const Graph graph = WithConstants(network, {{network.nodes()[0].inputs[1], weights}});
  const auto error = ParseVariant("prune(keep=0.5)")->WeightError(graph, "conv");
  EXPECT_NEAR(error.value(), (1.0 + 4 + 9 + 16) / 204, 1e-9);
  EXPECT_EQ(ParseVariant("prune(keep=1)")->WeightError(graph, "conv").value(), 0);
}

TEST(WeightErrorTest, OfSvdIsTheEnergyLeft) {
  NetworkBuilder b(2);
  b.Classify(b.Convolve("conv", b.Input({1, 8, 4, 4}), 6, {.kernel = 1}));
  const Matrix kernel = KernelOf(b.graph, FindWeightedLayer(b.graph, "conv"));
  const std::vector<double> energies = SpectrumOf(kernel);
  double all = 0, left = 0;
  for (size_t i = 0; i < energies.size(); ++i) {
    all += energies[i];
    if (i >= 2) left += energies[i];
  }
  EXPECT_NEAR(ParseVariant("svd(rank=2)")->WeightError(b.graph, "conv").value(), left / all, 1e-9);
}

TEST(WeightErrorTest, EveryOptionHasAShareOfOneAndIsRefusedWhereRewritingIs) {
  size_t options = 0;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    const Graph graph = RandomNetwork(seed);
    for (const NetworkDecision& decision :
         FindDecisions(graph, {.channel_step = 2, .most_options = 2})) {
      for (const NetworkOption& option : decision.options) {
        EXPECT_GT(option.weight_bytes, 0);
        const auto variant = ParseVariant(option.variant);
        EXPECT_THROW(variant->WeightError(graph, "nowhere"), Error) << option.variant;
        const std::optional<double> error = variant->WeightError(graph, decision.layer);
        if (!error) continue;
        EXPECT_NEAR(option.error.value_or(*error), *error, 1e-6) << option.variant;
        EXPECT_GE(*error, option.least_error - 1e-6) << option.variant;
        EXPECT_GE(*error, 0) << option.variant;
        EXPECT_LE(*error, 1 + 1e-9) << option.variant;
        ++options;
      }
    }
  }
  EXPECT_GT(options, 50u);
}

}  // namespace
}  // namespace fettle
