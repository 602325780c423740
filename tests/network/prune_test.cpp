#include "fettle/network/variants/prune.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/network/saliency.h"
#include "fettle/network/variants/variant_list.h"
#include "tests/network/random_network.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// --- The oracle: a network whose removed channels are 0 everywhere computes what the network
// without them does. ---

// Which axis of its input `input` a node makes channels of, or adds to them; -1 for none. `is_bias`
// tells what is added apart from what is multiplied.
int MakingAxis(const Graph& graph, const Node& node, size_t input, bool* is_bias) {
  const int rank = static_cast<int>(graph.value(node.inputs[input]).type.shape.size());
  *is_bias = false;
  if (std::holds_alternative<Conv>(node.op) && input > 0) {
    *is_bias = input == 2;
    return 0;
  }
  if (std::holds_alternative<BatchNorm>(node.op) && (input == 1 || input == 2)) {
    *is_bias = input == 2;
    return 0;
  }
  if (const auto* gemm = std::get_if<Gemm>(&node.op); gemm != nullptr && input > 0) {
    *is_bias = input == 2;
    return input == 2 || gemm->transpose_b ? 0 : 1;
  }
  if (std::holds_alternative<MatMul>(node.op) && input == 1) return rank - 1;
  if (const auto* binary = std::get_if<Binary>(&node.op)) {
    *is_bias = true;
    return binary->kind == BinaryKind::kAdd ? std::max(0, rank - 3) : -1;
  }
  return -1;
}

Tensor Zeroed(const Tensor& tensor, int axis, const std::vector<bool>& indices) {
  Tensor zeroed = tensor;
  const int64_t inner = RowMajorStrides(tensor.shape())[axis];
  for (int64_t i = 0; i < tensor.num_elements(); ++i) {
    if (indices[i / inner % tensor.shape()[axis]]) zeroed.values<float>()[i] = 0;
  }
  return zeroed;
}

// The graph with zeros for all weights that make the removed channels (the weights that read them
// are left), and for what is added to them unless `keeps_biases`.
Graph WithZeros(const Graph& graph, const std::vector<ChannelGroup>& groups,
                const std::vector<KeptUnits>& kept, bool keeps_biases = false) {
  std::map<ValueId, Tensor> replaced;
  for (const KeptUnits& choice : kept) {
    const std::set<int64_t> units(choice.units.begin(), choice.units.end());
    for (const ChannelSlice& slice : groups[choice.group].slices) {
      const ValueId id = slice.place.value;
      if (!graph.IsConstant(id)) continue;
      std::vector<bool> removed(graph.value(id).type.shape[slice.place.axis]);
      for (int64_t unit = 0; unit < groups[choice.group].num_units; ++unit) {
        for (int64_t index : slice.Of(unit)) removed[index] = units.count(unit) == 0;
      }
      for (const Node& node : graph.nodes()) {
        for (size_t i = 0; i < node.inputs.size(); ++i) {
          bool is_bias = false;
          if (node.inputs[i] != id) continue;
          if (MakingAxis(graph, node, i, &is_bias) != slice.place.axis) continue;
          if (is_bias && keeps_biases) continue;
          const auto known = replaced.try_emplace(id, *graph.value(id).constant).first;
          known->second = Zeroed(known->second, slice.place.axis, removed);
        }
      }
    }
  }
  return WithConstants(graph, replaced);
}

double LargestDifference(const std::vector<Array>& a, const std::vector<Array>& b) {
  double largest = 0, scale = 1;
  EXPECT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].shape, b[i].shape);
    for (size_t j = 0; j < a[i].values.size(); ++j) {
      EXPECT_FALSE(std::isnan(a[i].values[j]));
      scale = std::max(scale, std::abs(a[i].values[j]));
      largest = std::max(largest, std::abs(a[i].values[j] - b[i].values[j]));
    }
  }
  return largest / scale;
}

