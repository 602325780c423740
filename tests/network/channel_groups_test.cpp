#include "fettle/network/channel_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fettle/core/error.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const ChannelGroup* Find(const ChannelGroups& found, const std::string& name) {
  for (const ChannelGroup& group : found.groups) {
    if (group.name == name) return &group;
  }
  return nullptr;
}

const ChannelSlice* Find(const Graph& graph, const ChannelGroup& group, const std::string& tensor,
                         int axis) {
  for (const ChannelSlice& slice : group.slices) {
    if (graph.value(slice.place.value).name == tensor && slice.place.axis == axis) return &slice;
  }
  return nullptr;
}

std::vector<std::string> Names(const ChannelGroups& found) {
  std::vector<std::string> names;
  for (const ChannelGroup& group : found.groups) {
    names.push_back(Text(group.name, ":", group.num_units, "x", group.channels_per_unit()));
  }
  return names;
}

std::vector<std::string> ProducersOf(const Graph& graph, const ChannelGroup& group) {
  std::vector<std::string> names;
  for (int n : group.producers) names.push_back(graph.nodes()[n].name);
  return names;
}

std::string ReasonOf(const ChannelGroups& found, const std::string& name) {
  for (const FrozenChannels& frozen : found.frozen) {
    if (frozen.name == name) return Text(frozen.num_channels, " ", frozen.reason);
  }
  return "";
}

TEST(ChannelGroupsTest, AChainHasAGroupForEachLayerButTheLast) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("first", b.Input({1, 3, 8, 8}), 4);
  x = b.Unit("second", x, 6);
  b.Classify(x);
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("first:4x1", "second:6x1"));
  const ChannelGroup& first = found.groups[0];
  EXPECT_THAT(ProducersOf(b.graph, first), ElementsAre("first"));
  for (const char* name : {"first_bn.scale", "first_bn.shift", "first_bn.mean"}) {
    ASSERT_NE(Find(b.graph, first, name, 0), nullptr) << name;
  }
  ASSERT_NE(Find(b.graph, first, "second.weight", 1), nullptr);
  EXPECT_THAT(Find(b.graph, first, "first.weight", 0)->Of(2), ElementsAre(2));
  EXPECT_EQ(Find(b.graph, first, "first.weight", 1), nullptr);
  EXPECT_EQ(ReasonOf(found, "classifier"), "3 they are the output 'classifier'");
}

