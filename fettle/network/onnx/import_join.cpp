#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

// As many parts as there are outputs, or as num_outputs says: equal, the last one smaller where the
// extent does not divide (opset 18).
std::vector<int64_t> EqualParts(const NodeImport& node, int64_t extent, int64_t parts) {
  if (parts < 1 || static_cast<uint64_t>(parts) > node.num_outputs()) {
    throw BadInput("splits into ", parts, " parts, but has ", node.num_outputs(), " outputs");
  }
  if (node.opset() < 18 && extent % parts != 0) {
    throw BadInput("cannot split ", extent, " elements into ", parts, " equal parts");
  }
  const int64_t each = (extent + parts - 1) / parts;
  std::vector<int64_t> sizes(static_cast<size_t>(parts), each);
  sizes.back() = extent - each * (parts - 1);
  if (sizes.back() < 0) throw BadInput("cannot split ", extent, " elements into ", parts, " parts");
  return sizes;
}

}  // namespace

void ImportConcat(NodeImport& node) {
  if (!node.attributes().Has("axis")) throw BadInput("has no attribute axis");
  const int64_t axis = node.attributes().Int("axis", 0);
  node.Emit(Concat{ResolvedAxis(axis, node.Rank(0))});
}

void ImportSplit(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  Split split;
  const int64_t axis = attributes.Int("axis", 0);
  const int64_t parts = attributes.Int("num_outputs", static_cast<int64_t>(node.num_outputs()));
  split.axis = ResolvedAxis(axis, node.Rank(0));
  const int64_t extent = node.InputType(0).shape[static_cast<size_t>(split.axis)];
  const std::optional<std::vector<int64_t>> sizes = node.IntsOf("split", 1, 13);
  split.sizes = sizes ? *sizes : EqualParts(node, extent, parts);
  if (split.sizes.size() != node.num_outputs()) {
    throw BadInput("splits into ", split.sizes.size(), " parts, but has ", node.num_outputs(),
                   " outputs");
  }
  node.Emit(split, {node.Input(0)});
}

}  // namespace fettle
