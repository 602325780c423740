// Least squares on real statistics: those that Calibrate makes of a network and images.
#include "fettle/network/variants/consumer_reconstruction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "fettle/core/error.h"
#include "fettle/core/target.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/least_squares.h"
#include "fettle/network/variants/prune.h"
#include "fettle/network/variants/weighted_layer.h"
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

// What a consumer's outputs miss, in the mean square, of what they were, on the moments of its
// input: of what varies and of the mean. The first `count` of its input's channels stay.
double ErrorOnMoments(const Graph& graph, const Graph& pruned, const std::string& name,
                      int64_t count, const Calibration& calibration) {
  const WeightedLayer layer = FindWeightedLayer(graph, name);
  const WeightedLayer changed = FindWeightedLayer(pruned, name);
  const Moments& moments = *InputMoments(graph, layer, &calibration);
  Matrix missed = KernelOf(graph, layer);
  const Matrix kernel = KernelOf(pruned, changed);
  EXPECT_EQ(kernel.columns(), static_cast<size_t>(count * layer.taps()));
  const std::vector<double> before = BiasOf(graph, layer), after = BiasOf(pruned, changed);
  double error = 0;
  for (size_t t = 0; t < missed.rows(); ++t) {
    for (size_t c = 0; c < kernel.columns(); ++c) missed(t, c) -= kernel(t, c);
    double mean = before[t] - after[t];
    for (size_t c = 0; c < missed.columns(); ++c) mean += missed(t, c) * moments.mean[c];
    error += mean * mean;
  }
  const Matrix varying = Product(missed, CovarianceOf(moments));
  for (size_t i = 0; i < missed.values().size(); ++i) {
    error += varying.values()[i] * missed.values()[i];
  }
  return error;
}

// The least that any weights can come to: W (C_rr - C_rk C_kk^-1 C_kr) W^T, the inverse by
// eigenvectors, without those of no variance.
double LeastErrorOnMoments(const Graph& graph, const std::string& name, int64_t count,
                           const Calibration& calibration) {
  const WeightedLayer layer = FindWeightedLayer(graph, name);
  const Matrix covariance = CovarianceOf(*InputMoments(graph, layer, &calibration));
  const Matrix kernel = KernelOf(graph, layer);
  const auto kept = static_cast<size_t>(count * layer.taps()), all = covariance.rows();
  Matrix of_kept(kept, kept), seen(kernel.rows(), kept);
  Matrix removed = kernel;
  for (size_t t = 0; t < kernel.rows(); ++t) std::ranges::fill(removed.row(t).first(kept), 0.0);
  const Matrix products = Product(removed, covariance);
  for (size_t i = 0; i < kept; ++i) {
    for (size_t k = 0; k < kept; ++k) of_kept(i, k) = covariance(i, k);
    for (size_t t = 0; t < kernel.rows(); ++t) seen(t, i) = products(t, i);
  }
  double error = 0;
  for (size_t t = 0; t < kernel.rows(); ++t) {
    for (size_t c = 0; c < all; ++c) error += products(t, c) * removed(t, c);
  }
  const EigenDecomposition eigen = SymmetricEigen(of_kept);
  const Matrix along = Product(seen, eigen.vectors);
  for (size_t k = 0; k < kept; ++k) {
    if (eigen.values[k] < 1e-9 * eigen.values[0]) continue;
    for (size_t t = 0; t < kernel.rows(); ++t) {
      error -= along(t, k) * along(t, k) / eigen.values[k];
    }
  }
  return error;
}

using Consumer = std::pair<std::string, std::string>;  // the group that it reads, and its name
const Consumer kConsumers[] = {{"first", "second"}, {"second", "third"}, {"third", "classifier"}};

TEST(ConsumerReconstructionTest, WhatIsLinearInOthersCostsNothing) {
  for (const int64_t kernel : {1, 3}) {
    Graph graph = Network(kernel);
    CopyFirstUnitToLast(&graph);
    Calibration calibration = CalibrationOf(graph);
    const double plain = ErrorOf(graph, Pruned(graph, "first", 7, nullptr), "second");
    EXPECT_GT(plain, 1e-2) << kernel;
    for (const bool knows_patches : {true, false}) {
      if (!knows_patches) calibration.patches.clear();
      const Graph reconstructed = Pruned(graph, "first", 7, &calibration);
      EXPECT_LT(ErrorOf(graph, reconstructed, "second"), 1e-4) << kernel << knows_patches;
    }
  }
}

