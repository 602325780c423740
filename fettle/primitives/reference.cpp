// The reference: one primitive that computes every spec, in plain layout, in FP64, and rounds once.
// Its operators are spread over reference_*.cpp; here is what they share.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/core/scalar_operators.h"
#include "fettle/primitives/element.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/primitive_families.h"
#include "fettle/primitives/reference_operators.h"

namespace fettle {
namespace {

constexpr Layout kLayouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kBlocked8,
                               Layout::kBlocked16};

// A tensor widened to f32; owns memory only where it was something else.
class Widened {
 public:
  Widened(const TensorType& type, const std::byte* data) : shape_(type.shape) {
    const auto count = static_cast<size_t>(ElementCount(type));
    if (type.dtype == DType::kF32) {
      values_ = {reinterpret_cast<const float*>(data), count};
      return;
    }
    const auto* bits = reinterpret_cast<const uint16_t*>(data);
    copy_.resize(count);
    std::transform(bits, bits + count, copy_.begin(), FromBF16);
    values_ = copy_;
  }

  FloatOperand operand() const { return {shape_, values_}; }

 private:
  Shape shape_;
  std::vector<float> copy_;
  std::span<const float> values_;
};

void RoundAll(std::span<const double> values, DType dtype, std::byte* output) {
  if (dtype == DType::kF32) {
    auto* to = reinterpret_cast<float*>(output);
    std::transform(values.begin(), values.end(), to, ConvertElement<float, double>);
  } else {
    auto* to = reinterpret_cast<BF16*>(output);
    std::transform(values.begin(), values.end(), to, ConvertElement<BF16, double>);
  }
}

class ReferenceKernel : public Kernel {
 public:
  ReferenceKernel(const LayerSpec& spec, Implementation implementation,
                  std::span<const Tensor* const> weights)
      : spec_(spec), implementation_(std::move(implementation)), types_(OperandTypes(spec)) {
    for (const Tensor* weight : weights) weights_.push_back(*weight);
  }

  size_t WeightBytes() const override {
    size_t bytes = 0;
    for (const Tensor& weight : weights_) bytes += weight.num_bytes();
    return bytes;
  }

  void Run(std::span<const std::byte* const> inputs, std::byte* output,
           std::byte* /*workspace*/) const override {
    if (std::holds_alternative<Reorder>(spec_.op)) {
      ReferenceReorder(spec_.inputs[0], implementation_.inputs[0], inputs[0], spec_.output.dtype,
                       implementation_.output, output);
      return;
    }
    const std::vector<const std::byte*> operands = Operands(inputs);
    if (OnlyMoves(spec_.op) && !HasEpilogue(spec_)) {
      ReferenceMove(spec_.op, types_, operands, spec_.output, output);
    } else if (std::holds_alternative<Cast>(spec_.op) && !HasEpilogue(spec_)) {
      ReferenceCast(types_[0], operands[0], spec_.output.dtype, output);
    } else {
      std::vector<double> result = Compute(operands);
      AddEpilogue(inputs, result);
      RoundAll(result, spec_.output.dtype, output);
    }
  }

 private:
  std::vector<const std::byte*> Operands(std::span<const std::byte* const> inputs) const {
    const auto own = inputs.first(NumOperatorInputs(spec_));
    std::vector<const std::byte*> operands(own.begin(), own.end());
    for (const Tensor& weight : weights_) operands.push_back(weight.bytes());
    return operands;
  }

  std::vector<double> Compute(std::span<const std::byte* const> operands) const {
    std::vector<double> result(static_cast<size_t>(ElementCount(spec_.output)));
    if (OnlyMoves(spec_.op) || std::holds_alternative<Cast>(spec_.op)) {
      Move(operands, result);
      return result;
    }
    std::vector<Widened> widened;
    std::vector<FloatOperand> views;
    widened.reserve(operands.size());
    for (size_t i = 0; i < operands.size(); ++i) {
      widened.emplace_back(types_[i], operands[i]);
      views.push_back(widened.back().operand());
    }
    std::visit(
        [&](const auto& op) {
          if constexpr (requires { ReferenceCompute(op, views, spec_.output.shape, result); }) {
            ReferenceCompute(op, views, spec_.output.shape, result);
          } else {
            assert(false && "Supports has refused it");
          }
        },
        spec_.op);
    return result;
  }

  // An operator that only moves, with an epilogue behind it.
  void Move(std::span<const std::byte* const> operands, std::span<double> result) const {
    const TensorType type{types_[0].dtype, spec_.output.shape};
    Tensor moved(type);
    if (OnlyMoves(spec_.op)) {
      ReferenceMove(spec_.op, types_, operands, type, moved.bytes());
    } else {
      std::memcpy(moved.bytes(), operands[0], moved.num_bytes());
    }
    const Widened widened(type, moved.bytes());
    std::copy_n(widened.operand().values.begin(), result.size(), result.begin());
  }

  void AddEpilogue(std::span<const std::byte* const> inputs, std::span<double> result) const {
    if (spec_.adds_residual) {
      const Widened residual(spec_.inputs.back(), inputs.back());
      for (size_t i = 0; i < result.size(); ++i) result[i] += residual.operand().values[i];
    }
    if (!spec_.activation) return;
    for (double& value : result) value = Apply(*spec_.activation, value);
  }

  LayerSpec spec_;
  Implementation implementation_;
  std::vector<TensorType> types_;  // of the operands
  std::vector<Tensor> weights_;
};

class Reference : public Primitive {
 public:
  std::string_view Name() const override { return "reference"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (std::holds_alternative<Split>(spec.op)) {
      return Support::No("a split is lowered to a slice for each output");
    }
    if (OnlyMoves(spec.op)) {
      for (const TensorType& type : OperandTypes(spec)) {
        if (type.dtype != spec.output.dtype) return Support::No("a move that changes the type");
      }
    }
    const bool takes_any_type = OnlyMoves(spec.op) || std::holds_alternative<Cast>(spec.op);
    if (takes_any_type && !HasEpilogue(spec)) return Support::Yes();
    if (std::holds_alternative<Reorder>(spec.op) && HasEpilogue(spec)) {
      return Support::No("a reorder with a fused epilogue");
    }
    return RequireFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    const Implementation plain{std::string(Name()), 1,
                               std::vector<Layout>(spec.inputs.size(), Layout::kPlain),
                               Layout::kPlain, std::nullopt};
    if (!std::holds_alternative<Reorder>(spec.op)) return {plain};
    std::vector<Implementation> all;
    for (Layout from : kLayouts) {
      for (Layout to : kLayouts) {
        if (!CanHave(spec.output.shape, from) || !CanHave(spec.output.shape, to)) continue;
        all.push_back(plain);
        all.back().inputs = {from};
        all.back().output = to;
      }
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target&,
                                  std::span<const Tensor* const> weights) const override {
    return std::make_unique<ReferenceKernel>(spec, implementation, weights);
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeReference() { return std::make_unique<Reference>(); }

}  // namespace fettle