std::vector<KeptUnits> RandomKeeps(const std::vector<ChannelGroup>& groups, Random* random) {
  std::vector<KeptUnits> kept;
  for (size_t g = 0; g < groups.size(); ++g) {
    if (random->Chance(0.3)) continue;
    const auto count = static_cast<size_t>(random->Integer(1, groups[g].num_units));
    const std::vector<size_t> order = random->Permutation(groups[g].num_units);
    kept.push_back({g, {order.begin(), order.begin() + count}});
  }
  return kept;
}

// Prunes random units of every group and compares; answers by how much pruning changed the output.
double CheckAgainstOracle(const Graph& graph, uint64_t seed) {
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  Random random(seed);
  const std::vector<KeptUnits> kept = RandomKeeps(groups, &random);
  const Graph pruned = PruneChannels(graph, groups, kept);
  const std::vector<Array> inputs = RandomInputs(graph, seed);
  const std::vector<Array> outputs = Interpret(pruned, inputs);
  EXPECT_LT(LargestDifference(Interpret(WithZeros(graph, groups, kept), inputs), outputs), 1e-12)
      << "seed " << seed;
  return LargestDifference(Interpret(graph, inputs), outputs);
}

void ExpectSameNetwork(const Graph& a, const Graph& b) {
  ASSERT_EQ(a.nodes().size(), b.nodes().size());
  for (size_t n = 0; n < a.nodes().size(); ++n) {
    const Node &p = a.nodes()[n], &q = b.nodes()[n];
    EXPECT_EQ(p.name, q.name);
    EXPECT_EQ(OpText(p.op), OpText(q.op)) << p.name;
    ASSERT_EQ(p.inputs.size(), q.inputs.size());
    for (size_t i = 0; i < p.inputs.size(); ++i) {
      const Value &v = a.value(p.inputs[i]), &w = b.value(q.inputs[i]);
      EXPECT_EQ(v.name, w.name);
      EXPECT_EQ(TypeText(v.type), TypeText(w.type)) << v.name;
      ASSERT_EQ(v.constant == nullptr, w.constant == nullptr);
      EXPECT_TRUE(v.constant == nullptr || *v.constant == *w.constant) << v.name;
    }
  }
}

// --- Networks by hand ---

Graph Residual() {
  NetworkBuilder b(7);
  ValueId x = b.Unit("stem", b.Input({2, 3, 8, 8}), 8);
  ValueId y = b.Normalise("b_bn", b.Convolve("b", b.Unit("a", x, 6), 8));
  x = b.Relu("out", b.Add("add", Binary{}, {x, y}));
  y = b.Normalise("d_bn", b.Convolve("d", b.Unit("c", x, 12, {.stride = 2}), 16));
  x = b.Normalise("p_bn", b.Convolve("p", x, 16, {.kernel = 1, .stride = 2}));
  b.Classify(b.Relu("out2", b.Add("add2", Binary{}, {x, y})));
  return b.graph;
}

// VGG-like, everything without padding, so that constants fold exactly.
Graph Unpadded() {
  NetworkBuilder b(8);
  ValueId x = b.Unit("a", b.Input({2, 3, 10, 10}), 8, {.pad = 0, .has_bias = true});
  x = b.Relu("b_relu", b.Convolve("b", x, 8, {.pad = 0, .has_bias = true}));
  x = b.MaxPool(
      "pool", b.Add("sum", Binary{},
                    {b.Convolve("c", x, 6, {.kernel = 1}), b.Convolve("d", x, 6, {.kernel = 1})}));
  x = b.Add("sigmoid", Activation{ActivationKind::kSigmoid, 0, 0}, {x});
  const ValueId side = b.Unit("e", x, 6, {.kernel = 1});
  x = b.Add("concat", Concat{1}, {x, side});
  x = b.Relu("hidden_relu", b.Linear("hidden", b.Flatten("flatten", x), 7));
  x = b.Add("product", MatMul{}, {x, b.Constant("product.weight", {7, 5})});
  x = b.Add("leaky", Activation{ActivationKind::kLeakyRelu, 0.1f, 0}, {x});
  b.graph.AddOutput(b.Linear("classifier", x, 3));
  return b.graph;
}

