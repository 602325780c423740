#include "tests/agreement/network_layers.h"

#include <algorithm>
#include <set>
#include <span>

#include "fettle/core/shape_inference.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/import.h"
#include "tests/support/model_zoo.h"

namespace fettle {
namespace {

constexpr int64_t kCostOfAnElement = 16;  // in multiplications

int64_t CostOf(const LayerSpec& spec) {
  int64_t elements = ElementCount(spec.output);
  for (const TensorType& input : spec.inputs) elements += ElementCount(input);
  return MacsOf(spec) + kCostOfAnElement * elements;
}

const Window* WindowOf(const Op& op) {
  if (const auto* conv = std::get_if<Conv>(&op)) return &conv->window;
  if (const auto* pool = std::get_if<Pool>(&op)) return &pool->window;
  return nullptr;
}

// Whether rows and columns can be left out without touching the operator's attributes.
bool IsSameAtAnyExtent(const Op& op) {
  return WindowOf(op) != nullptr || std::holds_alternative<Activation>(op) ||
         std::holds_alternative<ChannelAffine>(op) || std::holds_alternative<Binary>(op) ||
         std::holds_alternative<Sum>(op) || std::holds_alternative<Concat>(op) ||
         std::holds_alternative<Lrn>(op) || std::holds_alternative<GlobalAveragePool>(op) ||
         std::holds_alternative<Softmax>(op);
}

// The output that follows from the inputs, and the residual with it.
void InferOutput(LayerSpec* spec) {
  std::vector<TensorType> operands = spec->inputs;
  if (spec->adds_residual) operands.pop_back();
  operands.insert(operands.end(), spec->weights.begin(), spec->weights.end());
  // What exists in lowered layers only has its output where its first input is.
  if (std::holds_alternative<ChannelAffine>(spec->op)) {
    spec->output = spec->inputs.at(0);
  } else {
    spec->output = InferTypes(spec->op, operands).at(0);
  }
  if (spec->adds_residual) spec->inputs.back() = spec->output;
}

// The extent of an axis cut so far that the layer costs `most`, but not below three windows.
int64_t CutExtent(const LayerSpec& spec, size_t axis, int64_t most) {
  const int64_t extent = spec.inputs.at(0).shape[axis];
  int64_t stride = 1, least = 3;
  if (const Window* window = WindowOf(spec.op)) {
    stride = window->strides[axis - 2];
    least = (window->kernel[axis - 2] - 1) * window->dilations[axis - 2] + 1 + 2 * stride;
  }
  const int64_t wanted = std::max(least, extent * most / CostOf(spec));
  return wanted >= extent ? extent : extent - (extent - wanted) / stride * stride;
}

void CutAxis(LayerSpec* spec, size_t axis, int64_t most) {
  const int64_t extent = spec->inputs.at(0).shape[axis];
  const int64_t cut = CutExtent(*spec, axis, most);
  for (TensorType& input : spec->inputs) {
    if (input.shape.size() == 4 && input.shape[axis] == extent) input.shape[axis] = cut;
  }
  InferOutput(spec);
}

void CutFeatures(LayerSpec* spec, int64_t most) {
  const int64_t features = spec->inputs.at(0).shape[1];
  const int64_t cut = std::max<int64_t>(1, features * most / CostOf(*spec));
  spec->inputs[0].shape[1] = spec->weights.at(0).shape[1] = std::min(features, cut);
}

}  // namespace

std::vector<LayerSpec> NetworkLayers() {
  std::vector<LayerSpec> layers;
  std::set<LayerKey> seen;
  for (const std::string& name : ModelNames()) {
    const std::string model = MakeModel(name);
    for (Layer& layer : Lower(ImportOnnxBytes(std::as_bytes(std::span(model)), name)).layers) {
      if (seen.insert(KeyOf(layer.spec)).second) layers.push_back(std::move(layer.spec));
    }
  }
  return layers;
}

LayerSpec Shortened(LayerSpec spec, int64_t most) {
  if (std::holds_alternative<InnerProduct>(spec.op)) {
    CutFeatures(&spec, most);
  } else if (IsSameAtAnyExtent(spec.op) && spec.inputs.at(0).shape.size() == 4) {
    for (const size_t axis : {2, 3}) {
      if (CostOf(spec) > most) CutAxis(&spec, axis, most);
    }
  }
  return spec;
}

}  // namespace fettle
