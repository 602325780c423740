#include "tests/support/model_builder.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numbers>
#include <numeric>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// The sum of the four 16-bit numbers in a draw: close to normal, exact, and 143 million of them in
// well under a second. This is the deviation of that sum, and its mean.
const double kSumDeviation = std::sqrt(4 * (65536.0 * 65536.0 - 1) / 12);
constexpr int kSumMean = 2 * 65535;

constexpr size_t kFewInputs = 16;

int SumOfQuarters(uint64_t draw) {
  return static_cast<int>((draw & 0xffff) + (draw >> 16 & 0xffff) + (draw >> 32 & 0xffff) +
                          (draw >> 48));
}

// Fills raw little-endian f32 data.
template <typename F>
void FillFloats(std::string* raw, F&& next) {
  std::array<float, 1024> buffer;
  const size_t count = raw->size() / sizeof(float);
  for (size_t start = 0; start < count; start += buffer.size()) {
    const size_t now = std::min(buffer.size(), count - start);
    for (size_t i = 0; i < now; ++i) buffer[i] = next();
    std::memcpy(raw->data() + start * sizeof(float), buffer.data(), now * sizeof(float));
  }
}

}  // namespace

ModelBuilder::ModelBuilder(std::string_view name, const ModelOptions& options)
    : options_(options), onnx_(name, options.opset), random_(options.seed) {
  assert(options.opset >= 7 && options.batch >= 0);
}

OnnxExtent ModelBuilder::Batch() const {
  if (options_.batch == kDynamicBatch) return "N";
  return options_.batch;
}

OnnxShape ModelBuilder::ShapeOf(const FeatureMap& x) const {
  if (x.extent == 0) return {Batch(), x.channels};
  return {Batch(), x.channels, x.extent, x.extent};
}

FeatureMap ModelBuilder::Image(int64_t channels, int64_t extent) {
  FeatureMap image = {"input", channels, extent};
  onnx_.Input(image.name, DType::kF32, ShapeOf(image));
  return image;
}

std::string ModelBuilder::Finish(const FeatureMap& output, std::string_view name) {
  onnx_.NameLast(name);
  onnx_.Output(name, DType::kF32, ShapeOf(output));
  return onnx_.Serialize();
}

std::string ModelBuilder::Normals(const std::string& name, const Shape& shape, double mean,
                                  double deviation) {
  Random random = random_.Fork(name);
  const double scale = deviation / kSumDeviation;
  FillFloats(onnx_.RawInitializer(name, {DType::kF32, shape}), [&] {
    return static_cast<float>(std::fma(SumOfQuarters(random.Next()) - kSumMean, scale, mean));
  });
  return name;
}

// Each neuron's weights sum to nothing, except where it has so few that this would leave it blind
// to smooth images. What rectified inputs have in common then cancels out, without which the
// outputs of a deep random network hardly depend on the image. The deviation keeps activations near
// 1: after a rectifier, 1/2 of a normal number's mean square is left, and 1/2 - 1/2pi of its
// variance.
std::string ModelBuilder::Weights(const std::string& name, const Shape& shape, double gain) {
  const auto inputs = static_cast<size_t>(ElementCount(shape) / shape[0]);
  const bool is_centred = inputs >= kFewInputs;
  const double kept = is_centred ? 0.5 - 0.5 / std::numbers::pi : 0.5;
  const double scale = gain / std::sqrt(kept * static_cast<double>(inputs)) / kSumDeviation;

  Random random = random_.Fork(name);
  std::string* raw = onnx_.RawInitializer(name, {DType::kF32, shape});
  std::vector<int> neuron(inputs);
  std::vector<float> weights(inputs);
  for (size_t at = 0; at < raw->size(); at += inputs * sizeof(float)) {
    for (int& draw : neuron) draw = SumOfQuarters(random.Next());
    const int64_t sum = std::accumulate(neuron.begin(), neuron.end(), int64_t{0});
    const double mean =
        is_centred ? static_cast<double>(sum) / static_cast<double>(inputs) : kSumMean;
    std::transform(neuron.begin(), neuron.end(), weights.begin(),
                   [&](int draw) { return static_cast<float>((draw - mean) * scale); });
    std::memcpy(raw->data() + at, weights.data(), inputs * sizeof(float));
  }
  return name;
}

