#include "fettle/network/onnx/operator_table.h"

namespace fettle {

void ImportGemm(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  attributes.Ignore("broadcast");  // of opset 6, that of the bias; later ones always allow it
  Gemm gemm;
  gemm.transpose_a = attributes.Int("transA", 0) != 0;
  gemm.transpose_b = attributes.Int("transB", 0) != 0;
  gemm.alpha = attributes.Float("alpha", 1);
  gemm.beta = attributes.Float("beta", 1);
  node.Emit(gemm);
}

void ImportMatMul(NodeImport& node) { node.Emit(MatMul{}); }

}  // namespace fettle
