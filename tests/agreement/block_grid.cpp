#include "fettle/core/shape_inference.h"
#include "fettle/runtime/precision.h"
#include "tests/agreement/layer_grid.h"
#include "tests/agreement/layer_parts.h"

namespace fettle {
namespace {

// An inverted residual of so many channels, which expands where these are not as many as the
// inputs.
LayerSpec BlockLayer(DType dtype, const Shape& x, int64_t channels, int64_t outputs,
                     const Window& window, std::optional<Activation> activation) {
  const bool expands = channels != x[1];
  const InvertedResidual op{expands, expands ? activation : std::nullopt, window, activation};
  const Shape ones(x.size() - 2, 1);
  const auto filters = [](int64_t to, int64_t from, const Shape& kernel) {
    Shape shape = {to, from};
    shape.insert(shape.end(), kernel.begin(), kernel.end());
    return shape;
  };
  std::vector<Shape> weights = {
      filters(channels, 1, window.kernel), {channels}, filters(outputs, channels, ones), {outputs}};
  if (expands) weights.insert(weights.begin(), {filters(channels, x[1], ones), {channels}});
  LayerSpec spec;
  spec.inputs = {{DType::kF32, x}};
  for (const Shape& shape : weights) spec.weights.push_back({DType::kF32, shape});
  std::vector<TensorType> operands = spec.inputs;
  operands.insert(operands.end(), spec.weights.begin(), spec.weights.end());
  spec.output = InferTypes(op, operands).front();
  spec.op = op;
  return AtPrecision(std::move(spec), dtype);
}

}  // namespace

std::vector<LayerSpec> BlockGrid() {
  std::vector<LayerSpec> grid;
  const Activation cut{ActivationKind::kClip, 0, 6};
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    const auto add = [&](const Shape& x, int64_t channels, int64_t outputs, const Window& window,
                         std::optional<Activation> activation) {
      grid.push_back(BlockLayer(dtype, x, channels, outputs, window, activation));
    };
    // Windows of all kinds; images of one band and of several, which the ring of rows goes round.
    const Window windows[] = {Square(3, 1, 1),
                              Square(3, 2, 1),
                              Square(3, 1, 2, 2),
                              Square(5, 2, 2),
                              Square(1, 1, 0),
                              Square(2, 3, 0),
                              Square(3, 1, 4),
                              {{3, 3}, {2, 1}, {1, 1}, {0, 1}, {1, 1}},
                              {{3, 1}, {1, 2}, {1, 1}, {1, 0}, {0, 0}},
                              {{2, 3}, {2, 1}, {1, 2}, {0, 2}, {1, 1}}};
    for (const Window& window : windows) {
      add({2, 8, 9, 11}, 48, 16, window, cut);
      add({1, 24, 13, 8}, 24, 40, window, Activation{ActivationKind::kRelu});
    }
    // Channels below, at and above the vectors and panels, in all three places.
    for (const int64_t inputs : {1, 7, 16, 17, 33}) {
      for (const int64_t channels : {5, 16, 33, 72, 130}) {
        for (const int64_t outputs : {1, 12, 16, 31, 48}) {
          if ((inputs + channels + outputs) % 3 != 0) continue;
          add({inputs % 2 + 1, inputs, 6, 5}, channels, outputs, Square(3, 1, 1), cut);
        }
      }
    }
    for (const int64_t channels : {1, 12, 16, 31, 40}) {
      add({2, channels, 5, 7}, channels, 20, Square(3, 2, 1), cut);
    }
    for (const Activation& activation :
         {Activation{ActivationKind::kRelu}, Activation{ActivationKind::kLeakyRelu, 0.1f},
          Activation{ActivationKind::kSigmoid}, Activation{ActivationKind::kHardSwish},
          Activation{ActivationKind::kClip, 0.5f, 6}}) {
      for (const int64_t channels : {12, 40}) {
        const LayerSpec spec =
            BlockLayer(dtype, {1, 12, 7, 6}, channels, 20, Square(3, 1, 1), activation);
        grid.push_back(WithEpilogue(spec, false, activation));
        grid.push_back(WithEpilogue(spec, true, std::nullopt));
        grid.push_back(WithEpilogue(spec, true, activation));
      }
    }
    add({1, 6, 17}, 20, 10, {{3}, {2}, {1}, {1}, {0}}, cut);
    add({1, 6, 17}, 6, 10, {{3}, {1}, {1}, {1}, {1}}, std::nullopt);
    add({1, 16, 40, 41}, 96, 24, Square(3, 2, 1), cut);
    add({3, 32, 20, 20}, 32, 32, Square(3, 1, 1), cut);
  }
  return grid;
}

}  // namespace fettle
