#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "fettle/core/dtype.h"

namespace fettle {

// ONNX's number of an element type (TensorProto.DataType), and back; nothing for those that Fettle
// has no tensors of (strings, complex and unsigned wide numbers, 8- and 4-bit floats).
std::optional<DType> DTypeOfOnnx(int32_t data_type);
int32_t OnnxOfDType(DType dtype);

// For messages: "uint32", or "number 99" where the number is none of ONNX's.
std::string OnnxTypeText(int32_t data_type);

// f32 for f16 and bf16, itself otherwise.
DType Widened(DType dtype);

float FromF16(uint16_t bits);                   // exact
std::optional<uint16_t> ExactF16(float value);  // nothing where f16 does not have the value

}  // namespace fettle
