// One variant behind another, over all kinds: it works, or it is refused with a reason.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/core/shape_inference.h"
#include "fettle/network/macs.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/variant_list.h"
#include "tests/network/random_network.h"

namespace fettle {
namespace {

const DecisionOptions kOffered = {.channel_step = 2, .most_options = 3};

struct Change {
  std::string layer;
  NetworkOption option;
};

std::vector<Change> ChangesOf(const Graph& graph) {
  std::vector<Change> changes;
  for (const NetworkDecision& decision : FindDecisions(graph, kOffered)) {
    for (const NetworkOption& option : decision.options)
      changes.push_back({decision.layer, option});
  }
  return changes;
}

Graph Apply(const Graph& graph, const Change& change) {
  return ParseVariant(change.option.variant)->Rewrite(graph, change.layer);
}

// That every value is known before it is read, types are those that the operators give, names of
// nodes are their own, and the outputs are what they were to those who read them.
void ExpectValid(const Graph& graph, const Graph& original) {
  std::set<std::string> names;
  std::set<ValueId> known(graph.inputs().begin(), graph.inputs().end());
  for (const Node& node : graph.nodes()) {
    EXPECT_TRUE(names.insert(node.name).second) << node.name;
    std::vector<TensorType> inputs, outputs;
    for (const ValueId id : node.inputs) {
      EXPECT_TRUE(graph.IsConstant(id) || known.contains(id)) << node.name;
      inputs.push_back(graph.value(id).type);
    }
    for (const ValueId id : node.outputs) {
      known.insert(id);
      outputs.push_back(graph.value(id).type);
    }
    EXPECT_EQ(InferTypes(node.op, inputs), outputs) << node.name;
  }
  ASSERT_EQ(graph.outputs().size(), original.outputs().size());
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const Value& mine = graph.value(graph.outputs()[i]);
    const Value& other = original.value(original.outputs()[i]);
    EXPECT_EQ(mine.type, other.type);
    EXPECT_EQ(mine.name, other.name);
  }
}

void ExpectRuns(const Graph& graph) {
  const std::vector<Array> outputs = Interpret(graph, RandomInputs(graph, 1));
  for (size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs[i].shape, graph.value(graph.outputs()[i]).type.shape);
    EXPECT_TRUE(std::ranges::all_of(outputs[i].values, [](double x) { return std::isfinite(x); }));
  }
}

// The network changed; nothing where that is refused, which must be for bad input, with a reason.
std::optional<Graph> ApplyOrRefuse(const Graph& graph, const Change& change) {
  try {
    return Apply(graph, change);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
    EXPECT_NE(std::string(error.what()).find(change.layer), std::string::npos) << error.what();
    return std::nullopt;
  }
}

// What was offered for the whole network, tried on the changed one.
TEST(CompositionTest, WhatWasOfferedBeforeWorksOrIsRefused) {
  Random random(5);
  int worked = 0, refused = 0;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Graph graph = RandomNetwork(seed);
    const std::vector<Change> changes = ChangesOf(graph);
    if (changes.empty()) continue;
    for (int pair = 0; pair < 20; ++pair) {
      const Change& first = changes[random.Below(changes.size())];
      const Change& second = changes[random.Below(changes.size())];
      SCOPED_TRACE(Text(seed, ": ", first.option.variant, " of ", first.layer, ", ",
                        second.option.variant, " of ", second.layer));
      const std::optional<Graph> both = ApplyOrRefuse(Apply(graph, first), second);
      if (!both) {
        ++refused;
        continue;
      }
      ++worked;
      ExpectValid(*both, graph);
      if (pair % 4 == 0) ExpectRuns(*both);
    }
  }
  EXPECT_GT(worked, 100);
  EXPECT_GT(refused, 5);
}

// What is offered for the changed network works there, and comes to the sizes stated.
TEST(CompositionTest, WhatIsOfferedAfterwardsWorks) {
  Random random(6);
  int tried = 0;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const Graph graph = RandomNetwork(seed);
    const std::vector<Change> changes = ChangesOf(graph);
    for (int i = 0; i < 4 && !changes.empty(); ++i) {
      const Change& first = changes[random.Below(changes.size())];
      const Graph once = Apply(graph, first);
      const std::vector<Change> next = ChangesOf(once);
      for (int j = 0; j < 12 && !next.empty(); ++j, ++tried) {
        const Change& second = next[random.Below(next.size())];
        SCOPED_TRACE(Text(seed, ": ", first.option.variant, " of ", first.layer, ", ",
                          second.option.variant, " of ", second.layer));
        const Graph twice = Apply(once, second);
        ExpectValid(twice, graph);
        EXPECT_EQ(twice.NumParameters(), second.option.parameters);
        EXPECT_EQ(MacsOf(twice), second.option.macs);
        if (j == 0) ExpectRuns(twice);
      }
    }
  }
  EXPECT_GT(tried, 200);
}

// The factors that a layer becomes are layers like others: what passes between them can be pruned.
TEST(CompositionTest, FactorsCanBePruned) {
  std::set<std::string> kinds_with_factors, kinds_pruned;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    const Graph graph = RandomNetwork(seed);
    std::set<std::string> names;
    for (const Node& node : graph.nodes()) names.insert(node.name);
    for (const NetworkDecision& decision : FindDecisions(graph, kOffered)) {
      if (decision.options.empty() || kinds_pruned.contains(decision.kind)) continue;
      const Graph rewritten = Apply(graph, {decision.layer, decision.options.front()});
      for (const NetworkDecision& next : FindDecisions(rewritten, {.channel_step = 1})) {
        if (next.kind != "prune" || names.contains(next.layer)) continue;
        kinds_with_factors.insert(decision.kind);
        if (next.options.empty()) continue;  // a single channel
        const Graph pruned = Apply(rewritten, {next.layer, next.options.front()});
        ExpectValid(pruned, graph);
        ExpectRuns(pruned);
        kinds_pruned.insert(decision.kind);
      }
    }
  }
  EXPECT_TRUE(kinds_pruned.contains("svd"));
  EXPECT_EQ(kinds_pruned, kinds_with_factors);
}

}  // namespace
}  // namespace fettle
