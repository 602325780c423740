#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/network/graph.h"

namespace fettle {

// Builds small networks of two spatial axes with random weights, as an importer would.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(uint64_t seed) : random_(seed) {}

  Graph graph;
  bool fills_weights = true;  // else they are zeros

  Random& random() { return random_; }
  const Shape& ShapeOf(ValueId x) const { return graph.value(x).type.shape; }
  int64_t Channels(ValueId x) const { return ShapeOf(x)[1]; }

  ValueId Input(const Shape& shape) { return graph.AddInput("input", {DType::kF32, shape}); }
  ValueId Constant(const std::string& name, const Shape& shape, double low = -1, double high = 1) {
    Tensor tensor({DType::kF32, shape});
    for (float& value : tensor.values<float>()) {
      if (fills_weights) value = static_cast<float>(random_.Uniform(low, high));
    }
    return graph.AddConstant(name, std::move(tensor));
  }
  ValueId Add(const std::string& name, Op op, std::vector<ValueId> inputs) {
    return graph.AddNode(name, std::move(op), std::move(inputs))[0];
  }

  struct ConvOptions {
    int64_t kernel = 3, stride = 1, groups = 1;
    int64_t pad = -1;  // kernel / 2
    bool has_bias = false;
  };
  ValueId Convolve(const std::string& name, ValueId x, int64_t channels) {
    return Convolve(name, x, channels, ConvOptions());
  }
  ValueId Convolve(const std::string& name, ValueId x, int64_t channels,
                   const ConvOptions& options) {
    const int64_t pad = options.pad < 0 ? options.kernel / 2 : options.pad;
    const Conv op{WindowOf(options.kernel, options.stride, pad), options.groups};
    std::vector<ValueId> inputs = {
        x, Constant(name + ".weight",
                    {channels, Channels(x) / options.groups, options.kernel, options.kernel})};
    if (options.has_bias) inputs.push_back(Constant(name + ".bias", {channels}));
    return Add(name, op, inputs);
  }
  ValueId Normalise(const std::string& name, ValueId x) {
    const Shape per_channel = {Channels(x)};
    return Add(
        name, BatchNorm{},
        {x, Constant(name + ".scale", per_channel), Constant(name + ".shift", per_channel),
         Constant(name + ".mean", per_channel), Constant(name + ".variance", per_channel, 0.5, 2)});
  }
  ValueId Relu(const std::string& name, ValueId x) { return Add(name, Activation{}, {x}); }
  // Convolution, batch norm, ReLU.
  ValueId Unit(const std::string& name, ValueId x, int64_t channels) {
    return Unit(name, x, channels, ConvOptions());
  }
  ValueId Unit(const std::string& name, ValueId x, int64_t channels, const ConvOptions& options) {
    return Relu(name + "_relu", Normalise(name + "_bn", Convolve(name, x, channels, options)));
  }
  ValueId MaxPool(const std::string& name, ValueId x) {
    return Add(name, Pool{PoolKind::kMax, WindowOf(2, 2, 0), {0, 0}}, {x});
  }
  ValueId Linear(const std::string& name, ValueId x, int64_t features) {
    return Add(name, Gemm{.transpose_b = true},
               {x, Constant(name + ".weight", {features, Channels(x)}),
                Constant(name + ".bias", {features})});
  }
  ValueId Flatten(const std::string& name, ValueId x) {
    const Shape& shape = ShapeOf(x);
    return Add(name, Reshape{{shape[0], ElementCount(shape) / shape[0]}}, {x});
  }
  ValueId Shuffle(const std::string& name, ValueId x, int64_t groups) {
    const Shape shape = ShapeOf(x);
    const int64_t depth = shape[1] / groups;
    x = Add(name + "_split", Reshape{{shape[0], groups, depth, shape[2], shape[3]}}, {x});
    x = Add(name + "_swap", Transpose{{0, 2, 1, 3, 4}}, {x});
    return Add(name, Reshape{shape}, {x});
  }
  // Global average pooling, flattening, a linear layer; the network's output.
  void Classify(ValueId x, int64_t classes = 3) {
    x = Flatten("flatten", Add("pool", GlobalAveragePool{}, {x}));
    graph.AddOutput(Linear("classifier", x, classes));
  }

  static Window WindowOf(int64_t kernel, int64_t stride, int64_t pad) {
    return {{kernel, kernel}, {stride, stride}, {1, 1}, {pad, pad}, {pad, pad}};
  }

 private:
  Random random_;
};

}  // namespace fettle
