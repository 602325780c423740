#include "fettle/training/evaluation/reconstruction.h"

#include <gtest/gtest.h>

#include "fettle/core/target.h"
#include "fettle/network/batch.h"
#include "fettle/network/saliency.h"
#include "fettle/network/variants/channel_origins.h"
#include "fettle/network/variants/prune.h"
#include "fettle/network/variants/variant_list.h"
#include "tests/support/graph_interpreter.h"
#include "tests/support/network_builder.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

constexpr int64_t kImages = 60;

Graph Network() {
  NetworkBuilder b(5);
  ValueId x = b.Unit("first", b.Input({1, 1, 6, 6}), 8);
  x = b.Unit("second", x, 6);
  b.Classify(b.Unit("third", x, 4), 4);
  return b.graph;
}

// The units of the named group that are most salient stay.
Graph Pruned(const Graph& graph, const std::string& name, int64_t count) {
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  for (size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].name != name) continue;
    return PruneChannels(
        graph, groups,
        std::vector<KeptUnits>{{i, MostSalient(MagnitudeSaliency(graph, groups[i]), count)}});
  }
  return graph;
}

std::map<std::string, double> ErrorsOf(const Graph& original, const Graph& changed) {
  return ReconstructionErrors(original, changed, ToyDataset(kImages, {1, 6, 6}, 3),
                              PrimitiveList::All(), HostTarget(1));
}

std::vector<double> OutputOf(const Graph& graph, const std::string& layer) {
  const Graph of_batch = WithBatch(graph, kImages);
  const std::vector<Array> inputs = {
      ToArray(Images(ToyDataset(kImages, {1, 6, 6}, 3), 0, kImages))};
  const auto arrays = InterpretAll(of_batch, inputs);
  for (const Node& node : of_batch.nodes()) {
    if (node.name == layer) return arrays.at(node.outputs[0]).values;
  }
  return {};
}

TEST(ReconstructionTest, IsThatOfTheConsumers) {
  const Graph original = Network(), changed = Pruned(original, "first", 5);
  const auto errors = ErrorsOf(original, changed);
  ASSERT_EQ(errors.size(), 1u);
  const std::vector<double> was = OutputOf(original, "second"), is = OutputOf(changed, "second");
  double error = 0, variance = 0;
  for (size_t channel = 0; channel < 6; ++channel) {
    double sum = 0, squares = 0, count = 0;
    for (size_t i = 0; i < was.size(); ++i) {
      if (i / 36 % 6 != channel) continue;
      error += (is[i] - was[i]) * (is[i] - was[i]);
      sum += was[i];
      squares += was[i] * was[i];
      ++count;
    }
    variance += squares - sum * sum / count;
  }
  EXPECT_NEAR(errors.at("second"), error / variance, 1e-4 * error / variance);
}

TEST(ReconstructionTest, OfSeveralGroupsEachConsumerHasOne) {
  const Graph original = Network();
  const auto errors = ErrorsOf(original, Pruned(Pruned(original, "second", 4), "third", 2));
  ASSERT_EQ(errors.size(), 1u);  // "third" computes fewer channels, which cannot be compared
  EXPECT_GT(errors.at("classifier"), 0);
}

TEST(ReconstructionTest, NothingChangedIsNothing) {
  EXPECT_TRUE(ErrorsOf(Network(), Network()).empty());
}

// A variant that puts channels in another order too is compared channel by channel as they were.
TEST(ReconstructionTest, FollowsChannelsThatChangePlaces) {
  const Graph original = Network();
  const TrackedRewrite tracked =
      RewriteTracked(*ParseVariant("group(groups=2)"), original, "second");
  ASSERT_TRUE(tracked.origins.contains("second"));
  const double error =
      ReconstructionErrors(original, tracked.graph, ToyDataset(kImages, {1, 6, 6}, 3),
                           PrimitiveList::All(), HostTarget(1), tracked.origins)
          .at("second");
  const std::vector<double> was = OutputOf(original, "second");
  const std::vector<double> is = OutputOf(tracked.graph, "second");
  double squares = 0, variance = 0;
  for (size_t channel = 0; channel < 6; ++channel) {
    const auto origin = static_cast<size_t>(tracked.origins.at("second")[channel]);
    double sum = 0, sum_of_squares = 0;
    for (size_t n = 0; n < kImages; ++n) {
      for (size_t p = 0; p < 36; ++p) {
        const double before = was[(n * 6 + origin) * 36 + p];
        const double difference = is[(n * 6 + channel) * 36 + p] - before;
        squares += difference * difference;
        sum += before;
        sum_of_squares += before * before;
      }
    }
    variance += sum_of_squares - sum * sum / (kImages * 36);
  }
  EXPECT_NEAR(error, squares / variance, 1e-4 * error);
  EXPECT_LT(error, ErrorsOf(original, tracked.graph).at("second"));
}

}  // namespace
}  // namespace fettle
