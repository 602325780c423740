#include "fettle/primitives/own_broadcast.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// ChannelAffine's operands as they are broadcast: scale and shift of [C] under the channel axis.
BroadcastExpression ExpressionOf(const LayerSpec& spec) {
  BroadcastExpression expression;
  for (const TensorType& operand : OperandTypes(spec)) expression.operands.push_back(operand.shape);
  if (const auto* binary = std::get_if<Binary>(&spec.op)) {
    expression.kinds = {binary->kind};
  } else if (std::holds_alternative<Sum>(spec.op)) {
    expression.kinds.assign(expression.operands.size() - 1, BinaryKind::kAdd);
  } else {
    expression.kinds = {BinaryKind::kMul, BinaryKind::kAdd};
    for (size_t i = 1; i < 3; ++i) expression.operands[i].resize(spec.output.shape.size() - 1, 1);
  }
  return expression;
}

// "own.binary" for binary and sum, "own.channel_affine": the same kernel for different operators.
class OwnBroadcast : public Primitive {
 public:
  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return BroadcastImplementations(Name(), spec);
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return PrepareBroadcast(spec, implementation, target, ExpressionOf(spec), weights);
  }
};

class OwnBinary : public OwnBroadcast {
 public:
  std::string_view Name() const override { return "own.binary"; }
  Support Supports(const LayerSpec& spec, const Target&) const override {
    const bool is_one =
        std::holds_alternative<Binary>(spec.op) || std::holds_alternative<Sum>(spec.op);
    return is_one ? RequireOneFloat(spec) : Support::No("neither a binary operator nor a sum");
  }
};

class OwnChannelAffine : public OwnBroadcast {
 public:
  std::string_view Name() const override { return "own.channel_affine"; }
  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<ChannelAffine>(spec.op)) return Support::No("not a channel affine");
    return RequireOneFloat(spec);
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnBinary() { return std::make_unique<OwnBinary>(); }
std::unique_ptr<Primitive> MakeOwnChannelAffine() { return std::make_unique<OwnChannelAffine>(); }

}  // namespace fettle
