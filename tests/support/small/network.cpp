#include "tests/support/small/network.h"

#include "fettle/core/error.h"

namespace fettle {

namespace {

constexpr int kOpset = 17;

OnnxShape OpenBatch(const Shape& shape) {
  OnnxShape open = ToOnnxShape(shape);
  open[0] = std::string("N");
  return open;
}

}  // namespace

SmallNetwork::SmallNetwork(std::string_view name, uint64_t seed)
    : name_(name), onnx_(name, kOpset), random_(Random(seed).Fork(name)) {}

std::string SmallNetwork::Input(const std::string& name, const Shape& shape) {
  onnx_.Input(name, DType::kF32, ToOnnxShape(shape));
  inputs_.push_back({DType::kF32, shape});
  return name;
}

std::string SmallNetwork::OpenBatchInput(const std::string& name, const Shape& shape) {
  onnx_.Input(name, DType::kF32, OpenBatch(shape));
  inputs_.push_back({DType::kF32, shape});
  return name;
}

void SmallNetwork::Output(const std::string& name, const Shape& shape) {
  onnx_.Output(name, DType::kF32, ToOnnxShape(shape));
  outputs_.push_back({DType::kF32, shape});
}

void SmallNetwork::OpenBatchOutput(const std::string& name, const Shape& shape) {
  onnx_.Output(name, DType::kF32, OpenBatch(shape));
  outputs_.push_back({DType::kF32, shape});
}

std::string SmallNetwork::Node(std::string_view op_type, const std::vector<std::string>& inputs,
                               const OnnxAttributes& attributes) {
  return onnx_.Node(op_type, inputs, attributes);
}

void SmallNetwork::NodeTo(const std::vector<std::string>& outputs, std::string_view op_type,
                          const std::vector<std::string>& inputs,
                          const OnnxAttributes& attributes) {
  onnx_.NodeTo(outputs, op_type, inputs, attributes);
}

std::string SmallNetwork::Weights(const Shape& shape) {
  Tensor tensor(TensorType{DType::kF32, shape});
  for (float& value : tensor.values<float>()) value = static_cast<float>(random_.Normal());
  return onnx_.Initializer(Text("w", weights_++), tensor);
}

std::string SmallNetwork::Scales(const Shape& shape) {
  Tensor tensor(TensorType{DType::kF32, shape});
  for (float& value : tensor.values<float>()) value = static_cast<float>(random_.Uniform(0.5, 1.5));
  return onnx_.Initializer(Text("w", weights_++), tensor);
}

std::string SmallNetwork::Conv(const std::string& x, const Shape& weights,
                               const OnnxAttributes& attributes) {
  return Node("Conv", {x, Weights(weights), Weights({weights[0]})}, attributes);
}

std::string SmallNetwork::BatchNorm(const std::string& x, int64_t channels) {
  const Shape shape = {channels};
  return Node("BatchNormalization",
              {x, Scales(shape), Weights(shape), Weights(shape), Scales(shape)});
}

std::vector<SmallModel> SmallModels(uint64_t seed) {
  std::vector<SmallModel> models;
  AddWiringModels(seed, &models);
  AddOperatorModels(seed, &models);
  return models;
}

}  // namespace fettle