TEST(PruneTest, AResidualNetworkAgreesWithTheOracle) {
  for (uint64_t seed = 0; seed < 10; ++seed) CheckAgainstOracle(Residual(), seed);
}

TEST(PruneTest, RandomNetworksAgreeWithTheOracle) {
  int changed = 0;
  for (uint64_t seed = 0; seed < 250; ++seed) {
    SCOPED_TRACE(seed);
    if (CheckAgainstOracle(RandomNetwork(seed), seed) > 1e-6) ++changed;
    if (HasFailure()) return;
  }
  EXPECT_GT(changed, 200);  // or the oracle would have nothing to say
}

// Products of tensors of any rank: queries and keys lose the same features, values their own.
TEST(PruneTest, AttentionAgreesWithTheOracle) {
  NetworkBuilder b(9);
  const ValueId x = b.Input({2, 3, 4});
  const auto project = [&](const std::string& name, ValueId from, int64_t features) {
    return b.Add(name, MatMul{}, {from, b.Constant(name + ".w", {b.ShapeOf(from)[2], features})});
  };
  const ValueId query = project("query", x, 6);
  const ValueId key = b.Add("turned", Transpose{{0, 2, 1}}, {project("key", x, 6)});
  const ValueId scores = b.Add("scores", MatMul{}, {query, key});
  const ValueId weights = b.Add("softmax", Softmax{2}, {scores});
  const ValueId mixed = b.Add("mixed", MatMul{}, {weights, project("value", x, 8)});
  const ValueId last = b.Add("last", MatMul{}, {mixed, b.Constant("last.w", {8})});
  b.graph.AddOutput(last);
  const std::vector<ChannelGroup> groups = FindChannelGroups(b.graph).groups;
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].name, "query");
  EXPECT_THAT(groups[0].producers, ElementsAre(0, 1));
  EXPECT_EQ(groups[1].name, "value");
  for (uint64_t seed = 0; seed < 10; ++seed) CheckAgainstOracle(b.graph, seed);
}

TEST(PruneTest, AWrongRemovalFailsTheOracle) {
  const Graph graph = Residual();
  std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  const std::vector<KeptUnits> kept = {{0, {0, 1, 2, 3}}};
  const std::vector<Array> inputs = RandomInputs(graph, 1);
  const std::vector<Array> expected = Interpret(WithZeros(graph, groups, kept), inputs);
  for (ChannelSlice& slice : groups[0].slices) {
    if (graph.value(slice.place.value).name == "a.weight") std::ranges::reverse(slice.indices);
  }
  const Graph pruned = PruneChannels(graph, groups, kept);
  EXPECT_GT(LargestDifference(expected, Interpret(pruned, inputs)), 1e-3);
}

TEST(PruneTest, KeepsNamesMetadataAndWhatIsNotTouched) {
  Graph graph = Residual();
  graph.metadata["producer"] = "somebody";
  graph.Rename(graph.nodes()[0].outputs[0], "renamed");
  const ChannelGroups found = FindChannelGroups(graph);
  const Graph same = PruneChannels(graph, found.groups, {});
  ExpectSameNetwork(graph, same);
  EXPECT_EQ(same.metadata, graph.metadata);

  const std::vector<KeptUnits> kept = {{0, {5, 1}}};
  const Graph pruned = PruneChannels(graph, found.groups, kept);
  EXPECT_EQ(pruned.metadata, graph.metadata);
  EXPECT_EQ(pruned.value(pruned.nodes()[0].outputs[0]).name, "renamed");
  EXPECT_EQ(pruned.value(pruned.nodes()[0].outputs[0]).type.shape, (Shape{2, 2, 8, 8}));
  EXPECT_EQ(pruned.value(pruned.outputs()[0]).name, "classifier");
  // Untouched weights are shared, not copied.
  EXPECT_EQ(pruned.value(pruned.nodes().back().inputs[1]).constant.get(),
            graph.value(graph.nodes().back().inputs[1]).constant.get());
}