TEST(ChannelGroupsTest, AResidualSumTiesItsBranches) {
  NetworkBuilder b(1);
  const ValueId stem = b.Unit("stem", b.Input({1, 3, 8, 8}), 4);
  ValueId x = b.Normalise("b_bn", b.Convolve("b", b.Unit("a", stem, 6), 4));
  x = b.Add("add", Binary{}, {stem, x});
  const ValueId wide = b.Convolve("c", x, 8);
  const ValueId projected = b.Convolve("projection", x, 8, {.kernel = 1});
  b.Classify(b.Add("sum", Sum{}, {wide, projected}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("stem:4x1", "a:6x1", "c:8x1"));
  EXPECT_THAT(ProducersOf(b.graph, found.groups[0]), ElementsAre("stem", "b"));
  EXPECT_THAT(ProducersOf(b.graph, found.groups[2]), ElementsAre("c", "projection"));
}

TEST(ChannelGroupsTest, AResidualSumWithTheInputIsFrozen) {
  NetworkBuilder b(1);
  const ValueId input = b.Input({1, 3, 8, 8});
  const ValueId conv = b.Convolve("conv", input, 3);
  b.Classify(b.Add("add", Binary{}, {input, conv}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(found.groups, IsEmpty());
  EXPECT_EQ(ReasonOf(found, "conv"), "3 they are the input 'input'");
}

TEST(ChannelGroupsTest, ADepthwiseConvolutionPassesChannelsThrough) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("expand", b.Input({1, 3, 8, 8}), 6, {.kernel = 1});
  x = b.Unit("depthwise", x, 12, {.groups = 6});
  b.Classify(b.Convolve("project", x, 4, {.kernel = 1}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("expand:6x1", "project:4x1"));
  const ChannelGroup& group = found.groups[0];
  EXPECT_THAT(ProducersOf(b.graph, group), ElementsAre("expand", "depthwise"));
  EXPECT_THAT(Find(b.graph, group, "depthwise.weight", 0)->Of(2), ElementsAre(4, 5));
  EXPECT_THAT(Find(b.graph, group, "project.weight", 1)->Of(2), ElementsAre(4, 5));
}

TEST(ChannelGroupsTest, GroupedConvolutionsLoseWholeGroupsOrTheSamePlacesOfEach) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("in", b.Input({1, 3, 8, 8}), 12);
  x = b.Unit("many", x, 8, {.groups = 4});  // 4 groups of 3 inputs: whole groups
  x = b.Unit("few", x, 6, {.groups = 2});   // 2 groups of 4 inputs: places
  b.Classify(x);
  const ChannelGroups found = FindChannelGroups(b.graph);
  // Places 0..3 of `few` tie channels c and c + 4 of `many`, thus its groups 0, 2 and 1, 3.
  EXPECT_THAT(Names(found), ElementsAre("in:2x6", "few:3x2"));
  EXPECT_THAT(Find(b.graph, found.groups[0], "in.weight", 0)->Of(0), ElementsAre(0, 1, 2, 6, 7, 8));
  EXPECT_THAT(Find(b.graph, found.groups[0], "few.weight", 1)->Of(1), ElementsAre(2, 3));
  EXPECT_THAT(Find(b.graph, found.groups[1], "few.weight", 0)->Of(1), ElementsAre(1, 4));
}

TEST(ChannelGroupsTest, AConcatenationShiftsChannels) {
  NetworkBuilder b(1);
  const ValueId input = b.Input({1, 3, 8, 8});
  const ValueId left = b.Unit("left", input, 4), right = b.Unit("right", input, 6);
  const ValueId x = b.Add("concat", Concat{1}, {left, input, right});
  b.Classify(b.Convolve("reader", x, 5));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("left:4x1", "right:6x1", "reader:5x1"));
  EXPECT_THAT(Find(b.graph, found.groups[0], "reader.weight", 1)->Of(1), ElementsAre(1));
  EXPECT_THAT(Find(b.graph, found.groups[1], "reader.weight", 1)->Of(1), ElementsAre(8));
}

TEST(ChannelGroupsTest, AConcatenationOverAnotherAxisTiesChannels) {
  NetworkBuilder b(1);
  const ValueId input = b.Input({1, 3, 8, 8});
  const ValueId x = b.Add("concat", Concat{3}, {b.Unit("a", input, 4), b.Unit("b", input, 4)});
  b.Classify(x);
  EXPECT_THAT(Names(FindChannelGroups(b.graph)), ElementsAre("a:4x1"));
}

TEST(ChannelGroupsTest, ASplitMakesAGroupOfEachPart) {
  NetworkBuilder b(1);
  const ValueId x = b.Unit("conv", b.Input({1, 3, 8, 8}), 10);
  const auto parts = b.graph.AddNode("split", Split{1, {4, 6}}, {x});
  b.Classify(b.Add("add", Binary{}, {b.Convolve("a", parts[0], 2), b.Convolve("b", parts[1], 2)}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("conv:4x1", "conv#2:6x1", "a:2x1"));
  EXPECT_THAT(Find(b.graph, found.groups[1], "conv.weight", 0)->Of(0), ElementsAre(4));
  EXPECT_THAT(Find(b.graph, found.groups[1], "b.weight", 1)->Of(0), ElementsAre(0));
}

TEST(ChannelGroupsTest, GroupNamesAreUniqueAmongNodesToo) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("conv", b.Input({1, 3, 8, 8}), 10);
  const auto parts = b.graph.AddNode("split", Split{1, {4, 6}}, {x});
  x = b.Convolve("conv#2", parts[0], 2);
  b.Classify(b.Add("add", Binary{}, {x, b.Convolve("b", parts[1], 2)}));
  EXPECT_THAT(Names(FindChannelGroups(b.graph)),
              ElementsAre("conv:4x1", "conv#3:6x1", "conv#2:2x1"));
}

TEST(ChannelGroupsTest, AShuffleTiesThePlacesOfItsGroups) {
  NetworkBuilder b(1);
  const ValueId x = b.Shuffle("shuffle", b.Unit("conv", b.Input({1, 3, 8, 8}), 12), 3);
  b.Classify(b.Convolve("reader", x, 2));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("conv:4x3", "reader:2x1"));
  EXPECT_THAT(Find(b.graph, found.groups[0], "conv.weight", 0)->Of(1), ElementsAre(1, 5, 9));
  EXPECT_THAT(Find(b.graph, found.groups[0], "reader.weight", 1)->Of(1), ElementsAre(3, 4, 5));
}

