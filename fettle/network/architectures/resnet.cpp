#include "fettle/network/architectures/resnet.h"

#include <cassert>

#include "fettle/core/error.h"
#include "fettle/network/architectures/layer_builder.h"

namespace fettle {
namespace {

struct Block {
  std::string name;
  int64_t channels, stride;
};

// Three stages; every one but the first begins by halving the size.
std::vector<Block> Blocks(int64_t blocks_a_stage, int64_t width) {
  std::vector<Block> blocks;
  for (int64_t stage = 0; stage < 3; ++stage) {
    for (int64_t i = 0; i < blocks_a_stage; ++i) {
      blocks.push_back({Text("stage", stage + 1, ".block", i + 1), (int64_t{16} << stage) * width,
                        stage > 0 && i == 0 ? 2 : 1});
    }
  }
  return blocks;
}

ValueId ResNetBlock(LayerBuilder* layers, const Block& block, ValueId input) {
  const std::string& name = block.name;
  ValueId x = layers->Convolution(name + ".conv1", input, block.channels, 3, block.stride);
  x = layers->BatchNormalisation(name + ".bn1", x);
  x = layers->Relu(name + ".relu1", x);
  x = layers->Convolution(name + ".conv2", x, block.channels, 3, 1);
  x = layers->BatchNormalisation(name + ".bn2", x);
  ValueId shortcut = input;
  if (block.stride != 1 || layers->ChannelsOf(input) != block.channels) {
    shortcut = layers->Convolution(name + ".shortcut.conv", input, block.channels, 1, block.stride);
    shortcut = layers->BatchNormalisation(name + ".shortcut.bn", shortcut);
  }
  x = layers->Add(name + ".add", x, shortcut);
  return layers->Relu(name + ".relu2", x);
}

// Where the shape changes, the shortcut begins behind the first batch norm and ReLU.
ValueId WideBlock(LayerBuilder* layers, const Block& block, ValueId input) {
  const std::string& name = block.name;
  const bool is_same = block.stride == 1 && layers->ChannelsOf(input) == block.channels;
  ValueId x = layers->BatchNormalisation(name + ".bn1", input);
  x = layers->Relu(name + ".relu1", x);
  const ValueId shortcut =
      is_same ? input : layers->Convolution(name + ".shortcut", x, block.channels, 1, block.stride);
  x = layers->Convolution(name + ".conv1", x, block.channels, 3, block.stride);
  x = layers->BatchNormalisation(name + ".bn2", x);
  x = layers->Relu(name + ".relu2", x);
  x = layers->Convolution(name + ".conv2", x, block.channels, 3, 1);
  return layers->Add(name + ".add", x, shortcut);
}

ValueId AddImage(Graph* graph, const Shape& image) {
  return graph->AddInput("input", {DType::kF32, {1, image[0], image[1], image[2]}});
}

}  // namespace

Graph MakeResNet(int64_t depth, const Shape& image, int64_t classes, uint64_t seed) {
  assert(depth >= 8 && depth % 6 == 2 && image.size() == 3);
  Graph graph;
  LayerBuilder layers(&graph, seed);
  ValueId x = layers.Convolution("stem.conv", AddImage(&graph, image), 16, 3, 1);
  x = layers.BatchNormalisation("stem.bn", x);
  x = layers.Relu("stem.relu", x);
  for (const Block& block : Blocks((depth - 2) / 6, 1)) x = ResNetBlock(&layers, block, x);
  graph.AddOutput(layers.Classifier("classifier", x, classes));
  return graph;
}

Graph MakeWideResNet(int64_t depth, int64_t width, const Shape& image, int64_t classes,
                     uint64_t seed) {
  assert(depth >= 10 && depth % 6 == 4 && width >= 1 && image.size() == 3);
  Graph graph;
  LayerBuilder layers(&graph, seed);
  ValueId x = layers.Convolution("stem", AddImage(&graph, image), 16, 3, 1);
  for (const Block& block : Blocks((depth - 4) / 6, width)) x = WideBlock(&layers, block, x);
  x = layers.BatchNormalisation("last.bn", x);
  x = layers.Relu("last.relu", x);
  graph.AddOutput(layers.Classifier("classifier", x, classes));
  return graph;
}

}  // namespace fettle