TEST(PruneTest, PruningTwiceIsPruningTheUnion) {
  for (const Graph& graph : {Residual(), Unpadded()}) {
    const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
    for (size_t p = 0; p < groups.size(); ++p) {
      for (size_t q = 0; q < groups.size(); ++q) {
        if (p == q) continue;
        const KeptUnits first = {p, {0, 2, 3}}, second = {q, {1, 2, 4}};
        const Graph once = PruneChannels(graph, groups, std::vector{first, second});
        const Graph half = PruneChannels(graph, groups, std::vector{first});
        const std::vector<ChannelGroup> again = FindChannelGroups(half).groups;
        ASSERT_EQ(again.size(), groups.size());
        EXPECT_EQ(again[q].name, groups[q].name);
        ExpectSameNetwork(once, PruneChannels(half, again, std::vector{second}));
      }
      // Of the same group: units 0, 2 and 3 of what 1, 2, 3, 5 left are 1, 3 and 5.
      const Graph half = PruneChannels(graph, groups, std::vector{KeptUnits{p, {1, 2, 3, 4}}});
      const std::vector<ChannelGroup> again = FindChannelGroups(half).groups;
      ExpectSameNetwork(PruneChannels(graph, groups, std::vector{KeptUnits{p, {1, 3, 4}}}),
                        PruneChannels(half, again, std::vector{KeptUnits{p, {0, 2, 3}}}));
    }
  }
}

TEST(PruneTest, SenselessChoicesAreRefused) {
  const Graph graph = Residual();
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  const struct {
    std::vector<KeptUnits> kept;
    const char* message;
  } cases[] = {
      {{{0, {}}}, "channel group 'stem': no unit is kept"},
      {{{0, {8}}}, "has no unit 8, only 0 to 7"},
      {{{0, {-1}}}, "has no unit -1"},
      {{{0, {3, 3}}}, "unit 3 twice"},
      {{{0, {1}}, {0, {2}}}, "channel group 'stem' is pruned twice"},
      {{{99, {0}}}, "there is no channel group 99"},
  };
  for (const auto& [kept, message] : cases) {
    try {
      PruneChannels(graph, groups, kept);
      ADD_FAILURE() << message;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    }
  }
}

TEST(PruneTest, WeightsOfEveryTypeAreSliced) {
  for (DType dtype : {DType::kF64, DType::kF16, DType::kI8}) {
    Graph graph;
    const ValueId x = graph.AddInput("x", {dtype, {1, 2}});
    Tensor weight({dtype, {2, 4}});
    for (size_t i = 0; i < weight.num_bytes(); ++i) weight.bytes()[i] = static_cast<std::byte>(i);
    const ValueId hidden =
        graph.AddNode("hidden", MatMul{}, {x, graph.AddConstant("w", weight)})[0];
    const ValueId v = graph.AddConstant("v", Tensor({dtype, {4, 1}}));
    graph.AddOutput(graph.AddNode("y", MatMul{}, {hidden, v})[0]);
    const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
    ASSERT_EQ(groups.size(), 1u);
    const Graph pruned = PruneChannels(graph, groups, std::vector{KeptUnits{0, {1, 3}}});
    const Tensor& sliced = *pruned.value(pruned.nodes()[0].inputs[1]).constant;
    ASSERT_EQ(sliced.shape(), (Shape{2, 2}));
    const size_t size = SizeOf(dtype);
    for (size_t i = 0; i < sliced.num_bytes(); ++i) {
      const size_t element = i / size, from = (element / 2 * 4 + element % 2 * 2 + 1) * size;
      EXPECT_EQ(sliced.bytes()[i], static_cast<std::byte>(from + i % size));
    }
  }
}

// --- Constants of removed channels ---

