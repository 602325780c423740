#include "fettle/network/onnx/input_shapes.h"

#include <onnx/onnx.pb.h>

#include "fettle/core/error.h"
#include "fettle/network/onnx/element_types.h"
#include "fettle/network/onnx/names.h"

namespace fettle {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 40;

// Older exporters write -1 for an axis they leave open.
bool IsOpen(const onnx::TensorShapeProto::Dimension& dim) {
  return !dim.has_dim_value() || dim.dim_value() < 0;
}

DType DTypeOf(const onnx::TypeProto::Tensor& tensor, bool widen_halves) {
  const std::optional<DType> dtype = DTypeOfOnnx(tensor.elem_type());
  if (!dtype)
    throw BadInput("element type ", OnnxTypeText(tensor.elem_type()), " is not supported");
  return widen_halves ? Widened(*dtype) : *dtype;
}

}  // namespace

InputShapes::InputShapes(const onnx::GraphProto& graph, const ImportOptions& options)
    : options_(options) {
  if (options.batch < 1) {
    throw Error(ErrorKind::kUsage, Text("a batch of ", options.batch, "; it must be at least 1"));
  }
  for (const onnx::ValueInfoProto& input : graph.input()) {
    const onnx::TensorShapeProto& shape = input.type().tensor_type().shape();
    if (shape.dim_size() > 0 && IsOpen(shape.dim(0)) && !shape.dim(0).dim_param().empty()) {
      batch_symbols_.insert(shape.dim(0).dim_param());
    }
  }
}

int64_t InputShapes::OpenExtent(const std::string& input, size_t axis,
                                const std::string& symbol) const {
  const std::string place = Text(input, "[", axis, "]");
  for (const std::string& key : {place, symbol}) {
    const auto given = options_.dims.find(key);
    if (given == options_.dims.end() || key.empty()) continue;
    if (given->second < 1) {
      throw Error(ErrorKind::kUsage, Text("a size of ", given->second, " for ", Quoted(key)));
    }
    return given->second;
  }
  if (axis == 0 || batch_symbols_.contains(symbol)) return options_.batch;
  throw BadInput("axis ", axis, symbol.empty() ? "" : " (" + Quoted(symbol) + ")",
                 " has no fixed size; give one for ", Quoted(symbol.empty() ? place : symbol));
}

TensorType InputShapes::TypeOf(const onnx::ValueInfoProto& input) const {
  if (!input.type().has_tensor_type()) throw BadInput("is not a tensor");
  const onnx::TypeProto::Tensor& tensor = input.type().tensor_type();
  if (!tensor.has_shape()) throw BadInput("has no shape; export the model with one");
  TensorType type{DTypeOf(tensor, options_.widen_halves), {}};
  for (const auto& dim : tensor.shape().dim()) {
    const size_t axis = type.shape.size();
    type.shape.push_back(IsOpen(dim) ? OpenExtent(input.name(), axis, dim.dim_param())
                                     : dim.dim_value());
  }
  const std::optional<int64_t> count = CheckedElementCount(type.shape);
  if (!count || *count > kMostElements) {
    throw BadInput("is ", TypeText(type), ", of too many elements");
  }
  return type;
}

std::string DeclaredText(const onnx::TypeProto& declared, bool widen_halves) {
  const onnx::TypeProto::Tensor& tensor = declared.tensor_type();
  std::string text;
  for (const auto& dim : tensor.shape().dim()) {
    if (!text.empty()) text += 'x';
    text += IsOpen(dim) ? "?" : std::to_string(dim.dim_value());
  }
  if (!tensor.has_shape()) text = "...";
  const std::optional<DType> dtype = DTypeOfOnnx(tensor.elem_type());
  const std::string element = !dtype ? OnnxTypeText(tensor.elem_type())
                                     : std::string(NameOf(widen_halves ? Widened(*dtype) : *dtype));
  return Text(element, "[", tensor.has_shape() && text.empty() ? "scalar" : text, "]");
}

bool Allows(const onnx::TypeProto& declared, const TensorType& type, bool widen_halves) {
  if (!declared.has_tensor_type()) return declared.value_case() == onnx::TypeProto::VALUE_NOT_SET;
  const onnx::TypeProto::Tensor& tensor = declared.tensor_type();
  if (tensor.elem_type() != onnx::TensorProto::UNDEFINED &&
      DTypeOf(tensor, widen_halves) != type.dtype) {
    return false;
  }
  if (!tensor.has_shape()) return true;
  const onnx::TensorShapeProto& shape = tensor.shape();
  if (static_cast<size_t>(shape.dim_size()) != type.shape.size()) return false;
  for (int axis = 0; axis < shape.dim_size(); ++axis) {
    if (!IsOpen(shape.dim(axis)) && shape.dim(axis).dim_value() != type.shape[axis]) return false;
  }
  return true;
}

}  // namespace fettle
