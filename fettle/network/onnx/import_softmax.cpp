#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

// Before opset 13 Softmax saw a matrix: all axes from `axis` on together were its columns.
void ImportOverColumns(NodeImport& node, int64_t axis) {
  const Shape shape = node.InputType(0).shape;
  const Shape rows(shape.begin(), shape.begin() + axis), columns(shape.begin() + axis, shape.end());
  const int64_t width = ElementCount(columns);
  if (width == columns[0]) {
    node.Emit(Softmax{axis});
    return;
  }
  const Operand matrix =
      node.Step(Reshape{{ElementCount(rows), width}}, {node.Input(0)}, "flatten");
  const Operand result = node.Step(Softmax{1}, {matrix});
  node.Emit(Reshape{shape}, {result}, "restore");
}

}  // namespace

void ImportSoftmax(NodeImport& node) {
  const bool is_over_columns = node.opset() < 13;
  const int64_t axis = node.attributes().Int("axis", is_over_columns ? 1 : -1);
  const int64_t resolved = ResolvedAxis(axis, node.Rank(0));
  if (is_over_columns) {
    ImportOverColumns(node, resolved);
  } else {
    node.Emit(Softmax{resolved});
  }
}

}  // namespace fettle
