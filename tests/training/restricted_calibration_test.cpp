// Of statistics that Calibrate makes of a network, and of the pruned one.
#include "fettle/network/variants/restricted_calibration.h"

#include <gtest/gtest.h>

#include "fettle/core/target.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/variants/prune.h"
#include "fettle/training/evaluation/calibrate.h"
#include "tests/support/network_builder.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

Calibration CalibrationOf(const Graph& graph, const Shape& image) {
  return Calibrate(graph, ValuesToCalibrate(graph), ToyDataset(100, image, 3), PrimitiveList::All(),
                   HostTarget(1));
}

KeptIndices Keeping(const Graph& graph, const ChannelGroups& found, const std::string& name,
                    std::vector<int64_t> units) {
  for (size_t i = 0; i < found.groups.size(); ++i) {
    const KeptUnits kept{i, std::move(units)};
    if (found.groups[i].name == name) return {graph, found.groups, {&kept, 1}};
    units = kept.units;
  }
  ADD_FAILURE() << "no group " << name;
  return {graph, found.groups, {}};
}

void ExpectSame(const Moments& a, const Moments& b) {
  EXPECT_EQ(a.samples, b.samples);
  ASSERT_EQ(a.size(), b.size());
  ASSERT_EQ(a.covariance.size(), b.covariance.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a.mean[i], b.mean[i], 1e-5);
  for (size_t i = 0; i < a.covariance.size(); ++i) {
    EXPECT_NEAR(a.covariance[i], b.covariance[i], 1e-5);
  }
}

TEST(RestrictedCalibrationTest, IsThatOfThePrunedNetworkWhereChannelsAreAsBefore) {
  NetworkBuilder b(5);
  const ValueId x = b.Unit("first", b.Input({1, 3, 6, 6}), 8);
  b.Classify(b.Unit("second", x, 6), 4);
  const Calibration whole = CalibrationOf(b.graph, {3, 6, 6});
  const ChannelGroups found = FindChannelGroups(b.graph);
  const KeptIndices kept = Keeping(b.graph, found, "first", {6, 1, 4});
  const Calibration restricted = Restricted(whole, b.graph, kept);
  const Calibration pruned = CalibrationOf(RemoveIndices(b.graph, kept), {3, 6, 6});
  ASSERT_EQ(restricted.values.size(), pruned.values.size());
  for (const char* unchanged : {"input", "first", "first_relu"}) {
    SCOPED_TRACE(unchanged);
    ExpectSame(restricted.values.at(unchanged), pruned.values.at(unchanged));
  }
  ASSERT_EQ(restricted.patches.size(), 2u);
  for (const char* layer : {"first", "second"}) {
    SCOPED_TRACE(layer);
    ExpectSame(restricted.patches.at(layer), pruned.patches.at(layer));
  }
  EXPECT_EQ(restricted.patches.at("second").size(), 27u);
  // Behind the consumer nothing is known to have changed.
  ExpectSame(restricted.values.at("flatten"), whole.values.at("flatten"));
  EXPECT_EQ(restricted.values.at("input").histogram.count(),
            whole.values.at("input").histogram.count());
  EXPECT_EQ(restricted.values.at("first").histogram.count(), 0);
}

TEST(RestrictedCalibrationTest, WithoutCovariancesThereAreMeans) {
  NetworkBuilder b(5);
  b.Classify(b.Unit("first", b.Input({1, 3, 6, 6}), 8), 4);
  Calibration whole = CalibrationOf(b.graph, {3, 6, 6});
  for (auto& [name, statistics] : whole.values) statistics.covariance.clear();
  const ChannelGroups found = FindChannelGroups(b.graph);
  const Calibration restricted =
      Restricted(whole, b.graph, Keeping(b.graph, found, "first", {0, 7}));
  const ActivationStatistics& first = restricted.values.at("first");
  EXPECT_TRUE(first.covariance.empty());
  ASSERT_EQ(first.mean.size(), 2u);
  EXPECT_EQ(first.mean[1], whole.values.at("first").mean[7]);
}

// A product of matrices behind a transpose: the channels lie on another axis of what it reads.
TEST(RestrictedCalibrationTest, OfWhatLosesPositionsNothingIsKnown) {
  NetworkBuilder b(5);
  ValueId x = b.Unit("first", b.Input({1, 3, 6, 6}), 8);
  x = b.Add("last", Transpose{{0, 2, 3, 1}}, {x});
  x = b.Add("product", MatMul{}, {x, b.Constant("w", {8, 5})});
  b.Classify(b.Add("back", Transpose{{0, 3, 1, 2}}, {x}), 4);
  const Calibration whole = CalibrationOf(b.graph, {3, 6, 6});
  ASSERT_TRUE(whole.values.contains("last"));
  const ChannelGroups found = FindChannelGroups(b.graph);
  const Calibration restricted =
      Restricted(whole, b.graph, Keeping(b.graph, found, "first", {0, 7}));
  EXPECT_FALSE(restricted.values.contains("last"));
  EXPECT_EQ(restricted.values.at("first").channels(), 2);
  EXPECT_TRUE(restricted.values.contains("product"));
}

}  // namespace
}  // namespace fettle