TEST(ConsumerReconstructionTest, NoOtherWeightsDoBetterOnTheCalibrationData) {
  for (const int64_t kernel : {1, 3}) {
    const Graph graph = Network(kernel);
    const Calibration calibration = CalibrationOf(graph);
    for (const auto& [group, layer] : kConsumers) {
      for (const int64_t count : {3, 2, 1}) {
        SCOPED_TRACE(Text(layer, " of ", kernel, " reads ", count));
        const auto error_of = [&](const Calibration* given) {
          return ErrorOnMoments(graph, Pruned(graph, group, count, given), layer, count,
                                calibration);
        };
        const double least = LeastErrorOnMoments(graph, layer, count, calibration);
        EXPECT_GT(least, 0);
        EXPECT_GT(error_of(&calibration), (1 - 1e-4) * least);
        EXPECT_LT(error_of(&calibration), 1.01 * least);
        EXPECT_LT(error_of(&calibration), error_of(nullptr));
      }
    }
  }
}

// One position at a time is no least squares over the taps.
TEST(ConsumerReconstructionTest, PatchesTellMoreThanPositions) {
  const Graph graph = Network(3);
  const Calibration calibration = CalibrationOf(graph);
  Calibration positions = calibration;
  positions.patches.clear();
  const auto error_of = [&](const Calibration& given) {
    return ErrorOnMoments(graph, Pruned(graph, "second", 3, &given), "third", 3, calibration);
  };
  EXPECT_LT(error_of(calibration), 0.95 * error_of(positions));
}

// Of the network, over all positions of its images.
TEST(ConsumerReconstructionTest, IsBetterThanConstants) {
  for (const int64_t kernel : {1, 3}) {
    const Graph graph = Network(kernel);
    const Calibration calibration = CalibrationOf(graph);
    for (const auto& [group, layer] : kConsumers) {
      double before = 0;
      for (const int64_t count : {3, 2, 1}) {
        SCOPED_TRACE(Text(layer, " of ", kernel, " reads ", count));
        const double plain = ErrorOf(graph, Pruned(graph, group, count, nullptr), layer);
        const double reconstructed =
            ErrorOf(graph, Pruned(graph, group, count, &calibration), layer);
        EXPECT_LT(reconstructed, plain);
        EXPECT_GT(reconstructed, 0.98 * before);  // fewer explain less
        before = reconstructed;
      }
    }
  }
}

// A product's factor is in what its bias is told, and not twice in its weights.
TEST(ConsumerReconstructionTest, ProductsHaveFactors) {
  NetworkBuilder b(4);
  ValueId x = b.Unit("first", b.Input({1, 3, 6, 6}), 8);
  x = b.Flatten("flatten", b.Add("pool", GlobalAveragePool{}, {x}));
  b.graph.AddOutput(b.Add("product", Gemm{.alpha = 0.25F, .beta = 3},
                          {x, b.Constant("w", {8, 4}), b.Constant("bias", {4})}));
  const Calibration calibration = CalibrationOf(b.graph);
  const double least = LeastErrorOnMoments(b.graph, "product", 5, calibration);
  const double error =
      ErrorOnMoments(b.graph, Pruned(b.graph, "first", 5, &calibration), "product", 5, calibration);
  EXPECT_GT(least, 0);
  EXPECT_LT(error, 1.01 * least);
}

TEST(ConsumerReconstructionTest, WithoutStatisticsNothingIsNamed) {
  const Graph graph = Network(1);
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  const KeptUnits kept{0, {0, 1}};
  const KeptIndices indices(graph, groups, {&kept, 1});
  EXPECT_TRUE(ReconstructConsumers(graph, indices, {}).weights.empty());
  Calibration without = CalibrationOf(graph);
  for (auto& [name, statistics] : without.values) statistics.covariance.clear();
  without.patches.clear();
  EXPECT_TRUE(ReconstructConsumers(graph, indices, without).biases.empty());
}

}  // namespace
}  // namespace fettle
