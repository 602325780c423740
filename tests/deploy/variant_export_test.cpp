// Networks that variants made, written as ONNX: they come back the same, and ONNX Runtime computes
// of them what Fettle's runtime does.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "fettle/core/error.h"
#include "fettle/network/macs.h"
#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "fettle/network/saliency.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/prune.h"
#include "fettle/network/variants/variant_list.h"
#include "tests/deploy/network_run.h"
#include "tests/network/random_network.h"
#include "tests/support/model_zoo.h"
#include "tests/support/peer.h"
#include "tests/support/sanitized.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

Graph Import(const std::string& bytes, const std::string& name) {
  return ImportOnnxBytes(std::as_bytes(std::span(bytes)), name);
}

void ExpectSame(const Graph& graph, const Graph& again) {
  ASSERT_EQ(again.nodes().size(), graph.nodes().size());
  const auto expect_same_value = [&](ValueId mine, ValueId other) {
    const Value& value = graph.value(mine);
    const Value& back = again.value(other);
    EXPECT_EQ(back.type, value.type);
    ASSERT_EQ(back.constant == nullptr, value.constant == nullptr) << value.name;
    if (value.constant == nullptr) {
      EXPECT_EQ(back.name, value.name);
    } else {
      EXPECT_EQ(*back.constant, *value.constant) << value.name;
    }
  };
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    const Node& back = again.nodes()[n];
    EXPECT_EQ(back.name, node.name);
    EXPECT_EQ(OpText(back.op), OpText(node.op));
    ASSERT_EQ(back.inputs.size(), node.inputs.size());
    ASSERT_EQ(back.outputs.size(), node.outputs.size());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      expect_same_value(node.inputs[i], back.inputs[i]);
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      expect_same_value(node.outputs[i], back.outputs[i]);
    }
  }
  EXPECT_EQ(again.metadata, graph.metadata);
}

// Written, read again, and run by both.
void ExpectAgreement(const Graph& graph, OnnxRuntimePeer* peer) {
  const std::string bytes = ExportOnnxBytes(graph);
  ExpectSame(graph, Import(bytes, "exported"));
  std::vector<Tensor> inputs;
  for (const ValueId id : graph.inputs()) {
    inputs.push_back(RandomImages(graph.value(id).type.shape, 11));
  }
  const std::vector<Tensor> expected = peer->LoadBytes(bytes).Run(inputs);
  const std::vector<Tensor> actual = RunNetwork(graph, inputs);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_LE(RelativeError(actual[i], expected[i]), 1e-4) << "output " << i;
  }
}

// The network for images of so many pixels; as it is where it works for its own only.
Graph WithExtent(const Graph& graph, int64_t extent) {
  Graph result;
  std::vector<ValueId> ids(graph.num_values());
  for (const ValueId id : graph.inputs()) {
    TensorType type = graph.value(id).type;
    type.shape[2] = type.shape[3] = std::min(extent, type.shape[2]);
    ids[static_cast<size_t>(id)] = result.AddInput(graph.value(id).name, type);
  }
  for (size_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (graph.IsConstant(id)) {
      ids[i] = result.AddConstant(graph.value(id).name, graph.value(id).constant);
    }
  }
  try {
    for (const Node& node : graph.nodes()) {
      std::vector<ValueId> inputs;
      for (const ValueId id : node.inputs) inputs.push_back(ids[static_cast<size_t>(id)]);
      const std::vector<ValueId> outputs = result.AddNode(node.name, node.op, inputs);
      for (size_t i = 0; i < outputs.size(); ++i) {
        result.Rename(outputs[i], graph.value(node.outputs[i]).name);
        ids[static_cast<size_t>(node.outputs[i])] = outputs[i];
      }
    }
  } catch (const Error&) {
    return graph;
  }
  for (const ValueId id : graph.outputs()) result.AddOutput(ids[static_cast<size_t>(id)]);
  return result;
}

Graph ZooNetwork(const std::string& name, int64_t extent) {
  return WithExtent(Import(MakeModel(name), name), extent);
}

// --- Every kind ---

// The gentlest option and the last of each decision, on small networks.
TEST(VariantExport, OfRandomNetworks) {
  OnnxRuntimePeer peer(InstalledPeer());
  std::set<std::string> kinds;
  for (uint64_t seed = 0; seed < (kIsSanitized ? 3 : 8); ++seed) {
    const Graph graph = RandomNetwork(seed);
    for (const NetworkDecision& decision :
         FindDecisions(graph, {.channel_step = 2, .most_options = 2})) {
      for (const NetworkOption& option : decision.options) {
        SCOPED_TRACE(Text(seed, ": ", option.variant, " of ", decision.layer));
        ExpectAgreement(ParseVariant(option.variant)->Rewrite(graph, decision.layer), &peer);
        kinds.insert(decision.kind);
      }
    }
  }
  EXPECT_GE(kinds.size(), AllVariantKinds().size() - 2);
}

