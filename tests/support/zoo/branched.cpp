#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "tests/support/model_builder.h"
#include "tests/support/zoo/families.h"

namespace fettle {
namespace {

// The channels of an inception module: 1x1; 1x1 then 3x3; 1x1 then 5x5; pooled then 1x1.
struct Inception {
  std::string_view name;
  int64_t one, reduce3, three, reduce5, five, pooled;
  bool pool_after = false;
};

const std::vector<Inception>& InceptionModules() {
  static const std::vector<Inception> modules = {
      {"3a", 64, 96, 128, 16, 32, 32},           {"3b", 128, 128, 192, 32, 96, 64, true},
      {"4a", 192, 96, 208, 16, 48, 64},          {"4b", 160, 112, 224, 24, 64, 64},
      {"4c", 128, 128, 256, 24, 64, 64},         {"4d", 112, 144, 288, 32, 64, 64},
      {"4e", 256, 160, 320, 32, 128, 128, true}, {"5a", 256, 160, 320, 32, 128, 128},
      {"5b", 384, 192, 384, 48, 128, 128},
  };
  return modules;
}

// `conv(x, name, options)` is a convolution with what follows each in this network.
template <typename ConvBlock>
FeatureMap InceptionModule(ModelBuilder& b, const Inception& m, int64_t large, const FeatureMap& x,
                           ConvBlock&& conv) {
  const std::string name = Text("inception", m.name);
  const FeatureMap one = conv(x, name + ".branch1", ConvOptions{.channels = m.one});
  FeatureMap three = conv(x, name + ".branch2.0", ConvOptions{.channels = m.reduce3});
  three = conv(three, name + ".branch2.1", ConvOptions{.channels = m.three, .kernel = 3, .pad = 1});
  FeatureMap five = conv(x, name + ".branch3.0", ConvOptions{.channels = m.reduce5});
  five = conv(five, name + ".branch3.1",
              ConvOptions{.channels = m.five, .kernel = large, .pad = large / 2});
  FeatureMap pooled = b.MaxPool(x, name + ".branch4.0", {.kernel = 3, .pad = 1});
  pooled = conv(pooled, name + ".branch4.1", ConvOptions{.channels = m.pooled});
  return b.Concat({one, three, five, pooled}, name);
}

// A layer of a dense block: what it adds is put behind all that came before.
FeatureMap DenseLayer(ModelBuilder& b, const FeatureMap& x, const std::string& name) {
  constexpr int64_t kGrowth = 32;
  constexpr int64_t kBottleneck = 4 * kGrowth;
  FeatureMap y = b.Relu(b.BatchNorm(x, name + ".norm1"), name + ".relu1");
  y = b.Conv(y, name + ".conv1", {.channels = kBottleneck});
  y = b.Relu(b.BatchNorm(y, name + ".norm2"), name + ".relu2");
  return b.Conv(y, name + ".conv2", {.channels = kGrowth, .kernel = 3, .pad = 1});
}

FeatureMap Transition(ModelBuilder& b, const FeatureMap& x, const std::string& name) {
  FeatureMap y = b.Relu(b.BatchNorm(x, name + ".norm"), name + ".relu");
  y = b.Conv(y, name + ".conv", {.channels = x.channels / 2});
  return b.AveragePool(y, name + ".pool", {.kernel = 2, .stride = 2});
}

}  // namespace

std::string MakeGoogLeNet(const ModelOptions& options) {
  constexpr PoolOptions kPool = {.kernel = 3, .stride = 2, .ceil_mode = true};
  ModelBuilder b("googlenet", options);
  const auto conv = [&b](const FeatureMap& x, const std::string& name, const ConvOptions& o) {
    return b.Relu(b.ConvBatchNorm(x, name + ".conv", name + ".bn", o, {.epsilon = 1e-3F}), name);
  };
  FeatureMap x = b.Image(3, 224);
  x = conv(x, "conv1", {.channels = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = conv(b.MaxPool(x, "maxpool1", kPool), "conv2", {.channels = 64});
  x = conv(x, "conv3", {.channels = 192, .kernel = 3, .pad = 1});
  x = b.MaxPool(x, "maxpool2", kPool);
  for (const Inception& module : InceptionModules()) {
    x = InceptionModule(b, module, 3, x, conv);
    if (!module.pool_after) continue;
    const bool is_last = module.name == "4e";
    x = b.MaxPool(x, is_last ? "maxpool4" : "maxpool3",
                  {.kernel = is_last ? 2 : 3, .stride = 2, .ceil_mode = true});
  }
  x = b.Flatten(b.GlobalAveragePool(x, "avgpool"), "");
  return b.Finish(b.Linear(b.Dropout(x, "dropout", 0.2F), "fc", 1000));
}

std::string MakeInceptionV1(const ModelOptions& options) {
  constexpr PoolOptions kPool = {.kernel = 3, .stride = 2, .ceil_mode = true};
  ModelBuilder b("inception_v1", options);
  const auto conv = [&b](const FeatureMap& x, const std::string& name, ConvOptions o) {
    o.bias = true;
    return b.Relu(b.Conv(x, name, o), name);
  };
  FeatureMap x = b.Image(3, 224);
  x = conv(x, "conv1", {.channels = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = b.Lrn(b.MaxPool(x, "pool1", kPool), "norm1");
  x = conv(conv(x, "reduce2", {.channels = 64}), "conv2", {.channels = 192, .kernel = 3, .pad = 1});
  x = b.MaxPool(b.Lrn(x, "norm2"), "pool2", kPool);
  for (const Inception& module : InceptionModules()) {
    x = InceptionModule(b, module, 5, x, conv);
    if (module.pool_after) x = b.MaxPool(x, Text("pool", module.name), kPool);
  }
  x = b.Dropout(b.AveragePool(x, "pool5", {.kernel = 7, .stride = 1}), "drop", 0.4F);
  return b.Finish(b.Softmax(b.Linear(b.Flatten(x, ""), "classifier", 1000), "prob"));
}

std::string MakeDenseNet121(const ModelOptions& options) {
  ModelBuilder b("densenet121", options);
  FeatureMap x = b.Image(3, 224);
  x = b.ConvBatchNorm(x, "features.conv0", "features.norm0",
                      {.channels = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = b.MaxPool(b.Relu(x, "features.relu0"), "features.pool0",
                {.kernel = 3, .stride = 2, .pad = 1});
  const std::vector<int> blocks = {6, 12, 24, 16};
  for (size_t block = 1; block <= blocks.size(); ++block) {
    const std::string name = Text("features.denseblock", block);
    std::vector<FeatureMap> features = {x};
    for (int layer = 1; layer <= blocks[block - 1]; ++layer) {
      const std::string place = Text(name, ".denselayer", layer);
      x = features.size() == 1 ? x : b.Concat(features, place);
      features.push_back(DenseLayer(b, x, place));
    }
    x = b.Concat(features, name);
    if (block < blocks.size()) x = Transition(b, x, Text("features.transition", block));
  }
  x = b.Relu(b.BatchNorm(x, "features.norm5"), "");
  x = b.Flatten(b.GlobalAveragePool(x, ""), "");
  return b.Finish(b.Linear(x, "classifier", 1000));
}

}  // namespace fettle
