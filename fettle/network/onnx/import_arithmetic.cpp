#include "fettle/network/onnx/element_types.h"
#include "fettle/network/onnx/operator_table.h"

namespace fettle {

// Add, Sub, Mul, Div.
void ImportBinary(NodeImport& node) {
  for (const char* name : {"broadcast", "axis"}) {
    if (node.attributes().Int(name, 0) != 0) {
      throw Refuse("the attribute ", name, " of opset 6; convert the model to opset 7 or newer");
    }
  }
  Binary binary;
  if (node.op_type() == "Sub") binary.kind = BinaryKind::kSub;
  if (node.op_type() == "Mul") binary.kind = BinaryKind::kMul;
  if (node.op_type() == "Div") binary.kind = BinaryKind::kDiv;
  node.Emit(binary);
}

void ImportSum(NodeImport& node) { node.Emit(Sum{}); }

void ImportCast(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  if (!attributes.Has("to")) throw BadInput("has no attribute to");
  attributes.Ignore("saturate");    // only of 8-bit floats
  attributes.Ignore("round_mode");  // likewise
  const int64_t to = attributes.Int("to", 0);
  const bool is_number = to >= 0 && to < 1000;
  const std::optional<DType> dtype = DTypeOfOnnx(is_number ? static_cast<int32_t>(to) : 0);
  if (!dtype) throw Refuse("a cast to ", OnnxTypeText(is_number ? static_cast<int32_t>(to) : -1));
  node.Emit(Cast{node.state().source().widen_halves ? Widened(*dtype) : *dtype});
}

void ImportIdentity(NodeImport& node) {
  const Operand& input = node.Input(0);
  if (input.constant != nullptr) {
    node.SetOutput(0, input);  // one constant, read under two names
  } else {
    node.Emit(Identity{});
  }
}

// In inference it passes its input on; its mask would be all true.
void ImportDropout(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  for (const char* name : {"ratio", "seed"}) attributes.Ignore(name);
  if (node.opset() < 7 && attributes.Int("is_test", 0) == 0) {
    throw Refuse("its training form; export the model for inference");
  }
  if (node.IsRead(1)) throw Refuse("the mask is not computed");
  if (node.Has(2)) {
    const Tensor& training = node.ConstantInput(2, "training_mode");
    if (training.num_bytes() != 1 || training.bytes()[0] != std::byte{0}) {
      throw Refuse("its training form; export the model for inference");
    }
  }
  node.Emit(Identity{}, {node.Input(0)});
}

}  // namespace fettle
