#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "tests/support/model_builder.h"
#include "tests/support/zoo/families.h"

namespace fettle {
namespace {

// Two wide layers with dropout, and the classes.
FeatureMap Classifier(ModelBuilder& b, const FeatureMap& x, const std::vector<int>& numbers) {
  const auto name = [&](size_t i) { return Text("classifier.", numbers[i]); };
  FeatureMap y = b.Relu(b.Linear(x, name(0), 4096), name(0));
  y = b.Linear(b.Dropout(y, "", 0.5F), name(1), 4096);
  return b.Linear(b.Dropout(b.Relu(y, name(1)), "", 0.5F), name(2), 1000);
}

// What torchvision's adaptive pooling is exported as where there is nothing left to pool.
FeatureMap PoolOfOne(ModelBuilder& b, const FeatureMap& x) {
  return b.AveragePool(x, "avgpool", {.kernel = 1, .stride = 1});
}

}  // namespace

std::string MakeVgg19(const ModelOptions& options) {
  ModelBuilder b("vgg19", options);
  FeatureMap x = b.Image(3, 224);
  int number = 0;
  const std::vector<std::pair<int, int64_t>> stages = {
      {2, 64}, {2, 128}, {4, 256}, {4, 512}, {4, 512}};
  for (const auto& [layers, channels] : stages) {
    for (int i = 0; i < layers; ++i) {
      const std::string name = Text("features.", number);
      x = b.Relu(b.Conv(x, name, {.channels = channels, .kernel = 3, .pad = 1, .bias = true}),
                 name);
      number += 2;
    }
    x = b.MaxPool(x, Text("features.", number++), {.kernel = 2, .stride = 2});
  }
  return b.Finish(Classifier(b, b.Flatten(PoolOfOne(b, x), ""), {0, 3, 6}));
}

std::string MakeAlexNet(const ModelOptions& options) {
  constexpr PoolOptions kPool = {.kernel = 3, .stride = 2};
  ModelBuilder b("alexnet", options);
  const auto conv = [&b](const FeatureMap& x, const std::string& name, ConvOptions o) {
    o.bias = true;
    return b.Relu(b.Conv(x, name, o), name);
  };
  FeatureMap x = b.Image(3, 224);
  x = conv(x, "features.0", {.channels = 64, .kernel = 11, .stride = 4, .pad = 2});
  x = b.MaxPool(x, "features.2", kPool);
  x = conv(x, "features.3", {.channels = 192, .kernel = 5, .pad = 2});
  x = b.MaxPool(x, "features.5", kPool);
  x = conv(x, "features.6", {.channels = 384, .kernel = 3, .pad = 1});
  x = conv(x, "features.8", {.channels = 256, .kernel = 3, .pad = 1});
  x = conv(x, "features.10", {.channels = 256, .kernel = 3, .pad = 1});
  x = b.MaxPool(x, "features.12", kPool);
  x = b.Dropout(b.Flatten(PoolOfOne(b, x), ""), "classifier.0", 0.5F);
  return b.Finish(b.Softmax(Classifier(b, x, {1, 4, 6}), "prob"));
}

}  // namespace fettle
