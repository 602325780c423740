#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "tests/support/model_builder.h"
#include "tests/support/zoo/families.h"

namespace fettle {
namespace {

constexpr double kAfterNoRelu = 0.6;  // weights are made for rectified inputs, which are smaller
constexpr BatchNormOptions kKerasNorm = {.epsilon = 1e-3F};

FeatureMap ConvNormRelu6(ModelBuilder& b, const FeatureMap& x, const std::string& conv,
                         const std::string& norm, const ConvOptions& options,
                         const BatchNormOptions& norm_options = {}) {
  return b.Relu6(b.ConvBatchNorm(x, conv, norm, options, norm_options), norm + ".relu6");
}

FeatureMap SeparableBlock(ModelBuilder& b, const FeatureMap& x, int number, int64_t channels,
                          int64_t stride) {
  const FeatureMap y = ConvNormRelu6(
      b, x, Text("conv_dw_", number), Text("conv_dw_", number, "_bn"),
      {.channels = x.channels, .kernel = 3, .stride = stride, .pad = 1, .groups = x.channels},
      kKerasNorm);
  return ConvNormRelu6(b, y, Text("conv_pw_", number), Text("conv_pw_", number, "_bn"),
                       {.channels = channels}, kKerasNorm);
}

// A bottleneck turned round: wide inside, and linear where it is narrow.
FeatureMap AddInvertedResidual(ModelBuilder& b, const FeatureMap& x, const std::string& name,
                               int64_t channels, int64_t stride, int64_t expansion) {
  const int64_t hidden = x.channels * expansion;
  int at = 0;
  const auto part = [&](std::string_view rest) { return Text(name, ".conv.", at, rest); };
  FeatureMap y = x;
  if (expansion != 1) {
    y = ConvNormRelu6(b, y, part(".0"), part(".1"), {.channels = hidden});
    ++at;
  }
  y = ConvNormRelu6(
      b, y, part(".0"), part(".1"),
      {.channels = hidden, .kernel = 3, .stride = stride, .pad = 1, .groups = hidden});
  ++at;
  const std::string conv = part("");
  ++at;
  const bool has_shortcut = stride == 1 && x.channels == channels;
  y = b.ConvBatchNorm(y, conv, part(""), {.channels = channels}, {.gamma = has_shortcut ? 0.5 : 1});
  return has_shortcut ? b.Add(x, y, name) : y;
}

FeatureMap Fire(ModelBuilder& b, const FeatureMap& x, const std::string& name, int64_t squeeze,
                int64_t expand) {
  const FeatureMap s =
      b.Relu(b.Conv(x, name + ".squeeze", {.channels = squeeze, .bias = true}), name + ".squeeze");
  const FeatureMap e1 = b.Relu(b.Conv(s, name + ".expand1x1", {.channels = expand, .bias = true}),
                               name + ".expand1x1");
  const FeatureMap e3 = b.Relu(
      b.Conv(s, name + ".expand3x3", {.channels = expand, .kernel = 3, .pad = 1, .bias = true}),
      name + ".expand3x3");
  return b.Concat({e1, e3}, name);
}

// The channels of both branches together are `channels` where the block halves the extent.
FeatureMap ShuffleUnit(ModelBuilder& b, const FeatureMap& x, const std::string& name,
                       int64_t channels, bool downsample, bool first) {
  constexpr int64_t kGroups = 4;
  const int64_t inside = channels / 4;
  const int64_t outside = downsample ? channels - x.channels : channels;
  FeatureMap y = b.ConvBatchNorm(x, name + ".compress_conv1", name + ".compress_bn1",
                                 {.channels = inside, .groups = first ? 1 : kGroups});
  y = b.Relu(y, name + ".activ");
  y = b.ChannelShuffle(y, name + ".c_shuffle", kGroups);
  y = b.ConvBatchNorm(
      y, name + ".dw_conv2", name + ".dw_bn2",
      {.channels = inside, .kernel = 3, .stride = downsample ? 2 : 1, .pad = 1, .groups = inside});
  y = b.ConvBatchNorm(y, name + ".expand_conv3", name + ".expand_bn3",
                      {.channels = outside, .groups = kGroups, .gain = kAfterNoRelu},
                      {.gamma = downsample ? 1 : 0.5});
  if (downsample) {
    const FeatureMap pooled =
        b.AveragePool(x, name + ".avgpool", {.kernel = 3, .stride = 2, .pad = 1});
    return b.Relu(b.Concat({y, pooled}, name), name + ".activ");
  }
  return b.Relu(b.Add(y, x, name), name + ".activ");
}

}  // namespace

std::string MakeMobileNetV1(const ModelOptions& options) {
  ModelBuilder b("mobilenet_v1", options);
  FeatureMap x = b.Image(3, 224);
  x = ConvNormRelu6(b, x, "conv1", "conv1_bn", {.channels = 32, .kernel = 3, .stride = 2, .pad = 1},
                    kKerasNorm);
  const std::vector<std::pair<int64_t, int64_t>> blocks = {
      {64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
      {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  int number = 1;
  for (const auto& [channels, stride] : blocks)
    x = SeparableBlock(b, x, number++, channels, stride);
  x = b.MatMulAdd(b.SpatialMean(x, "global_average_pooling2d"), "conv_preds", 1000);
  return b.Finish(b.Softmax(x, "predictions"));
}

std::string MakeMobileNetV2(const ModelOptions& options) {
  struct Stage {
    int64_t expansion, channels;
    int blocks;
    int64_t stride;
  };
  ModelBuilder b("mobilenet_v2", options);
  FeatureMap x = b.Image(3, 224);
  x = ConvNormRelu6(b, x, "features.0.0", "features.0.1",
                    {.channels = 32, .kernel = 3, .stride = 2, .pad = 1});
  int number = 1;
  for (const Stage& stage : std::vector<Stage>{{1, 16, 1, 1},
                                               {6, 24, 2, 2},
                                               {6, 32, 3, 2},
                                               {6, 64, 4, 2},
                                               {6, 96, 3, 1},
                                               {6, 160, 3, 2},
                                               {6, 320, 1, 1}}) {
    for (int i = 0; i < stage.blocks; ++i) {
      x = AddInvertedResidual(b, x, Text("features.", number++), stage.channels,
                              i == 0 ? stage.stride : 1, stage.expansion);
    }
  }
  x = ConvNormRelu6(b, x, "features.18.0", "features.18.1", {.channels = 1280});
  x = b.Flatten(b.GlobalAveragePool(x, ""), "");
  x = b.Dropout(x, "classifier.0", 0.2F);
  return b.Finish(b.Linear(x, "classifier.1", 1000));
}

std::string MakeSqueezeNet(const ModelOptions& options) {
  constexpr PoolOptions kPool = {.kernel = 3, .stride = 2, .ceil_mode = true};
  ModelBuilder b("squeezenet1_1", options);
  FeatureMap x = b.Image(3, 224);
  x = b.Conv(x, "features.0", {.channels = 64, .kernel = 3, .stride = 2, .bias = true});
  x = b.MaxPool(b.Relu(x, "features.1"), "features.2", kPool);
  x = Fire(b, x, "features.3", 16, 64);
  x = b.MaxPool(Fire(b, x, "features.4", 16, 64), "features.5", kPool);
  x = Fire(b, x, "features.6", 32, 128);
  x = b.MaxPool(Fire(b, x, "features.7", 32, 128), "features.8", kPool);
  x = Fire(b, x, "features.9", 48, 192);
  x = Fire(b, x, "features.10", 48, 192);
  x = Fire(b, x, "features.11", 64, 256);
  x = Fire(b, x, "features.12", 64, 256);
  x = b.Conv(b.Dropout(x, "classifier.0", 0.5F), "classifier.1", {.channels = 1000, .bias = true});
  x = b.GlobalAveragePool(b.Relu(x, "classifier.2"), "classifier.3");
  return b.Finish(b.Softmax(b.Flatten(x, ""), "prob"));
}

std::string MakeShuffleNet(const ModelOptions& options) {
  ModelBuilder b("shufflenet_g4", options);
  FeatureMap x = b.Image(3, 224);
  x = b.ConvBatchNorm(x, "features.init_block.conv", "features.init_block.bn",
                      {.channels = 24, .kernel = 3, .stride = 2, .pad = 1});
  x = b.Relu(x, "features.init_block.activ");
  x = b.MaxPool(x, "features.init_block.pool", {.kernel = 3, .stride = 2, .pad = 1});
  const std::vector<std::pair<int64_t, int>> stages = {{272, 4}, {544, 8}, {1088, 4}};
  int stage = 1;
  for (const auto& [channels, units] : stages) {
    for (int unit = 1; unit <= units; ++unit) {
      x = ShuffleUnit(b, x, Text("features.stage", stage, ".unit", unit), channels, unit == 1,
                      stage == 1 && unit == 1);
    }
    ++stage;
  }
  x = b.AveragePool(x, "features.final_pool", {.kernel = 7, .stride = 1});
  return b.Finish(b.Linear(b.Flatten(x, ""), "output", 1000));
}

}  // namespace fettle
