#include "fettle/primitives/own_broadcast.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

BroadcastExpression ExpressionOf(const LayerSpec& spec) {
  BroadcastExpression expression;
  for (const TensorType& operand : OperandTypes(spec)) expression.operands.push_back(operand.shape);
  const auto* binary = std::get_if<Binary>(&spec.op);
  const BinaryKind kind = binary == nullptr ? BinaryKind::kAdd : binary->kind;
  expression.kinds.assign(expression.operands.size() - 1, kind);
  return expression;
}

// Binary and sum.
class OwnBinary : public Primitive {
 public:
  std::string_view Name() const override { return "own.binary"; }
  Support Supports(const LayerSpec& spec, const Target&) const override {
    const bool is_one =
        std::holds_alternative<Binary>(spec.op) || std::holds_alternative<Sum>(spec.op);
    return is_one ? RequireOneFloat(spec) : Support::No("neither a binary operator nor a sum");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return BroadcastImplementations(Name(), spec);
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return PrepareBroadcast(spec, implementation, target, ExpressionOf(spec), weights);
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnBinary() { return std::make_unique<OwnBinary>(); }

}  // namespace fettle
