#include "fettle/primitives/own_kernel.h"

#include "fettle/core/error.h"

namespace fettle {

Support RequireOneFloat(const LayerSpec& spec) {
  if (Support support = RequireFloat(spec); !support) return support;
  for (const TensorType& input : spec.inputs) {
    if (input.dtype != spec.output.dtype) {
      return Support::No(
          Text("input ", TypeText(input), " and output ", TypeText(spec.output), ": types differ"));
    }
  }
  return Support::Yes();
}

Support RequireConstantConv(const LayerSpec& spec) {
  if (!std::holds_alternative<Conv>(spec.op)) return Support::No("not a convolution");
  if (spec.weights.empty()) return Support::No("filters that are no constants");
  if (NumOperatorInputs(spec) != 1) return Support::No("a bias that is no constant");
  return Support::Yes();
}

Support RequireNoEpilogue(const LayerSpec& spec) {
  if (spec.adds_residual) return Support::No("a fused residual");
  if (spec.activation) return Support::No("a fused activation");
  return Support::Yes();
}

std::vector<float> WidenedValues(const Tensor& weight) {
  std::vector<float> values(static_cast<size_t>(weight.num_elements()));
  VisitFloat(weight.dtype(), [&](auto type) {
    const auto* from = As<decltype(type)>(weight.bytes());
    for (size_t i = 0; i < values.size(); ++i) values[i] = Widen(from[i]);
  });
  return values;
}

}  // namespace fettle
