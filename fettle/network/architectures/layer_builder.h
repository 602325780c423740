#pragma once

#include <string>

#include "fettle/core/random.h"
#include "fettle/network/graph.h"

namespace fettle {

// Appends layers with their initial weights to a graph, as an ONNX exporter writes them. Weights of
// convolutions are normal with variance 2 / (outputs x kernel) (He et al., 2015), those of
// classifiers 1 / inputs; batch norm begins as the identity. Each layer's weights depend on the
// seed and its name only.
class LayerBuilder {
 public:
  LayerBuilder(Graph* graph, uint64_t seed) : graph_(*graph), random_(seed) {}

  // Square kernels, padded so that stride 1 keeps the size; no bias.
  ValueId Convolution(const std::string& name, ValueId input, int64_t channels, int64_t kernel,
                      int64_t stride, int64_t groups = 1);
  ValueId BatchNormalisation(const std::string& name, ValueId input);
  ValueId Relu(const std::string& name, ValueId input);
  ValueId Relu6(const std::string& name, ValueId input);
  ValueId Add(const std::string& name, ValueId a, ValueId b);

  // Global average, flatten, and a linear layer.
  ValueId Classifier(const std::string& name, ValueId input, int64_t classes);

  int64_t ChannelsOf(ValueId value) const { return graph_.value(value).type.shape[1]; }

 private:
  ValueId NormalWeights(const std::string& name, const Shape& shape, double variance);
  ValueId ConstantWeights(const std::string& name, int64_t count, float value);

  Graph& graph_;
  Random random_;
};

}  // namespace fettle