std::string ModelBuilder::Uniforms(const std::string& name, const Shape& shape, double low,
                                   double high) {
  Random random = random_.Fork(name);
  FillFloats(onnx_.RawInitializer(name, {DType::kF32, shape}),
             [&] { return static_cast<float>(random.Uniform(low, high)); });
  return name;
}

FeatureMap ModelBuilder::Conv(const FeatureMap& x, const std::string& name,
                              const ConvOptions& options) {
  assert(x.channels % options.groups == 0 && options.channels % options.groups == 0);
  const Shape shape = {options.channels, x.channels / options.groups, options.kernel,
                       options.kernel};
  std::vector<std::string> inputs = {x.name, Weights(name + ".weight", shape, options.gain)};
  if (options.bias) inputs.push_back(Normals(name + ".bias", {options.channels}, 0, 0.1));
  const std::string y = onnx_.Node("Conv", inputs,
                                   {{"dilations", std::vector<int64_t>{1, 1}},
                                    {"group", options.groups},
                                    {"kernel_shape", std::vector(2, options.kernel)},
                                    {"pads", std::vector(4, options.pad)},
                                    {"strides", std::vector(2, options.stride)}},
                                   name);
  const int64_t extent = (x.extent + 2 * options.pad - options.kernel) / options.stride + 1;
  return {y, options.channels, extent};
}

FeatureMap ModelBuilder::BatchNorm(const FeatureMap& x, const std::string& name,
                                   const BatchNormOptions& options) {
  const Shape shape = {x.channels};
  const std::vector<std::string> inputs = {
      x.name,
      Uniforms(name + ".weight", shape, 0.8 * options.gamma, 1.2 * options.gamma),
      Normals(name + ".bias", shape, 0, 0.1),
      Normals(name + ".running_mean", shape, 0, 0.2),
      Uniforms(name + ".running_var", shape, 0.5, 2),
  };
  const std::string y = onnx_.Node("BatchNormalization", inputs,
                                   {{"epsilon", options.epsilon}, {"momentum", 0.9F}}, name);
  return {y, x.channels, x.extent};
}

FeatureMap ModelBuilder::ConvBatchNorm(const FeatureMap& x, const std::string& conv,
                                       const std::string& norm, const ConvOptions& options,
                                       const BatchNormOptions& norm_options) {
  return BatchNorm(Conv(x, conv, options), norm, norm_options);
}

FeatureMap ModelBuilder::Relu(const FeatureMap& x, const std::string& scope) {
  return {onnx_.Node("Relu", {x.name}, {}, scope), x.channels, x.extent};
}

FeatureMap ModelBuilder::Relu6(const FeatureMap& x, const std::string& scope) {
  if (options_.opset < 11) {
    const OnnxAttributes limits = {{"min", 0.0F}, {"max", 6.0F}};
    return {onnx_.Node("Clip", {x.name}, limits, scope), x.channels, x.extent};
  }
  const std::string low = onnx_.ConstantFloat(0, scope);
  const std::string high = onnx_.ConstantFloat(6, scope);
  return {onnx_.Node("Clip", {x.name, low, high}, {}, scope), x.channels, x.extent};
}

FeatureMap ModelBuilder::Add(const FeatureMap& a, const FeatureMap& b, const std::string& scope) {
  assert(a.channels == b.channels && a.extent == b.extent);
  return {onnx_.Node("Add", {a.name, b.name}, {}, scope), a.channels, a.extent};
}

FeatureMap ModelBuilder::Concat(const std::vector<FeatureMap>& parts, const std::string& scope) {
  FeatureMap result = {"", 0, parts.front().extent};
  std::vector<std::string> names;
  for (const FeatureMap& part : parts) {
    assert(part.extent == result.extent);
    names.push_back(part.name);
    result.channels += part.channels;
  }
  result.name = onnx_.Node("Concat", names, {{"axis", int64_t{1}}}, scope);
  return result;
}

