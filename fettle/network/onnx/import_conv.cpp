#include "fettle/network/onnx/operator_table.h"
#include "fettle/network/onnx/window_attributes.h"

namespace fettle {

void ImportConv(NodeImport& node) {
  const WindowAttributes window = ReadWindowAttributes(node.attributes());
  Conv conv;
  conv.groups = node.attributes().Int("group", 1);
  const Shape& x = node.InputType(0).shape;
  const Shape& w = node.InputType(1).shape;
  if (w.size() < 3 || w.size() != x.size()) {
    throw BadInput("input ", ShapeText(x), " with weights ", ShapeText(w));
  }
  const std::vector<int64_t> kernel = window.kernel.value_or(Shape(w.begin() + 2, w.end()));
  conv.window = ResolveWindow(window, kernel, x).window;
  node.Emit(conv);
}

}  // namespace fettle
