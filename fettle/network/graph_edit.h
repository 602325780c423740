#pragma once

#include <functional>
#include <string>
#include <vector>

#include "fettle/network/graph.h"

namespace fettle {

// Puts nodes in the place of one: appends what it wants to `result`, reading `inputs` (those of the
// node it replaces, in the new graph), and answers the value that stands for the node's output.
// That value gets its name if it was made here.
using NodeReplacement = std::function<ValueId(Graph* result, const std::vector<ValueId>& inputs)>;

// The graph with something else in the place of a node with one output; all other nodes, names, the
// metadata, inputs and outputs as they were. What nothing reads any more is removed. Throws an
// Error (kInternal) where the replacement is of another type than the node's output.
Graph WithNodeReplaced(const Graph& graph, int node, const NodeReplacement& replacement);

// `name`, or with the first of _2, _3, ... behind it that no node of the graph has.
std::string UnusedNodeName(const Graph& graph, const std::string& name);

}  // namespace fettle