// Opsets before 10 have no ceil_mode; there the pads at the end let the last window in.
FeatureMap ModelBuilder::Pooled(const FeatureMap& x, std::string_view op_type,
                                const std::string& scope, const PoolOptions& options) {
  const int64_t span = x.extent + 2 * options.pad - options.kernel;
  const int64_t overhang = options.ceil_mode ? -span % options.stride + options.stride : 0;
  const int64_t missing = overhang % options.stride;
  const bool has_ceil_mode = options_.opset >= 10;
  OnnxAttributes attributes = {
      {"kernel_shape", std::vector(2, options.kernel)},
      {"pads", has_ceil_mode ? std::vector(4, options.pad)
                             : std::vector{options.pad, options.pad, options.pad + missing,
                                           options.pad + missing}},
      {"strides", std::vector(2, options.stride)}};
  if (has_ceil_mode) attributes.emplace_back("ceil_mode", int64_t{options.ceil_mode});
  if (op_type == "AveragePool") attributes.emplace_back("count_include_pad", int64_t{1});
  return {onnx_.Node(op_type, {x.name}, attributes, scope), x.channels,
          (span + missing) / options.stride + 1};
}

FeatureMap ModelBuilder::MaxPool(const FeatureMap& x, const std::string& scope,
                                 const PoolOptions& options) {
  return Pooled(x, "MaxPool", scope, options);
}

FeatureMap ModelBuilder::AveragePool(const FeatureMap& x, const std::string& scope,
                                     const PoolOptions& options) {
  assert(!options.ceil_mode);
  return Pooled(x, "AveragePool", scope, options);
}

FeatureMap ModelBuilder::GlobalAveragePool(const FeatureMap& x, const std::string& scope) {
  return {onnx_.Node("GlobalAveragePool", {x.name}, {}, scope), x.channels, 1};
}

FeatureMap ModelBuilder::SpatialMean(const FeatureMap& x, const std::string& scope) {
  const std::vector<int64_t> axes = {2, 3};
  OnnxAttributes attributes = {{"keepdims", int64_t{0}}};
  std::vector<std::string> inputs = {x.name};
  if (options_.opset < 18) {
    attributes.emplace_back("axes", axes);
  } else {
    inputs.push_back(onnx_.ConstantInts(axes, scope));
  }
  return {onnx_.Node("ReduceMean", inputs, attributes, scope), x.channels, 0};
}

FeatureMap ModelBuilder::Flatten(const FeatureMap& x, const std::string& scope) {
  return {onnx_.Node("Flatten", {x.name}, {{"axis", int64_t{1}}}, scope),
          x.channels * x.extent * x.extent, 0};
}

FeatureMap ModelBuilder::Lrn(const FeatureMap& x, const std::string& scope) {
  const OnnxAttributes attributes = {
      {"alpha", 1e-4F}, {"beta", 0.75F}, {"bias", 1.0F}, {"size", int64_t{5}}};
  return {onnx_.Node("LRN", {x.name}, attributes, scope), x.channels, x.extent};
}

FeatureMap ModelBuilder::Dropout(const FeatureMap& x, const std::string& scope, float ratio) {
  if (options_.opset < 12) {
    return {onnx_.Node("Dropout", {x.name}, {{"ratio", ratio}}, scope), x.channels, x.extent};
  }
  const std::string rate = onnx_.ConstantFloat(ratio, scope);
  return {onnx_.Node("Dropout", {x.name, rate}, {}, scope), x.channels, x.extent};
}

FeatureMap ModelBuilder::Softmax(const FeatureMap& x, const std::string& scope) {
  assert(x.extent == 0);
  return {onnx_.Node("Softmax", {x.name}, {{"axis", int64_t{1}}}, scope), x.channels, 0};
}

FeatureMap ModelBuilder::Linear(const FeatureMap& x, const std::string& name, int64_t channels) {
  assert(x.extent == 0);
  const std::vector<std::string> inputs = {x.name,
                                           Weights(name + ".weight", {channels, x.channels}, 1),
                                           Normals(name + ".bias", {channels}, 0, 0.1)};
  const OnnxAttributes attributes = {{"alpha", 1.0F}, {"beta", 1.0F}, {"transB", int64_t{1}}};
  return {onnx_.Node("Gemm", inputs, attributes, name), channels, 0};
}