// Of each kind, in networks of the literature, the first place and the last.
TEST(VariantExport, OfTheZoo) {
  OnnxRuntimePeer peer(InstalledPeer());
  std::set<std::string> kinds;
  std::vector<const char*> names = {"resnet20", "mobilenet_v2"};
  if (!kIsSanitized) names.insert(names.end(), {"wrn_16_1", "squeezenet1_1"});
  for (const char* name : names) {
    const Graph graph = ZooNetwork(name, 64);
    std::map<std::string, std::vector<NetworkDecision>> by_kind;
    for (NetworkDecision& decision : FindDecisions(graph)) {
      if (!decision.options.empty()) by_kind[decision.kind].push_back(std::move(decision));
    }
    for (const auto& [kind, decisions] : by_kind) {
      kinds.insert(kind);
      const NetworkDecision& first = decisions.front();
      const NetworkDecision& last = decisions.back();
      for (const auto& [layer, variant] : {std::pair(first.layer, first.options.front().variant),
                                           std::pair(last.layer, last.options.back().variant)}) {
        SCOPED_TRACE(Text(name, ": ", variant, " of ", layer));
        ExpectAgreement(ParseVariant(variant)->Rewrite(graph, layer), &peer);
      }
    }
  }
  for (const VariantKind& kind : AllVariantKinds()) {
    EXPECT_TRUE(kinds.contains(std::string(kind.name))) << kind.name << " is offered nowhere";
  }
}

// --- Coupled pruning of every network ---

class PrunedZoo : public testing::TestWithParam<std::string> {};

// Each group by half, alone, has the size stated. To save time not all of these are run, but some
// spread evenly, of small networks more, of those above 30 million parameters none; and then all
// groups together.
TEST_P(PrunedZoo, HasTheSizesStatedAndAgreesWithOnnxRuntime) {
  if (TakesMinutesSanitized(GetParam())) GTEST_SKIP() << "takes minutes under the sanitizers";
  const Graph graph = ZooNetwork(GetParam(), 64);
  OnnxRuntimePeer peer(InstalledPeer());
  // Two options of each group, of which the first leaves half.
  std::vector<NetworkDecision> decisions =
      kPruneKind.find(graph, {.channel_step = 1, .most_options = 2});
  std::erase_if(decisions, [](const auto& decision) { return decision.options.empty(); });
  EXPECT_GT(decisions.size(), 1u);
  const int64_t parameters = graph.NumParameters();
  const size_t to_run = parameters < 3'000'000 ? 8 : parameters < 30'000'000 ? 2 : 0;
  const size_t stride = to_run > 0 ? (decisions.size() + to_run - 1) / to_run : decisions.size();
  for (size_t i = 0; i < decisions.size(); ++i) {
    const NetworkDecision& decision = decisions[i];
    const NetworkOption& half = decision.options.front();
    const Graph pruned = ParseVariant(half.variant)->Rewrite(graph, decision.layer);
    EXPECT_EQ(pruned.NumParameters(), half.parameters) << decision.layer;
    EXPECT_EQ(MacsOf(pruned), half.macs) << decision.layer;
    EXPECT_LT(half.parameters, graph.NumParameters()) << decision.layer;
    SCOPED_TRACE(decision.layer);
    if (to_run > 0 && i % stride == 0) ExpectAgreement(pruned, &peer);
  }

  const std::vector<ChannelGroup> found = FindChannelGroups(graph).groups;
  std::vector<KeptUnits> kept;
  for (size_t i = 0; i < found.size(); ++i) {
    const int64_t count = (found[i].num_units + 1) / 2;
    kept.push_back({i, MostSalient(MagnitudeSaliency(graph, found[i]), count)});
  }
  const Graph pruned = PruneChannels(graph, found, kept);
  EXPECT_LT(pruned.NumParameters(), graph.NumParameters() * 2 / 3);
  ExpectAgreement(pruned, &peer);
}

INSTANTIATE_TEST_SUITE_P(Zoo, PrunedZoo, testing::ValuesIn(ModelNames()),
                         [](const auto& network) { return network.param; });

}  // namespace
}  // namespace fettle
