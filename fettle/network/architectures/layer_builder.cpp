#include "fettle/network/architectures/layer_builder.h"

#include <algorithm>
#include <cmath>

namespace fettle {

ValueId LayerBuilder::NormalWeights(const std::string& name, const Shape& shape, double variance) {
  Random random = random_.Fork(name);
  Tensor weights(TensorType{DType::kF32, shape});
  for (float& weight : weights.values<float>()) {
    weight = static_cast<float>(random.Normal(0, std::sqrt(variance)));
  }
  return graph_.AddConstant(name, std::move(weights));
}

ValueId LayerBuilder::ConstantWeights(const std::string& name, int64_t count, float value) {
  Tensor weights(TensorType{DType::kF32, {count}});
  std::ranges::fill(weights.values<float>(), value);
  return graph_.AddConstant(name, std::move(weights));
}

ValueId LayerBuilder::Convolution(const std::string& name, ValueId input, int64_t channels,
                                  int64_t kernel, int64_t stride, int64_t groups) {
  const Shape shape{channels, ChannelsOf(input) / groups, kernel, kernel};
  const int64_t receivers = channels / groups;
  const auto fan_out = static_cast<double>(receivers * kernel * kernel);
  const ValueId weights = NormalWeights(name + ".weight", shape, 2 / fan_out);
  const int64_t pad = kernel / 2;
  const Conv conv{{{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}}, groups};
  return graph_.AddNode(name, conv, {input, weights})[0];
}

ValueId LayerBuilder::BatchNormalisation(const std::string& name, ValueId input) {
  const int64_t channels = ChannelsOf(input);
  const ValueId scale = ConstantWeights(name + ".weight", channels, 1);
  const ValueId shift = ConstantWeights(name + ".bias", channels, 0);
  const ValueId mean = ConstantWeights(name + ".running_mean", channels, 0);
  const ValueId variance = ConstantWeights(name + ".running_var", channels, 1);
  return graph_.AddNode(name, BatchNorm{}, {input, scale, shift, mean, variance})[0];
}

ValueId LayerBuilder::Relu(const std::string& name, ValueId input) {
  return graph_.AddNode(name, Activation{ActivationKind::kRelu}, {input})[0];
}

ValueId LayerBuilder::Relu6(const std::string& name, ValueId input) {
  return graph_.AddNode(name, Activation{ActivationKind::kClip, 0, 6}, {input})[0];
}

ValueId LayerBuilder::Add(const std::string& name, ValueId a, ValueId b) {
  return graph_.AddNode(name, Binary{BinaryKind::kAdd}, {a, b})[0];
}

ValueId LayerBuilder::Classifier(const std::string& name, ValueId input, int64_t classes) {
  const int64_t channels = ChannelsOf(input);
  const ValueId mean = graph_.AddNode("pool", GlobalAveragePool{}, {input})[0];
  const ValueId flat = graph_.AddNode("flatten", Reshape{{1, channels}}, {mean})[0];
  const ValueId weights =
      NormalWeights(name + ".weight", {classes, channels}, 1 / static_cast<double>(channels));
  const ValueId bias = ConstantWeights(name + ".bias", classes, 0);
  return graph_.AddNode(name, Gemm{.transpose_b = true}, {flat, weights, bias})[0];
}

}  // namespace fettle