FeatureMap ModelBuilder::MatMulAdd(const FeatureMap& x, const std::string& name, int64_t channels) {
  assert(x.extent == 0);
  const double deviation = 1 / std::sqrt(static_cast<double>(x.channels));
  const std::string weight = Normals(name + ".weight", {x.channels, channels}, 0, deviation);
  const std::string product = onnx_.Node("MatMul", {x.name, weight}, {}, name);
  const std::string bias = Normals(name + ".bias", {channels}, 0, 0.1);
  return {onnx_.Node("Add", {product, bias}, {}, name), channels, 0};
}

// With an open batch the shape is put together at run time, as a tracer writes x.size(0).
std::string ModelBuilder::ReshapedTo(const std::string& x, const Shape& behind_batch,
                                     const std::string& scope) {
  if (options_.batch != kDynamicBatch) {
    Shape shape = {options_.batch};
    shape.insert(shape.end(), behind_batch.begin(), behind_batch.end());
    return onnx_.Node("Reshape", {x, onnx_.ConstantInts(shape, scope)}, {}, scope);
  }
  const std::string sizes = onnx_.Node("Shape", {x}, {}, scope);
  const std::string zero = onnx_.Constant(Tensor(TensorType{DType::kI64, {}}), scope);
  const std::string batch = onnx_.Node("Gather", {sizes, zero}, {{"axis", int64_t{0}}}, scope);
  std::vector<std::string> parts;
  if (options_.opset < 13) {
    parts.push_back(onnx_.Node("Unsqueeze", {batch}, {{"axes", std::vector<int64_t>{0}}}, scope));
  } else {
    parts.push_back(onnx_.Node("Unsqueeze", {batch, onnx_.ConstantInts({0}, scope)}, {}, scope));
  }
  for (const int64_t extent : behind_batch) parts.push_back(onnx_.ConstantInts({extent}, scope));
  const std::string shape = onnx_.Node("Concat", parts, {{"axis", int64_t{0}}}, scope);
  return onnx_.Node("Reshape", {x, shape}, {}, scope);
}

FeatureMap ModelBuilder::ChannelShuffle(const FeatureMap& x, const std::string& scope,
                                        int64_t groups) {
  assert(x.channels % groups == 0);
  const std::string split =
      ReshapedTo(x.name, {groups, x.channels / groups, x.extent, x.extent}, scope);
  const std::vector<int64_t> permutation = {0, 2, 1, 3, 4};
  const std::string mixed = onnx_.Node("Transpose", {split}, {{"perm", permutation}}, scope);
  return {ReshapedTo(mixed, {x.channels, x.extent, x.extent}, scope), x.channels, x.extent};
}

FeatureMap ModelBuilder::SubsampleAndPad(const FeatureMap& x, const std::string& scope,
                                         int64_t channels) {
  FeatureMap y = {"", channels, (x.extent + 1) / 2};
  if (options_.opset < 10) {  // whose Slice has no steps; windows of one element are the same
    y.name = MaxPool(x, scope, {.kernel = 1, .stride = 2}).name;
  } else {
    const std::vector<int64_t> ends(2, INT64_MAX);
    y.name = onnx_.Node("Slice",
                        {x.name, onnx_.ConstantInts({0, 0}, scope), onnx_.ConstantInts(ends, scope),
                         onnx_.ConstantInts({2, 3}, scope), onnx_.ConstantInts({2, 2}, scope)},
                        {}, scope);
  }
  const int64_t before = (channels - x.channels) / 2;
  const std::vector<int64_t> pads = {0, before, 0, 0, 0, channels - x.channels - before, 0, 0};
  const OnnxAttributeValue mode = std::string("constant");
  if (options_.opset < 11) {
    y.name = onnx_.Node("Pad", {y.name}, {{"mode", mode}, {"pads", pads}, {"value", 0.0F}}, scope);
  } else {
    y.name = onnx_.Node("Pad", {y.name, onnx_.ConstantInts(pads, scope)}, {{"mode", mode}}, scope);
  }
  return y;
}

}  // namespace fettle
