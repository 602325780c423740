#include "fettle/network/onnx/operator_table.h"

namespace fettle {

void ImportBatchNormalization(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  attributes.Ignore("momentum");  // only of training
  // Before opset 14 the number of outputs said which form it was, before opset 7 an attribute.
  bool is_training = attributes.Int("training_mode", 0) != 0;
  if (node.opset() < 7) is_training = attributes.Int("is_test", 0) == 0;
  for (size_t i = 1; i < node.num_outputs(); ++i) is_training = is_training || node.IsRead(i);
  if (is_training || (node.opset() < 14 && node.num_outputs() > 1)) {
    throw Refuse("its training form; export the model for inference");
  }
  if (attributes.Int("spatial", 1) != 1) throw Refuse("spatial=0, statistics of each element");
  node.Emit(BatchNorm{attributes.Float("epsilon", 1e-5f)});
}

void ImportLrn(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  if (!attributes.Has("size")) throw BadInput("has no attribute size");
  Lrn lrn;
  lrn.size = attributes.Int("size", 1);
  lrn.alpha = attributes.Float("alpha", 1e-4f);
  lrn.beta = attributes.Float("beta", 0.75f);
  lrn.bias = attributes.Float("bias", 1);
  node.Emit(lrn);
}

}  // namespace fettle
