#pragma once

#include <filesystem>

#include "fettle/core/tensor.h"

namespace onnx {
class TensorProto;
}

namespace fettle {

struct TensorSource {
  std::filesystem::path folder;  // of external data; empty where there may be none
  bool widen_halves = false;     // f16 and bf16 to f32
};

// The values of a tensor as a file holds it. Its dims, element type and data must agree, which is
// checked before anything is allocated; throws an Error that does not name the tensor.
Tensor DecodeTensor(const onnx::TensorProto& proto, const TensorSource& source);

// The values as raw_data, under the name.
void EncodeTensor(const Tensor& tensor, const std::string& name, onnx::TensorProto* proto);

}  // namespace fettle
