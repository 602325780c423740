#include "fettle/network/variants/drop.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/network/graph_edit.h"
#include "fettle/network/macs.h"

namespace fettle {
namespace {

using Nodes = std::set<int>;

// The residual block that an addition ends.
struct Block {
  ValueId skip = -1, body = -1;     // the operands
  std::vector<std::string> layers;  // the body's, with weights
  std::string reason;               // why the body cannot be dropped; empty where it can
};

bool IsAdditionOfTwo(const Node& node) {
  const auto* binary = std::get_if<Binary>(&node.op);
  const bool is_sum = std::holds_alternative<Sum>(node.op) && node.inputs.size() == 2;
  return is_sum || (binary != nullptr && binary->kind == BinaryKind::kAdd);
}

class BlockFinder {
 public:
  explicit BlockFinder(const Graph& graph)
      : graph_(graph), producers_(graph.Producers()), readers_(graph.Readers()) {}

  // Nothing where the node is no addition, or one that no residual block ends in.
  std::optional<Block> BlockOf(int n) const {
    const Node& node = At(n);
    if (!IsAdditionOfTwo(node) || node.inputs[0] == node.inputs[1]) return std::nullopt;
    const ValueId a = node.inputs[0], b = node.inputs[1];
    if (graph_.IsConstant(a) || graph_.IsConstant(b)) return std::nullopt;
    const Nodes above_a = Above(a), above_b = Above(b);
    const Nodes only_a = Without(above_a, above_b), only_b = Without(above_b, above_a);
    const std::vector<std::string> layers_a = LayersIn(only_a), layers_b = LayersIn(only_b);
    if (layers_a.empty() && layers_b.empty()) return std::nullopt;
    if (layers_a.empty()) return WithSkip(n, a, only_a, b, above_b);
    if (layers_b.empty()) return WithSkip(n, b, only_b, a, above_a);
    if (!HaveSource(SourcesOf(a, only_a), above_b)) return std::nullopt;
    return layers_a.size() <= layers_b.size() ? WithProjection(a, layers_a, b, layers_b)
                                              : WithProjection(b, layers_b, a, layers_a);
  }

 private:
  const Node& At(int n) const { return graph_.nodes()[static_cast<size_t>(n)]; }
  int ProducerOf(ValueId id) const { return producers_[static_cast<size_t>(id)]; }

  // The nodes that the value is computed from.
  Nodes Above(ValueId value) const {
    Nodes nodes;
    std::vector<int> waiting = {ProducerOf(value)};
    while (!waiting.empty()) {
      const int n = waiting.back();
      waiting.pop_back();
      if (n < 0 || !nodes.insert(n).second) continue;
      for (const ValueId id : At(n).inputs) waiting.push_back(ProducerOf(id));
    }
    return nodes;
  }

  static Nodes Without(const Nodes& nodes, const Nodes& others) {
    Nodes rest;
    std::ranges::set_difference(nodes, others, std::inserter(rest, rest.end()));
    return rest;
  }

  std::vector<std::string> LayersIn(const Nodes& nodes) const {
    std::vector<std::string> layers;
    for (const int n : nodes) {
      if (MacsOf(graph_, At(n)) > 0) layers.push_back(At(n).name);
    }
    return layers;
  }

  bool IsRead(ValueId value, const Nodes& by) const {
    return std::ranges::any_of(readers_[static_cast<size_t>(value)],
                               [&](int reader) { return by.contains(reader); });
  }

  // What comes into these nodes, which only `value` is computed by, from outside.
  std::set<ValueId> SourcesOf(ValueId value, const Nodes& only) const {
    if (only.empty()) return {value};
    std::set<ValueId> sources;
    for (const int n : only) {
      for (const ValueId id : At(n).inputs) {
        if (!graph_.IsConstant(id) && !only.contains(ProducerOf(id))) sources.insert(id);
      }
    }
    return sources;
  }

  bool HaveSource(const std::set<ValueId>& sources, const Nodes& other) const {
    return std::ranges::any_of(sources, [&](ValueId id) { return IsRead(id, other); });
  }

  static Block WithProjection(ValueId skip, const std::vector<std::string>& of_skip, ValueId body,
                              const std::vector<std::string>& of_body) {
    return {skip, body, of_body,
            Text("the skip has weights of its own ('", of_skip.front(), "'): a projection")};
  }

  // `skip` has no weights of its own; `only_skip` are the nodes that only it is computed by.
  std::optional<Block> WithSkip(int addition, ValueId skip, const Nodes& only_skip, ValueId body,
                                const Nodes& above_body) const {
    const std::set<ValueId> sources = SourcesOf(skip, only_skip);
    if (!HaveSource(sources, above_body)) return std::nullopt;
    const Nodes nodes = BodyOf(sources, above_body);
    Block block{skip, body, LayersIn(nodes), ""};
    if (block.layers.empty()) return std::nullopt;
    if (graph_.value(skip).type != graph_.value(At(addition).outputs[0]).type) {
      block.reason = Text("the skip is broadcast: it is ", TypeText(graph_.value(skip).type));
    } else {
      block.reason = OtherUse(nodes, addition);
    }
    return block;
  }

