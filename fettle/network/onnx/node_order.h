#pragma once

#include <string>
#include <unordered_set>
#include <vector>

namespace onnx {
class GraphProto;
class NodeProto;
}  // namespace onnx

namespace fettle {

// The nodes of a file that its outputs depend on, each behind those it reads from; in the file's
// order as far as that allows.
struct NodeOrder {
  std::vector<int> nodes;
  std::unordered_set<std::string> read;  // the names that these or the model's outputs read
};

// `given` are the names of inputs and initializers. Throws an Error on two values of one name, on a
// name that nothing computes, and on a cycle.
NodeOrder OrderNodes(const onnx::GraphProto& graph, const std::unordered_set<std::string>& given);

// "node 'conv1' (Conv)"; by its first output where it has no name.
std::string NodeText(const onnx::NodeProto& node);

}  // namespace fettle