TEST(ChannelGroupsTest, FlatteningTurnsAChannelIntoFeatures) {
  NetworkBuilder b(1);
  const ValueId x = b.Flatten("flatten", b.Unit("conv", b.Input({2, 3, 2, 3}), 4));
  b.graph.AddOutput(b.Linear("classifier", x, 5));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("conv:4x1"));
  EXPECT_THAT(Find(b.graph, found.groups[0], "classifier.weight", 1)->Of(1),
              ElementsAre(6, 7, 8, 9, 10, 11));
}

TEST(ChannelGroupsTest, FlatteningChannelsLastTurnsAChannelIntoEveryFewthFeature) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("conv", b.Input({1, 3, 2, 2}), 4);
  x = b.Flatten("flatten", b.Add("nhwc", Transpose{{0, 2, 3, 1}}, {x}));
  b.graph.AddOutput(b.Linear("classifier", x, 5));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("conv:4x1"));
  EXPECT_THAT(Find(b.graph, found.groups[0], "classifier.weight", 1)->Of(1),
              ElementsAre(1, 5, 9, 13));
}

TEST(ChannelGroupsTest, AGateIsTiedToWhatItGates) {
  NetworkBuilder b(1);
  const ValueId x = b.Unit("conv", b.Input({1, 3, 8, 8}), 6);
  ValueId gate = b.Add("squeeze", GlobalAveragePool{}, {x});
  gate = b.Convolve("excite", b.Relu("relu", b.Convolve("reduce", gate, 2, {.kernel = 1})), 6,
                    {.kernel = 1});
  gate = b.Add("gate", Activation{ActivationKind::kSigmoid, 0, 0}, {gate});
  b.Classify(b.Add("gated", Binary{BinaryKind::kMul}, {x, gate}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("conv:6x1", "reduce:2x1"));
  EXPECT_THAT(ProducersOf(b.graph, found.groups[0]), ElementsAre("conv", "excite"));
}

TEST(ChannelGroupsTest, AMapOfOneChannelIsBroadcastAndStays) {
  NetworkBuilder b(1);
  const ValueId x = b.Unit("conv", b.Input({1, 3, 8, 8}), 6);
  const ValueId map = b.Convolve("map", x, 1);
  b.Classify(b.Add("masked", Binary{BinaryKind::kMul}, {x, map}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("conv:6x1"));
  EXPECT_EQ(ReasonOf(found, "map"), "1 the axis has a single index");
}

TEST(ChannelGroupsTest, ConstantsAreSlicedAlongTheChannelsTheyMeet) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("conv", b.Input({1, 3, 8, 8}), 6);
  x = b.Add("a", Binary{}, {x, b.Constant("per_channel", {6, 1, 1})});
  x = b.Add("b", Binary{}, {x, b.Constant("scalar", {})});
  x = b.Add("c", Binary{}, {b.Constant("plane", {1, 1, 8, 8}), x});
  b.Classify(x);
  const ChannelGroups found = FindChannelGroups(b.graph);
  ASSERT_THAT(Names(found), ElementsAre("conv:6x1"));
  EXPECT_NE(Find(b.graph, found.groups[0], "per_channel", 0), nullptr);
  EXPECT_EQ(Find(b.graph, found.groups[0], "plane", 1), nullptr);
}

TEST(ChannelGroupsTest, ALinearNetworkHasGroupsToo) {
  NetworkBuilder b(1);
  ValueId x = b.Relu("relu", b.Linear("hidden", b.Input({2, 5}), 7));
  x = b.Add("second", MatMul{}, {x, b.Constant("w", {7, 4})});
  x = b.Add("bias", Binary{}, {x, b.Constant("v", {4})});
  b.graph.AddOutput(b.Linear("classifier", x, 3));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("hidden:7x1", "second:4x1"));
  EXPECT_NE(Find(b.graph, found.groups[0], "w", 0), nullptr);
  EXPECT_NE(Find(b.graph, found.groups[1], "v", 0), nullptr);
}