TEST(PruneTest, ConstantsOfRemovedChannelsFoldExactlyWithoutPadding) {
  const Graph graph = Unpadded();
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  ASSERT_EQ(groups.size(), 6u);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const std::vector<KeptUnits> kept = RandomKeeps(groups, &random);
    const std::vector<Array> inputs = RandomInputs(graph, seed);
    const Graph zeroed = WithZeros(graph, groups, kept, /*keeps_biases=*/true);
    const std::vector<Array> expected = Interpret(zeroed, inputs);
    const Graph plain = PruneChannels(graph, groups, kept);
    const Graph folded = PruneChannels(graph, groups, kept, {.folds_constants = true});
    // The corrected biases are rounded to f32.
    EXPECT_LT(LargestDifference(expected, Interpret(folded, inputs)), 1e-6);
    const bool removes_any = std::ranges::any_of(kept, [&](const KeptUnits& choice) {
      return static_cast<int64_t>(choice.units.size()) < groups[choice.group].num_units;
    });
    if (removes_any) {
      EXPECT_GT(LargestDifference(expected, Interpret(plain, inputs)), 1e-3);
    }
    EXPECT_EQ(folded.nodes().size(), graph.nodes().size());
  }
}

TEST(PruneTest, ConstantsFoldExactlyInRandomPointwiseNetworks) {
  int changed = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(seed);
    const Graph graph = RandomNetwork(seed, /*is_pointwise=*/true);
    const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
    Random random(seed);
    const std::vector<KeptUnits> kept = RandomKeeps(groups, &random);
    const std::vector<Array> inputs = RandomInputs(graph, seed);
    const Graph zeroed = WithZeros(graph, groups, kept, /*keeps_biases=*/true);
    const std::vector<Array> expected = Interpret(zeroed, inputs);
    const Graph plain = PruneChannels(graph, groups, kept);
    const Graph folded = PruneChannels(graph, groups, kept, {.folds_constants = true});
    ASSERT_LT(LargestDifference(expected, Interpret(folded, inputs)), 1e-5);
    if (LargestDifference(expected, Interpret(plain, inputs)) > 1e-3) ++changed;
  }
  EXPECT_GT(changed, 75);
}

TEST(PruneTest, FoldingKeepsEveryRandomNetworkSoundAndShaped) {
  for (uint64_t seed = 0; seed < 60; ++seed) {
    const Graph graph = RandomNetwork(seed);
    const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
    Random random(seed);
    const std::vector<KeptUnits> kept = RandomKeeps(groups, &random);
    const Graph plain = PruneChannels(graph, groups, kept);
    const Graph folded = PruneChannels(graph, groups, kept, {.folds_constants = true});
    ASSERT_EQ(plain.nodes().size(), folded.nodes().size());
    for (size_t n = 0; n < plain.nodes().size(); ++n) {
      EXPECT_EQ(TypeText(plain.value(plain.nodes()[n].outputs[0]).type),
                TypeText(folded.value(folded.nodes()[n].outputs[0]).type));
    }
    const std::vector<Array> outputs = Interpret(folded, RandomInputs(graph, seed));
    for (double value : outputs[0].values) {
      ASSERT_FALSE(std::isnan(value));
    }
  }
}

TEST(PruneTest, ConstantsFoldIntoScaledProducts) {
  for (const bool has_bias : {true, false}) {
    NetworkBuilder b(3);
    ValueId x = b.Linear("hidden", b.Input({2, 5}), 6);
    const ValueId w = b.Constant("w", {4, 6});
    std::vector<ValueId> inputs = {x, w};
    if (has_bias) inputs.push_back(b.Constant("v", {1, 4}));
    x = b.Add("scaled", Gemm{.transpose_b = true, .alpha = 2, .beta = 0.25}, inputs);
    b.graph.AddOutput(b.Linear("classifier", x, 3));
    const std::vector<ChannelGroup> groups = FindChannelGroups(b.graph).groups;
    const std::vector<KeptUnits> kept = {{0, {1, 4}}, {1, {0, 3}}};
    const std::vector<Array> random = RandomInputs(b.graph, 1);
    const Graph zeroed = WithZeros(b.graph, groups, kept, /*keeps_biases=*/true);
    const Graph folded = PruneChannels(b.graph, groups, kept, {.folds_constants = true});
    EXPECT_LT(LargestDifference(Interpret(zeroed, random), Interpret(folded, random)), 1e-6);
  }
}

