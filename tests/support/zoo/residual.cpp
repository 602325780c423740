#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "tests/support/model_builder.h"
#include "tests/support/zoo/families.h"

namespace fettle {
namespace {

// A branch's last scale: small enough that the sums of many blocks do not grow.
constexpr double kBranchGain = 0.4;

struct Bottleneck {
  int64_t groups = 1;
  int64_t width_per_group = 64;  // at 64 planes
  static constexpr int64_t kExpansion = 4;
};

FeatureMap Shortcut(ModelBuilder& b, const FeatureMap& x, const std::string& name, int64_t channels,
                    int64_t stride) {
  if (stride == 1 && x.channels == channels) return x;
  return b.ConvBatchNorm(x, name + ".downsample.0", name + ".downsample.1",
                         {.channels = channels, .stride = stride});
}

FeatureMap BasicBlock(ModelBuilder& b, const FeatureMap& x, const std::string& name, int64_t planes,
                      int64_t stride) {
  FeatureMap y = b.ConvBatchNorm(x, name + ".conv1", name + ".bn1",
                                 {.channels = planes, .kernel = 3, .stride = stride, .pad = 1});
  y = b.Relu(y, name + ".relu");
  y = b.ConvBatchNorm(y, name + ".conv2", name + ".bn2",
                      {.channels = planes, .kernel = 3, .pad = 1}, {.gamma = kBranchGain});
  y = b.Add(y, Shortcut(b, x, name, planes, stride), name);
  return b.Relu(y, name + ".relu");
}

FeatureMap BottleneckBlock(ModelBuilder& b, const Bottleneck& kind, const FeatureMap& x,
                           const std::string& name, int64_t planes, int64_t stride) {
  const int64_t width = planes * kind.width_per_group / 64 * kind.groups;
  const int64_t channels = planes * Bottleneck::kExpansion;
  FeatureMap y = b.ConvBatchNorm(x, name + ".conv1", name + ".bn1", {.channels = width});
  y = b.Relu(y, name + ".relu");
  y = b.ConvBatchNorm(
      y, name + ".conv2", name + ".bn2",
      {.channels = width, .kernel = 3, .stride = stride, .pad = 1, .groups = kind.groups});
  y = b.Relu(y, name + ".relu");
  y = b.ConvBatchNorm(y, name + ".conv3", name + ".bn3", {.channels = channels},
                      {.gamma = kBranchGain});
  y = b.Add(y, Shortcut(b, x, name, channels, stride), name);
  return b.Relu(y, name + ".relu");
}

// Four stages, `block(x, name, planes, stride)` being one block.
template <typename Block>
std::string ImageNetResNet(ModelBuilder& b, const std::vector<int>& blocks, Block&& block) {
  FeatureMap x = b.Image(3, 224);
  x = b.ConvBatchNorm(x, "conv1", "bn1", {.channels = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = b.Relu(x, "relu");
  x = b.MaxPool(x, "maxpool", {.kernel = 3, .stride = 2, .pad = 1});
  int64_t planes = 64;
  for (size_t stage = 0; stage < blocks.size(); ++stage, planes *= 2) {
    for (int i = 0; i < blocks[stage]; ++i) {
      const int64_t stride = i == 0 && stage > 0 ? 2 : 1;
      x = block(x, Text("layer", stage + 1, ".", i), planes, stride);
    }
  }
  x = b.Flatten(b.GlobalAveragePool(x, "avgpool"), "");
  return b.Finish(b.Linear(x, "fc", 1000));
}

std::string BottleneckResNet(std::string_view name, const ModelOptions& options,
                             const Bottleneck& kind) {
  ModelBuilder b(name, options);
  return ImageNetResNet(
      b, {3, 4, 6, 3},
      [&](const FeatureMap& x, const std::string& block, int64_t planes, int64_t stride) {
        return BottleneckBlock(b, kind, x, block, planes, stride);
      });
}

FeatureMap PaddedShortcutBlock(ModelBuilder& b, const FeatureMap& x, const std::string& name,
                               int64_t planes, int64_t stride) {
  FeatureMap y = b.ConvBatchNorm(x, name + ".conv1", name + ".bn1",
                                 {.channels = planes, .kernel = 3, .stride = stride, .pad = 1});
  y = b.Relu(y, name);
  y = b.ConvBatchNorm(y, name + ".conv2", name + ".bn2",
                      {.channels = planes, .kernel = 3, .pad = 1}, {.gamma = kBranchGain});
  y = b.Add(y, stride == 1 ? x : b.SubsampleAndPad(x, name + ".shortcut", planes), name);
  return b.Relu(y, name);
}

// Batch norm and activation come before each convolution; where the shape changes, before the
// shortcut's too.
FeatureMap WideBlock(ModelBuilder& b, const FeatureMap& x, const std::string& name, int64_t planes,
                     int64_t stride) {
  const FeatureMap active = b.Relu(b.BatchNorm(x, name + ".bn1"), name + ".relu1");
  FeatureMap y = b.Conv(active, name + ".conv1",
                        {.channels = planes, .kernel = 3, .stride = stride, .pad = 1});
  y = b.Relu(b.BatchNorm(y, name + ".bn2"), name + ".relu2");
  y = b.Conv(y, name + ".conv2", {.channels = planes, .kernel = 3, .pad = 1, .gain = kBranchGain});
  if (x.channels == planes) return b.Add(x, y, name);
  const ConvOptions shortcut = {.channels = planes, .stride = stride};
  return b.Add(b.Conv(active, name + ".convShortcut", shortcut), y, name);
}

// Of 6n + 4 layers: three stages of n blocks.
std::string WideResNet(std::string_view name, int depth, int64_t width,
                       const ModelOptions& options) {
  ModelBuilder b(name, options);
  FeatureMap x = b.Conv(b.Image(3, 32), "conv1", {.channels = 16, .kernel = 3, .pad = 1});
  int64_t planes = 16 * width;
  for (int stage = 1; stage <= 3; ++stage, planes *= 2) {
    for (int i = 0; i < (depth - 4) / 6; ++i) {
      const int64_t stride = i == 0 && stage > 1 ? 2 : 1;
      x = WideBlock(b, x, Text("block", stage, ".layer.", i), planes, stride);
    }
  }
  x = b.Relu(b.BatchNorm(x, "bn1"), "relu");
  x = b.AveragePool(x, "avgpool", {.kernel = 8, .stride = 8});
  return b.Finish(b.Linear(b.Flatten(x, ""), "fc", 10));
}

}  // namespace

std::string MakeResNet18(const ModelOptions& options) {
  ModelBuilder b("resnet18", options);
  return ImageNetResNet(b, {2, 2, 2, 2},
                        [&](const FeatureMap& x, const std::string& name, int64_t planes,
                            int64_t stride) { return BasicBlock(b, x, name, planes, stride); });
}

std::string MakeResNet50(const ModelOptions& options) {
  return BottleneckResNet("resnet50", options, {});
}

std::string MakeResNeXt50(const ModelOptions& options) {
  return BottleneckResNet("resnext50_32x4d", options, {.groups = 32, .width_per_group = 4});
}

std::string MakeResNet20(const ModelOptions& options) {
  ModelBuilder b("resnet20", options);
  FeatureMap x = b.Image(3, 32);
  x = b.ConvBatchNorm(x, "conv1", "bn1", {.channels = 16, .kernel = 3, .pad = 1});
  x = b.Relu(x, "");
  int64_t planes = 16;
  for (int stage = 1; stage <= 3; ++stage, planes *= 2) {
    for (int i = 0; i < 3; ++i) {
      const int64_t stride = i == 0 && stage > 1 ? 2 : 1;
      x = PaddedShortcutBlock(b, x, Text("layer", stage, ".", i), planes, stride);
    }
  }
  x = b.Flatten(b.GlobalAveragePool(x, ""), "");
  return b.Finish(b.Linear(x, "linear", 10));
}

std::string MakeWrn16x1(const ModelOptions& options) {
  return WideResNet("wrn_16_1", 16, 1, options);
}
std::string MakeWrn16x2(const ModelOptions& options) {
  return WideResNet("wrn_16_2", 16, 2, options);
}
std::string MakeWrn40x2(const ModelOptions& options) {
  return WideResNet("wrn_40_2", 40, 2, options);
}

}  // namespace fettle