TEST(ChannelGroupsTest, ASharedWeightTiesAllItsUses) {
  NetworkBuilder b(1);
  const ValueId input = b.Input({1, 3, 8, 8});
  const ValueId weight = b.Constant("shared", {4, 3, 1, 1});
  const Conv op{NetworkBuilder::WindowOf(1, 1, 0), 1};
  const ValueId a = b.Add("a", op, {input, weight});
  const ValueId c = b.Add("c", op, {b.Relu("relu", input), weight});
  b.Classify(b.Add("add", Binary{}, {b.Convolve("p", a, 2), b.Convolve("q", c, 2)}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("a:4x1", "p:2x1"));
  EXPECT_THAT(ProducersOf(b.graph, found.groups[0]), ElementsAre("a", "c"));
}

// Each operator that cannot lose channels, by name and reason.
TEST(ChannelGroupsTest, WhatMixesChannelsFreezesThem) {
  const Shape shape = {1, 6, 4, 4};
  const struct {
    Op op;
    const char* reason;
  } cases[] = {
      {Softmax{1}, "'op' (softmax): the softmax is taken over them"},
      {Lrn{}, "'op' (lrn): each is divided by the norm of its neighbours"},
      {ReduceMean{{1}, true}, "'op' (reduce_mean): the mean is taken over them"},
      {Slice{{0, 0, 0, 0}, shape, {1, 2, 1, 1}}, "'op' (slice): they are sliced with a step"},
      {Slice{{0, 5, 0, 0}, {1, -1, 4, 4}, {1, -1, 1, 1}}, "sliced with a step"},
      {Pad{PadMode::kEdge, {0, 1, 0, 0}, {0, 0, 0, 0}, 0}, "'op' (pad): they are padded"},
      {Pad{PadMode::kConstant, {0, -1, 0, 0}, {0, 0, 0, 0}, 0}, "'op' (pad): they are padded"},
      {Resize{.scales = {1, 2, 1, 1}, .sizes = {1, 12, 4, 4}}, "they are interpolated"},
      {Reshape{{1, 4, 3, 8}}, "'op' (reshape): they are reshaped unevenly"},
  };
  for (const auto& [op, reason] : cases) {
    NetworkBuilder b(1);
    const ValueId x = b.Convolve("conv", b.Input({1, 3, 4, 4}), 6);
    b.graph.AddOutput(b.Linear("last", b.Flatten("flatten", b.Add("op", op, {x})), 2));
    const ChannelGroups found = FindChannelGroups(b.graph);
    EXPECT_EQ(Find(found, "conv"), nullptr) << OpText(op);
    EXPECT_THAT(ReasonOf(found, "conv"), HasSubstr(reason)) << OpText(op);
  }
}

TEST(ChannelGroupsTest, WhatLeavesChannelsApartLeavesThemFree) {
  const Op ops[] = {
      Softmax{2},
      ReduceMean{{2, 3}, true},
      ReduceMean{{2}, false},
      Slice{{0, 0, 1, 0}, {1, 6, 4, 4}, {1, 1, 2, 1}},
      Pad{PadMode::kReflect, {0, 0, 1, 1}, {0, 0, 1, 1}, 0},
      Resize{.scales = {1, 1, 2, 2}, .sizes = {1, 6, 8, 8}},
      Cast{DType::kF32},
      Identity{},
      Reshape{{1, 6, 2, 8}},
      Reshape{{6, 4, 4}},
  };
  for (const Op& op : ops) {
    NetworkBuilder b(1);
    const ValueId x = b.Convolve("conv", b.Input({1, 3, 4, 4}), 6);
    const ValueId y = b.Add("op", op, {x});
    const ValueId flat = b.Add("flat", Reshape{{1, ElementCount(b.ShapeOf(y))}}, {y});
    b.graph.AddOutput(b.Linear("last", flat, 2));
    EXPECT_THAT(Names(FindChannelGroups(b.graph)), ElementsAre("conv:6x1")) << OpText(op);
  }
}

TEST(ChannelGroupsTest, ChannelsPaddedOnAreTiedToWhatTheyMeet) {
  NetworkBuilder b(1);
  const ValueId x = b.Convolve("conv", b.Input({1, 3, 4, 4}), 6);
  const Pad op{PadMode::kConstant, {0, 2, 0, 0}, {0, 1, 0, 0}, 0};
  const ValueId padded = b.Add("pad", op, {x});
  b.Classify(b.Add("add", Binary{}, {padded, b.Convolve("wide", x, 9)}));
  const ChannelGroups found = FindChannelGroups(b.graph);
  ASSERT_THAT(Names(found), ElementsAre("conv:6x1", "pad:3x1"));
  EXPECT_THAT(Find(b.graph, found.groups[0], "wide.weight", 0)->Of(0), ElementsAre(2));
  EXPECT_THAT(Find(b.graph, found.groups[1], "wide.weight", 0)->indices, ElementsAre(0, 1, 8));
}

TEST(ChannelGroupsTest, PartsOfALayerMayBeFrozen) {
  NetworkBuilder b(1);
  const ValueId x = b.Convolve("conv", b.Input({1, 3, 4, 4}), 10);
  const auto parts = b.graph.AddNode("split", Split{1, {4, 6}}, {x});
  b.graph.AddOutput(b.Add("softmax", Softmax{1}, {parts[1]}));
  b.Classify(parts[0]);
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(Names(found), ElementsAre("conv:4x1"));
  EXPECT_EQ(ReasonOf(found, "conv"), "6 'softmax' (softmax): the softmax is taken over them");
}

TEST(ChannelGroupsTest, ChannelsThatGoOnlyTogetherStay) {
  NetworkBuilder b(1);
  ValueId x = b.Shuffle("shuffle", b.Convolve("conv", b.Input({1, 3, 4, 4}), 4), 2);
  x = b.Convolve("grouped", x, 4, {.groups = 2});
  b.Classify(x);
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_THAT(ReasonOf(found, "conv"), HasSubstr("removed all together"));
}

TEST(ChannelGroupsTest, EmptyAndVeryLongTensorsAreLeftAlone) {
  NetworkBuilder b(1);
  b.fills_weights = false;
  ValueId x = b.Convolve("conv", b.Input({0, 3, 4, 4}), 4);
  b.graph.AddOutput(b.Linear("last", b.Add("flat", Reshape{{0, 64}}, {x}), 2));
  EXPECT_THAT(FindChannelGroups(b.graph).groups, IsEmpty());

  NetworkBuilder c(1);
  c.fills_weights = false;
  x = c.Convolve("conv", c.Input({1, 1, 1024, 1024}), 2, {.kernel = 1});
  c.graph.AddOutput(c.Add("mean", ReduceMean{{1}, false}, {c.Flatten("flat", x)}));
  EXPECT_THAT(FindChannelGroups(c.graph).groups, IsEmpty());
}

// He et al. 2016; the widths as published.
TEST(ChannelGroupsTest, ResNet50) {
  NetworkBuilder b(1);
  b.fills_weights = false;
  ValueId x = b.Unit("stem", b.Input({1, 3, 224, 224}), 64, {.kernel = 7, .stride = 2});
  x = b.MaxPool("pool1", x);
  const int64_t depths[] = {3, 4, 6, 3};
  for (int64_t stage = 0; stage < 4; ++stage) {
    const int64_t width = int64_t{64} << stage;
    for (int64_t i = 0; i < depths[stage]; ++i) {
      const std::string name = Text("s", stage, "b", i);
      const int64_t stride = i == 0 && stage > 0 ? 2 : 1;
      ValueId y = b.Unit(name + "a", x, width, {.kernel = 1});
      y = b.Unit(name + "b", y, width, {.stride = stride});
      y = b.Normalise(name + "c_bn", b.Convolve(name + "c", y, 4 * width, {.kernel = 1}));
      if (i == 0) {
        x = b.Convolve(name + "d", x, 4 * width, {.kernel = 1, .stride = stride});
        x = b.Normalise(name + "d_bn", x);
      }
      x = b.Relu(name, b.Add(name + "_add", Binary{}, {y, x}));
    }
  }
  b.Classify(x, 1000);
  const ChannelGroups found = FindChannelGroups(b.graph);
  // The stem, two in each of 16 blocks, and one residual stream a stage.
  EXPECT_EQ(found.groups.size(), 1u + 2 * 16 + 4);
  EXPECT_EQ(Find(found, "s3b0c")->num_units, 2048);
  EXPECT_EQ(Find(found, "s2b0c")->producers.size(), 7u);
  EXPECT_EQ(ReasonOf(found, "classifier"), "1000 they are the output 'classifier'");
}

// Huang et al. 2017.
TEST(ChannelGroupsTest, DenseNet121) {
  NetworkBuilder b(1);
  b.fills_weights = false;
  ValueId x = b.Unit("stem", b.Input({1, 3, 224, 224}), 64, {.kernel = 7, .stride = 2});
  x = b.MaxPool("pool1", x);
  const int64_t depths[] = {6, 12, 24, 16};
  for (int64_t stage = 0; stage < 4; ++stage) {
    const auto activated = [&](const std::string& name, ValueId v) {
      return b.Relu(name + "_relu", b.Normalise(name + "_bn", v));
    };
    for (int64_t i = 0; i < depths[stage]; ++i) {
      const std::string name = Text("s", stage, "l", i);
      const ValueId y = b.Convolve(name + "a", activated(name + "a", x), 128, {.kernel = 1});
      x = b.Add(name, Concat{1}, {x, b.Convolve(name + "b", activated(name + "b", y), 32)});
    }
    const std::string name = Text("t", stage);
    x = activated(name, x);
    if (stage == 3) break;
    x = b.MaxPool(name + "_pool", b.Convolve(name, x, b.Channels(x) / 2, {.kernel = 1}));
  }
  EXPECT_EQ(b.Channels(x), 1024);
  b.Classify(x, 1000);
  const ChannelGroups found = FindChannelGroups(b.graph);
  EXPECT_EQ(found.groups.size(), 1u + 2 * 58 + 3);
  EXPECT_EQ(Find(found, "s3l15b")->num_units, 32);
}

}  // namespace
}  // namespace fettle
