#include "tests/agreement/layer_grid.h"

#include "fettle/core/shape_inference.h"
#include "tests/agreement/layer_parts.h"

namespace fettle {
namespace {

constexpr DType kFloats[] = {DType::kF32, DType::kBF16};

LayerSpec Layer(Op op, DType dtype, const std::vector<Shape>& inputs,
                const std::vector<Shape>& weights = {}) {
  LayerSpec spec;
  std::vector<TensorType> operands;
  for (const Shape& shape : inputs) spec.inputs.push_back({dtype, shape});
  for (const Shape& shape : weights) spec.weights.push_back({dtype, shape});
  operands = spec.inputs;
  operands.insert(operands.end(), spec.weights.begin(), spec.weights.end());
  spec.output = InferTypes(op, operands).front();
  spec.op = std::move(op);
  return spec;
}

void AddConvs(DType dtype, int64_t in, int64_t out, int64_t groups, std::vector<LayerSpec>* grid) {
  const Window windows[] = {Square(1, 1, 0),
                            Square(1, 2, 0),
                            Square(3, 1, 1),
                            Square(3, 2, 1),
                            Square(3, 1, 2, 2),
                            Square(5, 2, 2),
                            {{3, 1}, {1, 2}, {1, 1}, {1, 0}, {0, 0}},
                            {{2, 3}, {2, 1}, {1, 2}, {0, 2}, {1, 1}}};
  for (const Window& window : windows) {
    const Shape w = {out, in / groups, window.kernel[0], window.kernel[1]};
    grid->push_back(Layer(Conv{window, groups}, dtype, {{2, in, 9, 11}}, {w, {out}}));
  }
}

}  // namespace

std::vector<LayerSpec> ConvGrid() {
  std::vector<LayerSpec> grid;
  const struct {
    int64_t in, out, groups;
  } widths[] = {{3, 16, 1}, {16, 16, 1},  {17, 9, 1},  {32, 48, 1}, {16, 16, 16}, {24, 24, 24},
                {7, 7, 7},  {16, 32, 16}, {16, 16, 4}, {32, 32, 2}, {12, 18, 6}};
  for (DType dtype : kFloats) {
    for (const auto& width : widths) AddConvs(dtype, width.in, width.out, width.groups, &grid);
    const Window line = {{3}, {2}, {1}, {1}, {0}};
    grid.push_back(Layer(Conv{line, 1}, dtype, {{1, 5, 12}}, {{6, 5, 3}}));
    grid.push_back(Layer(Conv{line, 8}, dtype, {{1, 8, 12}}, {{8, 1, 3}}));
    // Pixels below, at and above one, two and three tiles of AMX, of up to 16 rows.
    for (int64_t pixels = 1; pixels <= 50; ++pixels) {
      grid.push_back(
          Layer(Conv{Square(1, 1, 0), 1}, dtype, {{1, 32, 1, pixels}}, {{32, 32, 1, 1}}));
    }
  }
  // Every epilogue on three of them.
  for (DType dtype : kFloats) {
    const LayerSpec plain[] = {
        Layer(Conv{Square(3, 1, 1), 1}, dtype, {{1, 16, 6, 7}}, {{24, 16, 3, 3}, {24}}),
        Layer(Conv{Square(1, 1, 0), 1}, dtype, {{1, 20, 5, 5}}, {{12, 20, 1, 1}, {12}}),
        Layer(Conv{Square(3, 2, 1), 20}, dtype, {{1, 20, 6, 7}}, {{20, 1, 3, 3}, {20}})};
    const Activation activations[] = {{ActivationKind::kRelu},
                                      {ActivationKind::kClip, 0, 6},
                                      {ActivationKind::kLeakyRelu, 0.1f},
                                      {ActivationKind::kSigmoid},
                                      {ActivationKind::kHardSigmoid, 0.2f, 0.5f},
                                      {ActivationKind::kHardSwish},
                                      {ActivationKind::kTanh}};
    for (const LayerSpec& spec : plain) {
      grid.push_back(WithEpilogue(spec, true, std::nullopt));
      for (const Activation& activation : activations) {
        grid.push_back(WithEpilogue(spec, false, activation));
        grid.push_back(WithEpilogue(spec, true, activation));
      }
    }
  }
  return grid;
}

std::vector<LayerSpec> GroupedGrid() {
  std::vector<LayerSpec> grid;
  // Groups below, at and above vectors; vectors of one group and of several, of inputs that lie in
  // one vector, in two and in more.
  const struct {
    int64_t in, out, groups;
  } widths[] = {{8, 8, 4},   {24, 24, 6},  {40, 40, 5},  {48, 48, 3}, {64, 64, 2},  {34, 68, 2},
                {68, 34, 2}, {64, 16, 16}, {12, 48, 12}, {96, 6, 3},  {36, 60, 12}, {50, 70, 10}};
  for (DType dtype : kFloats) {
    for (const auto& width : widths) {
      AddConvs(dtype, width.in, width.out, width.groups, &grid);
      const Shape w = {width.out, width.in / width.groups, 3, 3};
      for (int64_t columns : {1, 7, 16, 23, 57}) {
        for (int64_t stride : {1, 2, 3}) {
          LayerSpec spec = Layer(Conv{Square(3, stride, 1), width.groups}, dtype,
                                 {{1, width.in, 4, columns}}, {w, {width.out}});
          grid.push_back(WithEpilogue(spec, stride == 1, Activation{ActivationKind::kRelu}));
          if (stride != 1) continue;
          grid.push_back(WithEpilogue(spec, true, Activation{ActivationKind::kClip, 0, 6}));
          grid.push_back(WithEpilogue(spec, columns == 7, Activation{ActivationKind::kHardSwish}));
        }
      }
    }
    // Pixels and outputs a group below, at and above the blocks of 1x1 kernels.
    for (int64_t columns : {1, 4, 7, 8, 11, 17, 29}) {
      for (int64_t outputs : {1, 3, 5, 6, 17}) {
        for (int64_t inputs : {7, 8}) {
          LayerSpec spec = Layer(Conv{Square(1, 1, 0), 3}, dtype, {{2, 3 * inputs, 5, columns}},
                                 {{3 * outputs, inputs, 1, 1}, {3 * outputs}});
          grid.push_back(WithEpilogue(spec, columns > 8, Activation{ActivationKind::kRelu}));
        }
      }
    }
    grid.push_back(Layer(Conv{Square(1, 1, 0), 2}, dtype, {{1, 300, 5, 5}}, {{12, 150, 1, 1}}));
    // Padding beyond the window, rows and columns apart.
    const Window window = {{3, 5}, {1, 2}, {2, 1}, {7, 0}, {0, 9}};
    grid.push_back(Layer(Conv{window, 8}, dtype, {{2, 32, 7, 19}}, {{32, 4, 3, 5}}));
    grid.push_back(Layer(Conv{window, 32}, dtype, {{2, 32, 7, 19}}, {{32, 1, 3, 5}}));
    // Depthwise: channels below, at and above vectors, strips below, at and above them.
    for (int64_t channels : {3, 8, 13, 16, 20, 32, 40, 72}) {
      for (int64_t columns : {1, 6, 7, 9, 17}) {
        for (int64_t kernel : {3, 5}) {
          for (int64_t stride : {1, 2}) {
            const LayerSpec spec =
                Layer(Conv{Square(kernel, stride, kernel / 2), channels}, dtype,
                      {{2, channels, 5, columns}}, {{channels, 1, kernel, kernel}, {channels}});
            const bool is_clip = stride == 1;
            grid.push_back(
                WithEpilogue(spec, columns == 9,
                             is_clip ? Activation{ActivationKind::kClip, 0, 6}
                                     : Activation{kernel == 3 ? ActivationKind::kRelu
                                                              : ActivationKind::kHardSwish}));
          }
        }
      }
    }
  }
  // One filter a channel, windows that lie in the padding alone, on either side.
  for (DType dtype : kFloats) {
    for (int64_t kernel : {3, 5}) {
      for (int64_t stride : {1, 2}) {
        for (const auto& [begin, end] : {std::pair<int64_t, int64_t>(12, 0), {0, 12}, {25, 13}}) {
          const Window window = {
              {kernel, kernel}, {stride, stride}, {1, 1}, {begin, begin}, {end, end}};
          grid.push_back(
              Layer(Conv{window, 32}, dtype, {{1, 32, 6, 7}}, {{32, 1, kernel, kernel}, {32}}));
        }
      }
    }
  }
  return grid;
}

std::vector<LayerSpec> TileGrid() {
  std::vector<LayerSpec> grid;
  for (DType dtype : kFloats) {
    // Images below, at and above one, two and three tiles, wider than high and the other way round.
    for (int64_t size : {1, 2, 3, 4, 5, 8, 9, 12, 13}) {
      const Shape image = {1, 16, size, 14 - size};
      grid.push_back(Layer(Conv{Square(3, 1, 1), 1}, dtype, {image}, {{16, 16, 3, 3}, {16}}));
    }
    // Channels below, at and above vectors and chunks of them; blocks of one tile to many.
    for (int64_t inputs : {1, 7, 8, 15, 24, 40}) {
      for (int64_t outputs : {1, 8, 12, 31, 33, 48, 72}) {
        grid.push_back(Layer(Conv{Square(3, 1, 1), 1}, dtype, {{inputs % 3 + 1, inputs, 9, 6}},
                             {{outputs, inputs, 3, 3}, {outputs}}));
      }
    }
    // Padding that is none, more than the window, or not the same on all sides.
    for (const auto& pads : std::vector<std::array<int64_t, 4>>{
             {0, 0, 0, 0}, {2, 2, 2, 2}, {0, 1, 2, 0}, {2, 0, 0, 1}, {5, 0, 0, 6}}) {
      const Window window = {{3, 3}, {1, 1}, {1, 1}, {pads[0], pads[1]}, {pads[2], pads[3]}};
      const LayerSpec spec = Layer(Conv{window, 1}, dtype, {{2, 20, 7, 6}}, {{24, 20, 3, 3}});
      grid.push_back(spec);
      grid.push_back(WithEpilogue(spec, true, Activation{ActivationKind::kRelu}));
    }
  }
  return grid;
}

std::vector<LayerSpec> SparseGrid() {
  std::vector<LayerSpec> grid;
  const auto add = [&](LayerSpec spec, double density, int64_t block = 1) {
    spec.density = density;
    spec.sparse_block = block;
    grid.push_back(std::move(spec));
  };
  const Window windows[] = {Square(1, 1, 0), Square(1, 2, 0),    Square(3, 1, 1), Square(3, 2, 1),
                            Square(5, 1, 2), Square(3, 1, 2, 2), Square(2, 3, 1), Square(7, 2, 3)};
  const Activation relu{ActivationKind::kRelu}, tanh{ActivationKind::kTanh};
  for (DType dtype : kFloats) {
    // Rows of all lengths about those of vectors, alone and in batches, with every window.
    for (const Window& window : windows) {
      for (int64_t size : {3, 7, 8, 14, 15, 28, 33}) {
        const int64_t kernel = window.kernel[0];
        const LayerSpec spec = Layer(Conv{window, 1}, dtype, {{1 + size % 2, 9, size, size + 1}},
                                     {{6, 9, kernel, kernel}, {6}});
        add(spec, size % 4 * 0.1);
        add(WithEpilogue(spec, true, size % 2 == 0 ? relu : tanh), 0.3);
      }
    }
    // Blocks of zeros, of outputs that fill them and that do not; slices and parts of many.
    for (int64_t block : {1, 2, 3, 4, 8}) {
      for (int64_t outputs : {9, 16, 37}) {
        add(Layer(Conv{Square(1, 1, 0), 1}, dtype, {{1, 600, 7, 7}}, {{outputs, 600, 1, 1}}), 0.1,
            block);
        add(Layer(Conv{Square(3, 1, 1), 1}, dtype, {{2, 70, 12, 17}},
                  {{outputs, 70, 3, 3}, {outputs}}),
            0.05, block);
      }
    }
    // Padding that is none, more than the window, or not the same on all sides; one axis.
    for (const auto& pads : std::vector<std::array<int64_t, 4>>{
             {0, 0, 0, 0}, {2, 2, 2, 2}, {0, 1, 2, 0}, {2, 0, 0, 1}, {5, 0, 0, 6}}) {
      for (int64_t stride : {1, 2}) {
        const Window window = {{3, 2}, {stride, 1}, {1, 2}, {pads[0], pads[1]}, {pads[2], pads[3]}};
        add(Layer(Conv{window, 1}, dtype, {{2, 5, 7, 6}}, {{4, 5, 3, 2}}), 0.4);
      }
    }
    const Window line = {{3}, {2}, {1}, {1}, {0}};
    add(Layer(Conv{line, 1}, dtype, {{2, 5, 40}}, {{6, 5, 3}}), 0.5);
  }
  return grid;
}

// Kernels wider than 3x3 at stride 1: what transforms of tiles and products tap by tap are for.
std::vector<LayerSpec> WideKernelGrid() {
  std::vector<LayerSpec> grid;
  const Window windows[] = {
      Square(5, 1, 2),
      Square(7, 1, 3),
      Square(8, 1, 4),   // the first that a tile of 8 is too small for
      Square(15, 1, 7),  // the last that one of 16 has outputs for
      Square(16, 1, 8),
      Square(4, 1, 3, 3),
      {{7, 2}, {1, 1}, {1, 3}, {0, 6}, {8, 1}},
      {{1, 6}, {1, 1}, {1, 1}, {0, 2}, {0, 3}},
  };
  const struct {
    int64_t batch, in, out, height, width;
  } extents[] = {{1, 16, 32, 27, 14}, {3, 5, 9, 13, 21}, {1, 24, 40, 8, 9}, {2, 33, 17, 16, 4}};
  for (DType dtype : kFloats) {
    for (const Window& window : windows) {
      for (const auto& [batch, in, out, height, width] : extents) {
        const LayerSpec spec = Layer(Conv{window, 1}, dtype, {{batch, in, height, width}},
                                     {{out, in, window.kernel[0], window.kernel[1]}, {out}});
        if (!(ElementCount(spec.output) > 0)) continue;
        grid.push_back(spec);
      }
    }
    const LayerSpec spec =
        Layer(Conv{Square(5, 1, 2), 1}, dtype, {{2, 20, 14, 15}}, {{24, 20, 5, 5}});
    for (const auto& activation :
         {std::optional<Activation>(), std::optional(Activation{ActivationKind::kRelu}),
          std::optional(Activation{ActivationKind::kHardSwish})}) {
      grid.push_back(WithEpilogue(spec, true, activation));
      grid.push_back(WithEpilogue(spec, false, activation));
    }
  }
  return grid;
}

std::vector<LayerSpec> MatrixGrid() {
  std::vector<LayerSpec> grid;
  for (DType dtype : kFloats) {
    for (int64_t batch : {1, 2, 7, 33}) {
      for (int64_t inputs : {1, 16, 37}) {
        for (int64_t outputs : {1, 10, 48}) {
          grid.push_back(
              Layer(InnerProduct{}, dtype, {{batch, inputs}}, {{outputs, inputs}, {outputs}}));
          grid.push_back(Layer(InnerProduct{}, dtype, {{batch, inputs}}, {{outputs, inputs}}));
        }
      }
    }
    for (bool a : {false, true}) {
      for (bool b : {false, true}) {
        const Gemm op{a, b, 0.5f, 2};
        const Shape left = a ? Shape{9, 6} : Shape{6, 9}, right = b ? Shape{17, 9} : Shape{9, 17};
        for (const Shape& bias : {Shape{17}, Shape{6, 1}, Shape{}, Shape{6, 17}}) {
          grid.push_back(Layer(op, dtype, {left, right, bias}));
        }
        grid.push_back(Layer(Gemm{a, b}, dtype, {left, right}));
      }
    }
    grid.push_back(Layer(MatMul{}, dtype, {{6, 9}, {9, 17}}));
    grid.push_back(Layer(MatMul{}, dtype, {{3, 6, 9}, {3, 9, 17}}));
    grid.push_back(Layer(MatMul{}, dtype, {{2, 1, 6, 9}, {3, 9, 17}}));
    grid.push_back(Layer(MatMul{}, dtype, {{6, 9}}, {{9, 17}}));
    grid.push_back(Layer(MatMul{}, dtype, {{9}, {2, 9, 17}}));
    grid.push_back(Layer(MatMul{}, dtype, {{2, 6, 9}, {9}}));
    grid.push_back(Layer(MatMul{}, dtype, {{9}, {9}}));
  }
  return grid;
}

std::vector<LayerSpec> PoolingGrid() {
  std::vector<LayerSpec> grid;
  const Window windows[] = {Square(2, 2, 0),    Square(3, 2, 1),
                            Square(3, 1, 1),    Square(2, 1, 0),
                            Square(3, 1, 2, 2), {{1, 3}, {1, 2}, {1, 1}, {0, 0}, {0, 1}}};
  for (DType dtype : kFloats) {
    for (int64_t channels : {3, 8, 16, 21}) {
      const Shape x = {2, channels, 8, 9};
      for (const Window& window : windows) {
        for (int64_t overhang : {0, 1}) {
          if (overhang >= window.strides[0]) continue;
          const Shape beyond(2, overhang);
          grid.push_back(Layer(Pool{PoolKind::kMax, window, beyond, false}, dtype, {x}));
          grid.push_back(Layer(Pool{PoolKind::kAverage, window, beyond, false}, dtype, {x}));
          grid.push_back(Layer(Pool{PoolKind::kAverage, window, beyond, true}, dtype, {x}));
        }
      }
      grid.push_back(Layer(GlobalAveragePool{}, dtype, {x}));
      grid.push_back(Layer(ReduceMean{{2, 3}, true}, dtype, {x}));
      grid.push_back(Layer(ReduceMean{{2, 3}, false}, dtype, {x}));
      grid.push_back(Layer(ReduceMean{{1}, true}, dtype, {x}));
      grid.push_back(Layer(ReduceMean{{0, 3}, false}, dtype, {x}));
      for (int64_t size : {1, 2, 5}) {
        grid.push_back(Layer(Lrn{size, 0.5f, 0.75f, 1}, dtype, {x}));
        grid.push_back(Layer(Lrn{size, 0.5f, 0.6f, 2}, dtype, {x}));
      }
      for (auto coordinates : {ResizeCoordinates::kHalfPixel, ResizeCoordinates::kPytorchHalfPixel,
                               ResizeCoordinates::kAlignCorners, ResizeCoordinates::kAsymmetric}) {
        const auto resize = [&](ResizeMode mode, std::vector<float> scales, const Shape& sizes) {
          const Resize op{mode, coordinates, NearestRounding::kRoundPreferFloor, scales, sizes};
          grid.push_back(Layer(op, dtype, {x}));
        };
        for (ResizeMode mode : {ResizeMode::kNearest, ResizeMode::kLinear}) {
          resize(mode, {1, 1, 2, 2}, {2, channels, 16, 18});
          resize(mode, {1, 1, 0.5f, 1.5f}, {2, channels, 4, 13});
          resize(mode, {1, 1, 1.0f / 8, 1.0f / 9}, {2, channels, 1, 1});
        }
      }
    }
  }
  return grid;
}

std::vector<LayerSpec> ElementwiseGrid() {
  std::vector<LayerSpec> grid;
  const Activation activations[] = {{ActivationKind::kRelu},
                                    {ActivationKind::kClip, 0, 6},
                                    {ActivationKind::kLeakyRelu, 0.1f},
                                    {ActivationKind::kSigmoid},
                                    {ActivationKind::kHardSigmoid, 0.2f, 0.5f},
                                    {ActivationKind::kHardSwish},
                                    {ActivationKind::kTanh}};
  const Shape shapes[] = {{5}, {2, 10}, {1, 16, 3, 5}, {2, 21, 4, 4}, {1, 8, 7}};
  for (DType dtype : kFloats) {
    for (const Shape& x : shapes) {
      for (const Activation& activation : activations) {
        grid.push_back(Layer(activation, dtype, {x}));
      }
      grid.push_back(Layer(Sum{}, dtype, {x, x, x}));
      grid.push_back(Layer(Softmax{0}, dtype, {x}));
      grid.push_back(Layer(Cast{DType::kF32}, dtype, {x}));
      grid.push_back(Layer(Cast{DType::kBF16}, dtype, {x}));
      for (BinaryKind kind :
           {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul, BinaryKind::kDiv}) {
        grid.push_back(Layer(Binary{kind}, dtype, {x, x}));
        grid.push_back(Layer(Binary{kind}, dtype, {x, {}}));
        grid.push_back(Layer(Binary{kind}, dtype, {{1}, x}));
      }
      if (x.size() < 2) continue;
      grid.push_back(Layer(Softmax{1}, dtype, {x}));
      grid.push_back(Layer(ChannelAffine{}, dtype, {x}, {{x[1]}, {x[1]}}));
      grid.push_back(Layer(ChannelAffine{}, dtype, {x, {x[1]}, {x[1]}}));  // computed
      Shape per_channel(x.size(), 1);
      per_channel[1] = x[1];
      grid.push_back(Layer(Binary{BinaryKind::kMul}, dtype, {x, per_channel}));
      grid.push_back(Layer(Binary{BinaryKind::kSub}, dtype, {per_channel, x}));
      grid.push_back(Layer(Binary{BinaryKind::kAdd}, dtype, {x}, {per_channel}));
      per_channel.erase(per_channel.begin());
      grid.push_back(Layer(Binary{BinaryKind::kMul}, dtype, {x, per_channel}));
      grid.push_back(Layer(Binary{BinaryKind::kMul}, dtype, {x}, {per_channel}));
    }
  }
  return grid;
}

std::vector<LayerSpec> MovingGrid() {
  std::vector<LayerSpec> grid;
  for (DType dtype : {DType::kF32, DType::kBF16, DType::kI64, DType::kU8}) {
    for (int64_t channels : {8, 16, 21}) {
      const Shape x = {2, channels, 4, 5};
      for (int64_t axis = 0; axis < 4; ++axis) grid.push_back(Layer(Concat{axis}, dtype, {x, x}));
      grid.push_back(Layer(Concat{1}, dtype, {x, {2, 32, 4, 5}, {2, 3, 4, 5}}));
      grid.push_back(Layer(Concat{1}, dtype, {{2, 32, 4, 5}, x}));
      grid.push_back(Layer(Slice{{0, 0, 1, 1}, {2, channels, 4, 4}, {1, 1, 2, 1}}, dtype, {x}));
      grid.push_back(Layer(Slice{{0, 3, 0, 0}, {2, 7, 4, 5}, {1, 2, 1, 1}}, dtype, {x}));
      grid.push_back(Layer(Slice{{0, 0, 0, 0}, {2, 4, 4, 5}, {1, 1, 1, 1}}, dtype, {x}));
      grid.push_back(Layer(Slice{{0, 7, 3, 4}, {1, -1, -1, -1}, {1, -1, -1, -2}}, dtype, {x}));
      grid.push_back(Layer(Slice{{0, 0, 0, 0}, {2, channels, 0, 5}, {1, 1, 1, 1}}, dtype, {x}));
      grid.push_back(Layer(Reshape{{2, channels * 20}}, dtype, {x}));
      grid.push_back(Layer(Reshape{{2, channels}}, dtype, {{2, channels, 1, 1}}));
      grid.push_back(Layer(Identity{}, dtype, {x}));
      grid.push_back(Layer(Transpose{{0, 2, 3, 1}}, dtype, {x}));
      grid.push_back(Layer(Transpose{{0, 3, 1, 2}}, dtype, {x}));
      grid.push_back(Layer(Transpose{{3, 2, 1, 0}}, dtype, {x}));
      for (PadMode mode : {PadMode::kConstant, PadMode::kReflect, PadMode::kEdge}) {
        grid.push_back(Layer(Pad{mode, {0, 0, 1, 2}, {0, 0, 3, 0}, 1.5f}, dtype, {x}));
        grid.push_back(Layer(Pad{mode, {0, 2, -1, 2}, {1, 0, 1, -1}, 0}, dtype, {{3, 9, 4, 5}}));
      }
    }
  }
  for (DType from : kFloats) {
    for (DType to : kFloats) {
      for (const Shape& x : {Shape{2, 16, 4, 5}, Shape{1, 21, 7, 9}, Shape{1, 3, 17}, Shape{2, 5},
                             Shape{1, 33, 20, 20}}) {
        grid.push_back(Layer(Reorder{}, from, {x}));
        grid.back().output.dtype = to;
      }
    }
  }
  return grid;
}

std::vector<LayerSpec> ParallelGrid() {
  std::vector<LayerSpec> grid;
  for (DType from : {DType::kI64, DType::kI32, DType::kI16, DType::kU8, DType::kBool}) {
    // So many that some lie where rounding by way of f32 goes wrong.
    const int64_t count = from == DType::kI32 ? 1 << 20 : 1 << 12;
    for (DType to : kFloats) grid.push_back(Layer(Cast{to}, from, {{count}}));
  }
  const Window window = Square(3, 2, 1);
  const Shape small = {1, 24, 30, 31}, large = {1, 21, 64, 64};
  for (DType dtype : kFloats) {
    const auto add = [&](Op op, const std::vector<Shape>& inputs,
                         const std::vector<Shape>& weights = {}) {
      grid.push_back(Layer(std::move(op), dtype, inputs, weights));
    };
    add(Pool{PoolKind::kMax, window, {0, 0}, false}, {{1, 24, 50, 51}});
    add(Pool{PoolKind::kAverage, window, {0, 0}, false}, {{1, 24, 50, 51}});
    add(GlobalAveragePool{}, {{2, 40, 32, 32}});
    add(GlobalAveragePool{}, {{1, 1040, 7, 7}});
    add(ReduceMean{{0, 3}, false}, {small});
    add(Lrn{5, 0.5f, 0.75f, 1}, {small});
    add(Softmax{1}, {{5, 1000}});
    add(Softmax{1}, {small});
    for (ResizeMode mode : {ResizeMode::kNearest, ResizeMode::kLinear}) {
      add(Resize{mode, {}, {}, {1, 1, 2, 2}, {1, 24, 60, 62}}, {small});
    }
    add(Activation{ActivationKind::kHardSwish}, {small});
    add(ChannelAffine{}, {large}, {{21}, {21}});
    for (const Shape& x :
         {Shape{2, 72, 17, 19}, Shape{2, 21, 4, 4}, Shape{3, 100}, Shape{1, 77, 3, 5},
          Shape{2, 40, 1, 1}, Shape{1, 257, 9, 5}, Shape{2, 16, 0, 5}, Shape{2, 0, 1, 1}}) {
      add(ChannelAffine{}, {x}, {{x[1]}, {x[1]}});
      const LayerSpec spec = grid.back();
      grid.push_back(WithEpilogue(spec, true, Activation{ActivationKind::kRelu}));
      grid.push_back(
          WithEpilogue(spec, true, Activation{ActivationKind::kHardSigmoid, 0.2f, 0.5f}));
    }
    add(Binary{BinaryKind::kAdd}, {large, large});
    add(Binary{BinaryKind::kMul}, {large, {1, 21, 1, 1}});
    add(Sum{}, {large, {64}, {64, 1}});
    add(Concat{1}, {{1, 32, 64, 64}, large});
    add(Slice{{0, 16, 1, 0}, {1, 21, 64, 64}, {1, 1, 1, 2}}, {large});
    add(Pad{PadMode::kEdge, {0, 0, 1, 2}, {0, 0, 3, 0}, 0}, {large});
    add(Transpose{{0, 2, 3, 1}}, {large});
    add(Reshape{{21, 4096}}, {large});
    add(Cast{DType::kBF16}, {large});
    add(Reorder{}, {large});
    add(Conv{Square(5, 1, 2), 24}, {small}, {{24, 1, 5, 5}, {24}});
    add(Conv{window, 1}, {small}, {{40, 24, 3, 3}, {40}});
    add(InnerProduct{}, {{3, 700}}, {{90, 700}, {90}});
  }
  return grid;
}

}  // namespace fettle