  // The nodes on the way from the sources to the body's result.
  Nodes BodyOf(const std::set<ValueId>& sources, const Nodes& above_body) const {
    std::set<ValueId> reached = sources;
    Nodes nodes;
    for (const int n : above_body) {  // in the order of computation
      const Node& node = At(n);
      if (std::ranges::none_of(node.inputs, [&](ValueId id) { return reached.contains(id); })) {
        continue;
      }
      nodes.insert(n);
      reached.insert(node.outputs.begin(), node.outputs.end());
    }
    return nodes;
  }

  // What else needs something of the body, in words.
  std::string OtherUse(const Nodes& body, int addition) const {
    for (const int n : body) {
      for (const ValueId id : At(n).outputs) {
        const auto& outputs = graph_.outputs();
        if (std::ranges::find(outputs, id) != outputs.end()) {
          return Text("'", At(n).name, "' within it is an output of the network");
        }
        for (const int reader : readers_[static_cast<size_t>(id)]) {
          if (reader == addition || body.contains(reader)) continue;
          return Text("'", At(reader).name, "' needs '", At(n).name, "' within it too");
        }
      }
    }
    return "";
  }

  const Graph& graph_;
  std::vector<int> producers_;
  std::vector<std::vector<int>> readers_;
};

// The addition's index and its block. Throws an Error where there is none, or it must stay.
std::pair<int, Block> FindBlock(const Graph& graph, std::string_view name) {
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    if (graph.nodes()[n].name != name) continue;
    const auto block = BlockFinder(graph).BlockOf(static_cast<int>(n));
    if (!block) {
      throw BadInput("'", name,
                     "' cannot take drop(): it is no addition that ends a residual block");
    }
    if (!block->reason.empty()) {
      throw BadInput("'", name, "' cannot take drop(): ", block->reason);
    }
    return {static_cast<int>(n), *block};
  }
  throw BadInput("there is no addition '", name, "'; `fettle inspect` lists them");
}

void ForgetWhatIsGone(const Graph& graph, Calibration* calibration) {
  std::set<std::string> nodes, values;
  for (const Node& node : graph.nodes()) nodes.insert(node.name);
  for (size_t i = 0; i < graph.num_values(); ++i) {
    values.insert(graph.value(static_cast<ValueId>(i)).name);
  }
  std::erase_if(calibration->patches, [&](const auto& of) { return !nodes.contains(of.first); });
  std::erase_if(calibration->values, [&](const auto& of) { return !values.contains(of.first); });
}

}  // namespace

Graph DropVariant::Rewrite(const Graph& graph, std::string_view addition,
                           const RewriteOptions& options) const {
  const auto [n, block] = FindBlock(graph, addition);
  const Node& node = graph.nodes()[static_cast<size_t>(n)];
  const size_t operand = node.inputs[0] == block.skip ? 0 : 1;
  const auto& outputs = graph.outputs();
  const bool is_output = std::ranges::find(outputs, node.outputs[0]) != outputs.end();
  Graph rest = WithNodeReplaced(graph, n, [&](Graph* result, const std::vector<ValueId>& inputs) {
    // An output of the network keeps its name.
    return is_output ? result->AddNode(node.name, Identity{}, {inputs[operand]})[0]
                     : inputs[operand];
  });
  if (options.carried != nullptr) ForgetWhatIsGone(rest, options.carried);
  return rest;
}

std::optional<double> DropVariant::WeightError(const Graph& graph,
                                               std::string_view addition) const {
  FindBlock(graph, addition);
  return 1;
}

std::unique_ptr<Variant> ParseDrop(VariantText text) {
  const VariantText fields = std::move(text);
  fields.Finish();
  return std::make_unique<DropVariant>();
}

std::vector<NetworkDecision> FindDropDecisions(const Graph& graph,
                                               const DecisionOptions& /*options*/) {
  const BlockFinder finder(graph);
  std::vector<NetworkDecision> decisions;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const auto block = finder.BlockOf(static_cast<int>(n));
    if (!block) continue;
    NetworkDecision& decision = decisions.emplace_back();
    decision.layer = graph.nodes()[n].name;
    decision.layers = block->layers;
    decision.reason = block->reason;
    if (!decision.reason.empty()) continue;
    const Graph rest = DropVariant().Rewrite(graph, decision.layer);
    decision.options.push_back({DropVariant().Text(), rest.NumParameters(), MacsOf(rest)});
  }
  return decisions;
}

}  // namespace fettle
