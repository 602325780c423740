#include "fettle/network/onnx/node_order.h"

#include <onnx/onnx.pb.h>

#include <functional>
#include <queue>
#include <unordered_map>

#include "fettle/core/error.h"
#include "fettle/network/onnx/names.h"

namespace fettle {
namespace {

using Producers = std::unordered_map<std::string, int>;

Producers ProducersOf(const onnx::GraphProto& graph, const std::unordered_set<std::string>& given) {
  Producers producers;
  for (int n = 0; n < graph.node_size(); ++n) {
    for (const std::string& output : graph.node(n).output()) {
      if (output.empty()) continue;
      const auto [place, is_new] = producers.emplace(output, n);
      if (!is_new) {
        throw BadInput(NodeText(graph.node(n)), ": computes ", Quoted(output), ", as does ",
                       NodeText(graph.node(place->second)));
      }
      if (given.contains(output)) {
        throw BadInput(NodeText(graph.node(n)), ": computes ", Quoted(output),
                       ", which is an input or initializer");
      }
    }
  }
  return producers;
}

// Marks what the outputs depend on, walking back from them.
std::vector<bool> FindNeeded(const onnx::GraphProto& graph, const Producers& producers,
                             std::unordered_set<std::string>* read) {
  std::vector<bool> is_needed(static_cast<size_t>(graph.node_size()), false);
  std::vector<int> waiting;
  const auto need = [&](const std::string& name) {
    if (name.empty() || !read->insert(name).second) return;
    const auto producer = producers.find(name);
    if (producer == producers.end() || is_needed[producer->second]) return;
    is_needed[producer->second] = true;
    waiting.push_back(producer->second);
  };
  for (const onnx::ValueInfoProto& output : graph.output()) need(output.name());
  while (!waiting.empty()) {
    const int n = waiting.back();
    waiting.pop_back();
    for (const std::string& input : graph.node(n).input()) need(input);
  }
  return is_needed;
}

}  // namespace

NodeOrder OrderNodes(const onnx::GraphProto& graph, const std::unordered_set<std::string>& given) {
  const Producers producers = ProducersOf(graph, given);
  NodeOrder order;
  const std::vector<bool> is_needed = FindNeeded(graph, producers, &order.read);

  std::vector<int> missing(is_needed.size(), 0);  // inputs that wait for a node
  std::vector<std::vector<int>> readers(is_needed.size());
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  size_t needed = 0;
  for (int n = 0; n < graph.node_size(); ++n) {
    if (!is_needed[n]) continue;
    ++needed;
    for (const std::string& input : graph.node(n).input()) {
      if (input.empty() || given.contains(input)) continue;
      const auto producer = producers.find(input);
      if (producer == producers.end()) {
        throw BadInput(NodeText(graph.node(n)), ": reads ", Quoted(input),
                       ", which nothing computes");
      }
      readers[producer->second].push_back(n);
      ++missing[n];
    }
    if (missing[n] == 0) ready.push(n);
  }
  while (!ready.empty()) {
    const int n = ready.top();
    ready.pop();
    order.nodes.push_back(n);
    for (int reader : readers[n]) {
      if (--missing[reader] == 0) ready.push(reader);
    }
  }
  if (order.nodes.size() != needed) {
    for (int n = 0; n < graph.node_size(); ++n) {
      if (missing[n] > 0) {
        throw BadInput(NodeText(graph.node(n)), ": waits for its own result; ",
                       needed - order.nodes.size(), " nodes stand on or behind a cycle");
      }
    }
  }
  return order;
}

std::string NodeText(const onnx::NodeProto& node) {
  std::string name = node.name();
  if (name.empty() && node.output_size() > 0) name = node.output(0);
  return Text("node ", Quoted(name), " (", Printable(node.op_type()), ")");
}

}  // namespace fettle
