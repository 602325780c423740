#pragma once

#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/shape_inference.h"
#include "fettle/primitives/primitive_list.h"

namespace fettle {

// The reference's result for an operator on these operands, all of them inputs.
inline Tensor RunReference(const Op& op, const std::vector<Tensor>& operands) {
  LayerSpec spec;
  spec.op = op;
  std::vector<const std::byte*> pointers;
  for (const Tensor& operand : operands) {
    spec.inputs.push_back(operand.type());
    pointers.push_back(operand.bytes());
  }
  spec.output = InferTypes(op, spec.inputs).front();
  const PrimitiveList list = PrimitiveList::All();
  const Implementation implementation = list.reference().Implementations(spec, Target()).front();
  Tensor output(spec.output);
  list.reference()
      .Prepare(spec, implementation, Target(), {})
      ->Run(pointers, output.bytes(), nullptr);
  return output;
}

inline Tensor F32(const Shape& shape, const std::vector<float>& values) {
  return Tensor::Of<float>(DType::kF32, shape, values);
}

}  // namespace fettle
