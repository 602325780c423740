#include "fettle/network/architectures/mobilenet.h"

#include <cassert>

#include "fettle/core/error.h"
#include "fettle/network/architectures/layer_builder.h"

namespace fettle {
namespace {

struct Block {
  int64_t expansion, channels, stride;
};

constexpr Block kBlocks[] = {{1, 16, 1}, {4, 24, 2}, {4, 24, 1}, {4, 40, 2},
                             {4, 40, 1}, {4, 40, 1}, {4, 64, 1}, {4, 64, 1}};

ValueId AddInvertedResidual(LayerBuilder* layers, const std::string& name, const Block& block,
                            ValueId input) {
  const int64_t channels = layers->ChannelsOf(input), wide = channels * block.expansion;
  ValueId x = input;
  if (block.expansion > 1) {
    x = layers->Convolution(name + ".expand.conv", x, wide, 1, 1);
    x = layers->BatchNormalisation(name + ".expand.bn", x);
    x = layers->Relu6(name + ".expand.relu6", x);
  }
  x = layers->Convolution(name + ".depthwise.conv", x, wide, 3, block.stride, wide);
  x = layers->BatchNormalisation(name + ".depthwise.bn", x);
  x = layers->Relu6(name + ".depthwise.relu6", x);
  x = layers->Convolution(name + ".project.conv", x, block.channels, 1, 1);
  x = layers->BatchNormalisation(name + ".project.bn", x);
  const bool is_residual = block.stride == 1 && channels == block.channels;
  return is_residual ? layers->Add(name + ".add", x, input) : x;
}

}  // namespace

Graph MakeMobileNetV2Small(const Shape& image, int64_t classes, uint64_t seed) {
  assert(image.size() == 3);
  Graph graph;
  LayerBuilder layers(&graph, seed);
  ValueId x = graph.AddInput("input", {DType::kF32, {1, image[0], image[1], image[2]}});
  x = layers.Convolution("stem.conv", x, 16, 3, 1);
  x = layers.BatchNormalisation("stem.bn", x);
  x = layers.Relu6("stem.relu6", x);
  int number = 0;
  for (const Block& block : kBlocks) {
    x = AddInvertedResidual(&layers, Text("block", ++number), block, x);
  }
  x = layers.Convolution("head.conv", x, 256, 1, 1);
  x = layers.BatchNormalisation("head.bn", x);
  x = layers.Relu6("head.relu6", x);
  graph.AddOutput(layers.Classifier("classifier", x, classes));
  return graph;
}

}  // namespace fettle
