#include "fettle/network/onnx/operator_table.h"
#include "fettle/network/onnx/window_attributes.h"

namespace fettle {

// MaxPool and AveragePool.
void ImportPool(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  Pool pool;
  pool.kind = node.op_type() == "MaxPool" ? PoolKind::kMax : PoolKind::kAverage;
  WindowAttributes window = ReadWindowAttributes(attributes);
  window.ceil_mode = attributes.Int("ceil_mode", 0) != 0;
  if (pool.kind == PoolKind::kMax) {
    attributes.Ignore("storage_order");  // only of the indices
    if (node.IsRead(1)) throw Refuse("the Indices of the maxima are not computed");
  } else {
    pool.count_include_pad = attributes.Int("count_include_pad", 0) != 0;
  }
  if (!window.kernel) throw BadInput("has no attribute kernel_shape");
  ResolvedWindow resolved = ResolveWindow(window, *window.kernel, node.InputType(0).shape);
  pool.window = std::move(resolved.window);
  pool.overhang = std::move(resolved.overhang);
  node.Emit(pool);
}

void ImportGlobalAveragePool(NodeImport& node) { node.Emit(GlobalAveragePool{}); }

}  // namespace fettle
