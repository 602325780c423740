#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/random.h"
#include "tests/support/model_zoo.h"
#include "tests/support/onnx_builder.h"

namespace fettle {

// What a layer computes: a value of shape [batch, channels, extent, extent], or [batch, channels]
// where the extent is 0.
struct FeatureMap {
  std::string name;
  int64_t channels = 0;
  int64_t extent = 0;
};

struct ConvOptions {
  int64_t channels = 0;  // of the result
  int64_t kernel = 1, stride = 1, pad = 0, groups = 1;
  bool bias = false;
  double gain = 1;  // on the deviation of the weights
};

struct BatchNormOptions {
  double gamma = 1;  // about which the scales are spread
  float epsilon = 1e-5F;
};

struct PoolOptions {
  int64_t kernel = 0, stride = 1, pad = 0;
  bool ceil_mode = false;
};

// A network with one image as its input, layer by layer, each with the nodes and names that an
// exporter writes and with random weights, which depend on the seed and on the layer's name only.
// Activations stay near 1 as long as the branches of residual blocks end in a small gamma or gain.
class ModelBuilder {
 public:
  ModelBuilder(std::string_view name, const ModelOptions& options);

  FeatureMap Image(int64_t channels, int64_t extent);
  // The bytes of the model, whose output is what the last call has made.
  std::string Finish(const FeatureMap& output, std::string_view name = "output");

  FeatureMap Conv(const FeatureMap& x, const std::string& name, const ConvOptions& options);
  FeatureMap BatchNorm(const FeatureMap& x, const std::string& name,
                       const BatchNormOptions& options = {});
  FeatureMap Relu(const FeatureMap& x, const std::string& scope);
  FeatureMap Relu6(const FeatureMap& x, const std::string& scope);  // Clip
  FeatureMap Add(const FeatureMap& a, const FeatureMap& b, const std::string& scope);
  FeatureMap Concat(const std::vector<FeatureMap>& parts, const std::string& scope);
  FeatureMap MaxPool(const FeatureMap& x, const std::string& scope, const PoolOptions& options);
  FeatureMap AveragePool(const FeatureMap& x, const std::string& scope, const PoolOptions& options);
  FeatureMap GlobalAveragePool(const FeatureMap& x, const std::string& scope);
  FeatureMap SpatialMean(const FeatureMap& x, const std::string& scope);  // ReduceMean
  FeatureMap Flatten(const FeatureMap& x, const std::string& scope);
  FeatureMap Lrn(const FeatureMap& x, const std::string& scope);  // over 5 channels
  FeatureMap Dropout(const FeatureMap& x, const std::string& scope, float ratio);
  FeatureMap Softmax(const FeatureMap& x, const std::string& scope);
  FeatureMap Linear(const FeatureMap& x, const std::string& name, int64_t channels);  // Gemm
  FeatureMap MatMulAdd(const FeatureMap& x, const std::string& name, int64_t channels);

  // Channel c = g * (C / groups) + i to i * groups + g: Reshape, Transpose, Reshape.
  FeatureMap ChannelShuffle(const FeatureMap& x, const std::string& scope, int64_t groups);
  // Every other row and column, then zeros for the channels that are wanted: Slice and Pad.
  FeatureMap SubsampleAndPad(const FeatureMap& x, const std::string& scope, int64_t channels);

  FeatureMap ConvBatchNorm(const FeatureMap& x, const std::string& conv, const std::string& norm,
                           const ConvOptions& options, const BatchNormOptions& norm_options = {});

 private:
  OnnxExtent Batch() const;
  OnnxShape ShapeOf(const FeatureMap& x) const;
  std::string ReshapedTo(const std::string& x, const Shape& behind_batch, const std::string& scope);
  FeatureMap Pooled(const FeatureMap& x, std::string_view op_type, const std::string& scope,
                    const PoolOptions& options);
  std::string Normals(const std::string& name, const Shape& shape, double mean, double deviation);
  std::string Weights(const std::string& name, const Shape& shape, double gain);
  std::string Uniforms(const std::string& name, const Shape& shape, double low, double high);

  ModelOptions options_;
  OnnxBuilder onnx_;
  Random random_;
};

}  // namespace fettle
