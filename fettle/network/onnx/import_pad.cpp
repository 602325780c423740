#include <numeric>

#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

PadMode ReadMode(const NodeImport& node) {
  const std::string mode = node.attributes().String("mode", "constant");
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  throw Refuse("the mode ", Quoted(mode), "; constant, reflect and edge are");
}

}  // namespace

void ImportPad(NodeImport& node) {
  Pad pad;
  pad.mode = ReadMode(node);
  const bool has_inputs = node.opset() >= 11;
  if (!has_inputs) pad.value = node.attributes().Float("value", 0);
  const std::optional<std::vector<int64_t>> pads = node.IntsOf("pads", 1, 11);
  if (!pads) throw BadInput("has no pads");
  if (has_inputs && node.Has(2)) pad.value = node.FloatInput(2, "constant_value");

  const auto rank = static_cast<size_t>(node.Rank(0));
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  if (node.opset() >= 18 && node.Has(3)) axes = node.IntsInput(3, "axes");
  ResolvedAxes(axes, node.Rank(0));  // throws where one stands twice
  if (pads->size() != 2 * axes.size()) {
    throw BadInput("pads has ", pads->size(), " entries, expected ", 2 * axes.size());
  }
  pad.begin.assign(rank, 0);
  pad.end.assign(rank, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(ResolvedAxis(axes[i], node.Rank(0)));
    pad.begin[axis] = (*pads)[i];
    pad.end[axis] = (*pads)[i + axes.size()];
  }
  node.Emit(pad, {node.Input(0)});
}

}  // namespace fettle
