#include <limits>

#include "fettle/network/onnx/operator_table.h"

namespace fettle {

// Those without attributes.
void ImportPlainActivation(NodeImport& node) {
  const std::string& op_type = node.op_type();
  ActivationKind kind = ActivationKind::kRelu;
  if (op_type == "Sigmoid") kind = ActivationKind::kSigmoid;
  if (op_type == "Tanh") kind = ActivationKind::kTanh;
  if (op_type == "HardSwish") kind = ActivationKind::kHardSwish;
  node.Emit(Activation{kind});
}

void ImportClip(NodeImport& node) {
  Activation clip{ActivationKind::kClip, std::numeric_limits<float>::lowest(),
                  std::numeric_limits<float>::max()};
  if (node.opset() < 11) {
    clip.alpha = node.attributes().Float("min", clip.alpha);
    clip.beta = node.attributes().Float("max", clip.beta);
  } else {
    if (node.Has(1)) clip.alpha = node.FloatInput(1, "min");
    if (node.Has(2)) clip.beta = node.FloatInput(2, "max");
  }
  node.Emit(clip, {node.Input(0)});
}

void ImportLeakyRelu(NodeImport& node) {
  node.Emit(Activation{ActivationKind::kLeakyRelu, node.attributes().Float("alpha", 0.01f)});
}

void ImportHardSigmoid(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  node.Emit(Activation{ActivationKind::kHardSigmoid, attributes.Float("alpha", 0.2f),
                       attributes.Float("beta", 0.5f)});
}

}  // namespace fettle