// --- The variant ---

TEST(PruneTest, KeepCountsAreMultiplesOfTheStepInChannels) {
  ChannelGroup group;
  group.num_units = 20;
  group.slices.push_back({{0, 1}, 1, {}});
  EXPECT_THAT(KeepCounts(group, 8), ElementsAre(8, 16));
  EXPECT_THAT(KeepCounts(group, 1).size(), 19);
  EXPECT_THAT(KeepCounts(group, 32), ElementsAre());
  group.slices[0].per_unit = 4;  // 80 channels
  EXPECT_THAT(KeepCounts(group, 16), ElementsAre(4, 8, 12, 16));
  group.slices[0].per_unit = 3;  // 60 channels
  EXPECT_THAT(KeepCounts(group, 8), ElementsAre(8, 16));
}

TEST(PruneTest, KeepIsRoundedAndNeverNothing) {
  EXPECT_EQ(PruneVariant(0.5).KeptOf(7), 4);
  EXPECT_EQ(PruneVariant(0.01).KeptOf(7), 1);
  EXPECT_EQ(PruneVariant(1).KeptOf(7), 7);
  ChannelGroup group;
  for (group.num_units = 1; group.num_units < 400; ++group.num_units) {
    for (int64_t count = 1; count <= group.num_units; ++count) {
      const std::string text = PruneVariant::Keeping(count, group).Text();
      const auto parsed = ParseVariant(text);
      ASSERT_EQ(parsed->Text(), text);
      ASSERT_EQ(dynamic_cast<const PruneVariant&>(*parsed).KeptOf(group.num_units), count);
    }
  }
}

TEST(PruneTest, TheVariantKeepsTheMostSalientUnits) {
  const Graph graph = Residual();
  const auto variant = ParseVariant("prune(keep=0.25)");
  EXPECT_EQ(variant->Text(), "prune(keep=0.25)");
  const std::vector<ChannelGroup> groups = FindChannelGroups(graph).groups;
  const KeptUnits kept = {0, MostSalient(MagnitudeSaliency(graph, groups[0]), 2)};
  ExpectSameNetwork(variant->Rewrite(graph, "stem"),
                    PruneChannels(graph, groups, std::vector{kept}));

  RewriteOptions options;
  options.saliency = [](const Graph&, const ChannelGroup& group) {
    std::vector<double> saliency(static_cast<size_t>(group.num_units));
    saliency[6] = 2;
    saliency[3] = 1;
    return saliency;
  };
  ExpectSameNetwork(variant->Rewrite(graph, "stem", options),
                    PruneChannels(graph, groups, std::vector{KeptUnits{0, {3, 6}}}));
  options.folds_constants = true;
  ExpectSameNetwork(
      variant->Rewrite(graph, "stem", options),
      PruneChannels(graph, groups, std::vector{KeptUnits{0, {3, 6}}}, {.folds_constants = true}));
  options.saliency = [](const Graph&, const ChannelGroup&) { return std::vector<double>{1}; };
  EXPECT_THROW(variant->Rewrite(graph, "stem", options), Error);
}

TEST(PruneTest, TheVariantSaysWhyItCannot) {
  const Graph graph = Residual();
  const auto message = [&](const std::string& layer) -> std::string {
    try {
      PruneVariant(0.5).Rewrite(graph, layer);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("classifier"), HasSubstr("they are the output 'classifier'"));
  EXPECT_THAT(message("nowhere"), HasSubstr("there is no channel group 'nowhere'"));
  EXPECT_THAT(message("b"), HasSubstr("pruned with 'stem'"));
}

}  // namespace
}  // namespace fettle
