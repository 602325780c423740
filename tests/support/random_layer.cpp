#include "tests/support/random_layer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/core/shape_inference.h"

namespace fettle {
namespace {

constexpr DType kDTypes[] = {DType::kF32, DType::kF64, DType::kF16, DType::kBF16, DType::kI8,
                             DType::kU8,  DType::kI16, DType::kI32, DType::kI64,  DType::kBool};

// A layer without its output and epilogue. May be unsound; then another is drawn.
struct Draft {
  Op op;
  std::vector<TensorType> inputs, weights;
};

template <typename T, size_t kSize>
T OneOf(Random* random, const T (&choices)[kSize]) {
  return choices[random->Below(kSize)];
}

int64_t Channels(Random* random) {
  return OneOf<int64_t>(random, {1, 3, 4, 7, 8, 12, 16, 17, 24, 32, 40});
}

DType FloatType(Random* random) { return random->Chance(0.6) ? DType::kF32 : DType::kBF16; }

DType AnyType(Random* random) {
  return random->Chance(0.7) ? FloatType(random) : OneOf(random, kDTypes);
}

// What is per channel may stay f32 where the rest is bf16.
DType ChannelType(DType dtype, Random* random) { return random->Chance(0.3) ? DType::kF32 : dtype; }

// [N,C] and up to two spatial axes, as many as asked for or any.
Shape ImageShape(Random* random, size_t rank) {
  Shape shape = {random->Integer(1, 2), Channels(random)};
  while (shape.size() < rank) shape.push_back(random->Integer(1, 9));
  return shape;
}

Shape AnyImage(Random* random) {
  return ImageShape(random, static_cast<size_t>(OneOf(random, {2, 3, 4, 4, 4, 4})));
}

Shape AnyShape(Random* random) {
  Shape shape(random->Below(5) + 1);
  for (int64_t& extent : shape) extent = random->Integer(1, 7);
  return shape;
}

Shape ImageOrAny(Random* random) {
  return random->Chance(0.6) ? AnyImage(random) : AnyShape(random);
}

Window RandomWindow(size_t axes, Random* random) {
  Window window;
  for (size_t axis = 0; axis < axes; ++axis) {
    window.kernel.push_back(OneOf<int64_t>(random, {1, 1, 2, 3, 3, 3, 5}));
    window.strides.push_back(OneOf<int64_t>(random, {1, 1, 1, 2, 3}));
    window.dilations.push_back(OneOf<int64_t>(random, {1, 1, 1, 2}));
    window.pads_begin.push_back(random->Integer(0, 2));
    window.pads_end.push_back(random->Integer(0, 2));
  }
  // Mostly as networks have them: square, and padded alike at both ends.
  if (random->Chance(0.6)) {
    for (auto* list : {&window.kernel, &window.strides, &window.dilations, &window.pads_begin}) {
      std::fill(list->begin(), list->end(), list->front());
    }
    window.pads_end = window.pads_begin;
  }
  return window;
}

Draft DraftConv(Random* random) {
  const DType dtype = FloatType(random);
  Shape x = ImageShape(random, random->Chance(0.2) ? 3 : 4);
  Conv op;
  op.window = RandomWindow(x.size() - 2, random);
  int64_t outputs = Channels(random);
  if (random->Chance(0.3)) {  // depthwise
    op.groups = x[1];
    outputs = x[1] * OneOf<int64_t>(random, {1, 1, 1, 2});
  } else if (random->Chance(0.4)) {
    op.groups = random->Integer(2, 4);
    x[1] = op.groups * OneOf<int64_t>(random, {1, 2, 3, 4, 8, 16});
    outputs = op.groups * OneOf<int64_t>(random, {1, 2, 3, 4, 8, 16});
  }
  Shape w = {outputs, x[1] / op.groups};
  w.insert(w.end(), op.window.kernel.begin(), op.window.kernel.end());
  Draft draft{op, {{dtype, x}}, {{dtype, w}}};
  if (random->Chance(0.7)) draft.weights.push_back({ChannelType(dtype, random), {outputs}});
  return draft;
}

Draft DraftInnerProduct(Random* random) {
  const DType dtype = FloatType(random);
  const int64_t inputs = random->Integer(1, 70), outputs = random->Integer(1, 40);
  Draft draft{
      InnerProduct{}, {{dtype, {random->Integer(1, 9), inputs}}}, {{dtype, {outputs, inputs}}}};
  if (random->Chance(0.7)) draft.weights.push_back({ChannelType(dtype, random), {outputs}});
  return draft;
}

Draft DraftGemm(Random* random) {
  const DType dtype = FloatType(random);
  const int64_t rows = random->Integer(1, 20), inner = random->Integer(1, 40),
                columns = random->Integer(1, 20);
  Gemm op{random->Chance(0.5), random->Chance(0.5)};
  if (random->Chance(0.5)) op.alpha = 0.5f, op.beta = -2;
  Shape a = {rows, inner}, b = {inner, columns};
  if (op.transpose_a) std::swap(a[0], a[1]);
  if (op.transpose_b) std::swap(b[0], b[1]);
  Draft draft{op, {{dtype, a}, {dtype, b}}, {}};
  const Shape biases[] = {{columns}, {rows, 1}, {1}, {rows, columns}, {}};
  if (random->Chance(0.6)) draft.inputs.push_back({dtype, OneOf(random, biases)});
  return draft;
}

Draft DraftMatMul(Random* random) {
  const DType dtype = FloatType(random);
  const int64_t inner = random->Integer(1, 40);
  Shape a = {random->Integer(1, 20), inner}, b = {inner, random->Integer(1, 20)};
  if (random->Chance(0.15)) a.erase(a.begin());
  if (random->Chance(0.15)) b.pop_back();
  const Shape leading[] = {{}, {2}, {1}, {2, 3}, {1, 3}, {2, 1}};
  for (Shape* shape : {&a, &b}) {
    const Shape before = OneOf(random, leading);
    if (shape->size() == 2) shape->insert(shape->begin(), before.begin(), before.end());
  }
  Draft draft{MatMul{}, {{dtype, a}, {dtype, b}}, {}};
  if (random->Chance(0.3)) {
    draft.weights.push_back(draft.inputs.back());
    draft.inputs.pop_back();
  }
  return draft;
}

Activation RandomActivation(Random* random) {
  const Activation kinds[] = {{ActivationKind::kRelu},
                              {ActivationKind::kClip, 0, 6},
                              {ActivationKind::kClip, -1, 1},
                              {ActivationKind::kClip, 0.5, 6},
                              {ActivationKind::kLeakyRelu, 0.1f},
                              {ActivationKind::kSigmoid},
                              {ActivationKind::kHardSigmoid, 0.2f, 0.5f},
                              {ActivationKind::kHardSwish},
                              {ActivationKind::kTanh}};
  return OneOf(random, kinds);
}

Draft DraftInvertedResidual(Random* random) {
  const DType dtype = FloatType(random);
  const Shape x = ImageShape(random, random->Chance(0.2) ? 3 : 4);
  InvertedResidual op;
  op.window = RandomWindow(x.size() - 2, random);
  op.expands = random->Chance(0.6);
  if (op.expands && random->Chance(0.7)) op.expanded = RandomActivation(random);
  if (random->Chance(0.7)) op.filtered = RandomActivation(random);
  const int64_t channels = op.expands ? random->Integer(1, 70) : x[1];
  const int64_t outputs = Channels(random);
  Draft draft{op, {{dtype, x}}, {}};
  const auto add = [&](int64_t to, int64_t from, const Shape& kernel) {
    Shape w = {to, from};
    w.insert(w.end(), kernel.begin(), kernel.end());
    draft.weights.push_back({dtype, w});
    draft.weights.push_back({ChannelType(dtype, random), {to}});
  };
  const Shape point(x.size() - 2, 1);
  if (op.expands) add(channels, x[1], point);
  add(channels, 1, op.window.kernel);
  add(outputs, channels, point);
  return draft;
}

Draft DraftActivation(Random* random) {
  return {RandomActivation(random), {{FloatType(random), ImageOrAny(random)}}, {}};
}

Draft DraftChannelwise(Random* random) {
  const DType dtype = FloatType(random);
  const Shape x = AnyImage(random);
  const TensorType per_channel{ChannelType(dtype, random), {x[1]}};
  if (random->Chance(0.8)) return {ChannelAffine{}, {{dtype, x}}, {per_channel, per_channel}};
  return {BatchNorm{1e-3f}, {{dtype, x}}, std::vector(4, per_channel)};
}

Draft DraftSoftmax(Random* random) {
  const Shape x = ImageOrAny(random);
  const auto axis = random->Chance(0.4) && x.size() > 1 ? 1 : random->Below(x.size());
  return {Softmax{static_cast<int64_t>(axis)}, {{FloatType(random), x}}, {}};
}

// Whether every window along the axis begins, holds an element and ends before nothing.
bool HoldsElements(const Window& window, size_t axis, int64_t input, int64_t overhang) {
  const int64_t outputs = WindowOutput(window, axis, input + overhang);
  for (int64_t output = 0; output < outputs; ++output) {
    bool holds = false;
    for (int64_t tap = 0; tap < window.kernel[axis]; ++tap) {
      const int64_t at =
          output * window.strides[axis] + tap * window.dilations[axis] - window.pads_begin[axis];
      holds = holds || (at >= 0 && at < input);
    }
    if (!holds) return false;
  }
  return outputs > 0;
}

Draft DraftPool(Random* random) {
  while (true) {
    const Shape x = ImageShape(random, random->Chance(0.2) ? 3 : 4);
    Pool op{random->Chance(0.5) ? PoolKind::kMax : PoolKind::kAverage,
            RandomWindow(x.size() - 2, random), Shape(x.size() - 2, 0), random->Chance(0.5)};
    bool holds = true;
    for (size_t axis = 0; axis < op.overhang.size(); ++axis) {
      if (random->Chance(0.3)) op.overhang[axis] = random->Integer(0, op.window.strides[axis] - 1);
      holds = holds && HoldsElements(op.window, axis, x[axis + 2], op.overhang[axis]);
    }
    if (op.kind == PoolKind::kMax) op.count_include_pad = false;
    if (holds) return {op, {{FloatType(random), x}}, {}};
  }
}

Draft DraftGlobalAveragePool(Random* random) {
  return {GlobalAveragePool{}, {{FloatType(random), ImageShape(random, 4)}}, {}};
}

Draft DraftReduceMean(Random* random) {
  const Shape x = ImageOrAny(random);
  ReduceMean op{{}, random->Chance(0.5)};
  for (size_t axis = 0; axis < x.size(); ++axis) {
    if (random->Chance(0.5)) op.axes.push_back(static_cast<int64_t>(axis));
  }
  if (x.size() > 2 && random->Chance(0.4)) {
    op.axes.clear();
    for (size_t axis = 2; axis < x.size(); ++axis) op.axes.push_back(static_cast<int64_t>(axis));
  }
  return {op, {{FloatType(random), x}}, {}};
}

// A shape that broadcasts to `shape`.
Shape Broadcastable(const Shape& shape, Random* random) {
  Shape other = shape;
  switch (random->Below(5)) {
    case 0:
      return other;
    case 1:  // per channel
      for (size_t axis = 0; axis < other.size(); ++axis) other[axis] = axis == 1 ? shape[1] : 1;
      if (random->Chance(0.5)) other.erase(other.begin());
      return other;
    case 2:  // per image and channel
      if (other.size() > 2) std::fill(other.begin() + 2, other.end(), 1);
      return other;
    case 3:
      return Shape(random->Below(shape.size() + 1), 1);
    default:
      for (int64_t& extent : other) extent = random->Chance(0.4) ? 1 : extent;
      other.erase(other.begin(),
                  other.begin() + static_cast<ptrdiff_t>(random->Below(other.size())));
      return other;
  }
}

Draft DraftBinary(Random* random) {
  const DType dtype = FloatType(random);
  const BinaryKind kinds[] = {BinaryKind::kAdd, BinaryKind::kSub, BinaryKind::kMul,
                              BinaryKind::kDiv};
  const Shape x = random->Chance(0.8) ? AnyImage(random) : Shape{2, 3, 4, 2, 3};
  const Shape other = Broadcastable(x, random);
  Draft draft{Binary{OneOf(random, kinds)}, {{dtype, x}, {dtype, other}}, {}};
  if (random->Chance(0.3)) std::swap(draft.inputs[0], draft.inputs[1]);
  if (random->Chance(0.2)) {
    draft.weights.push_back(draft.inputs.back());
    draft.inputs.pop_back();
  }
  return draft;
}

Draft DraftSum(Random* random) {
  const DType dtype = FloatType(random);
  const Shape x = AnyImage(random);
  Draft draft{Sum{}, {{dtype, x}}, {}};
  const bool is_plain = random->Chance(0.7);
  for (uint64_t more = random->Below(4); more > 0; --more) {
    draft.inputs.push_back({dtype, is_plain ? x : Broadcastable(x, random)});
  }
  return draft;
}

Draft DraftConcat(Random* random) {
  const DType dtype = AnyType(random);
  Shape x = ImageOrAny(random);
  const size_t axis = random->Chance(0.6) && x.size() > 1 ? 1 : random->Below(x.size());
  Draft draft{Concat{static_cast<int64_t>(axis)}, {}, {}};
  for (uint64_t parts = random->Below(4) + 1; parts > 0; --parts) {
    if (random->Chance(0.7)) x[axis] = axis == 1 ? Channels(random) : random->Integer(1, 6);
    draft.inputs.push_back({dtype, x});
  }
  return draft;
}

Draft DraftSlice(Random* random) {
  const Shape x = ImageOrAny(random);
  Slice op;
  for (size_t axis = 0; axis < x.size(); ++axis) {
    int64_t start = 0, end = x[axis], step = 1;
    if (random->Chance(0.4)) {
      step = OneOf<int64_t>(random, {1, 1, 1, 2, 3, -1, -2});
      start = random->Integer(0, x[axis] - 1);
      end = step > 0 ? random->Integer(start, x[axis]) : random->Integer(-1, start);
      if (axis == 1 && random->Chance(0.5)) start = start / 8 * 8;
    }
    op.starts.push_back(start);
    op.ends.push_back(end);
    op.steps.push_back(step);
  }
  return {op, {{AnyType(random), x}}, {}};
}

Draft DraftReshape(Random* random) {
  const Shape x = ImageOrAny(random);
  const int64_t total = ElementCount(x);
  const Shape shapes[] = {{total},
                          {x[0], total / x[0]},
                          {x[0], total / x[0], 1, 1},
                          {1, total},
                          {x.back(), total / x.back(), 1}};
  return {Reshape{OneOf(random, shapes)}, {{AnyType(random), x}}, {}};
}

Draft DraftTranspose(Random* random) {
  const Shape x = ImageOrAny(random);
  Transpose op;
  for (size_t axis : random->Permutation(x.size())) {
    op.permutation.push_back(static_cast<int64_t>(axis));
  }
  return {op, {{AnyType(random), x}}, {}};
}

Draft DraftPad(Random* random) {
  const Shape x = ImageOrAny(random);
  Pad op{OneOf(random, {PadMode::kConstant, PadMode::kReflect, PadMode::kEdge}), {}, {}, 0};
  if (op.mode == PadMode::kConstant && random->Chance(0.5)) op.value = 1.5f;
  const bool has_only_spatial = random->Chance(0.6);
  for (size_t axis = 0; axis < x.size(); ++axis) {
    const bool is_padded = random->Chance(0.6) && (axis > 1 || !has_only_spatial);
    op.begin.push_back(is_padded ? random->Integer(-2, 3) : 0);
    op.end.push_back(is_padded ? random->Integer(-2, 3) : 0);
  }
  return {op, {{AnyType(random), x}}, {}};
}

Draft DraftResize(Random* random) {
  const bool is_image = random->Chance(0.7);
  const Shape x = is_image ? ImageShape(random, random->Chance(0.2) ? 3 : 4) : AnyShape(random);
  Resize op;
  op.mode = random->Chance(0.5) ? ResizeMode::kNearest : ResizeMode::kLinear;
  op.coordinates =
      OneOf(random, {ResizeCoordinates::kHalfPixel, ResizeCoordinates::kAlignCorners,
                     ResizeCoordinates::kPytorchHalfPixel, ResizeCoordinates::kAsymmetric});
  op.rounding = OneOf(random, {NearestRounding::kRoundPreferFloor, NearestRounding::kFloor,
                               NearestRounding::kRoundPreferCeil, NearestRounding::kCeil});
  for (size_t axis = 0; axis < x.size(); ++axis) {
    const float scale = OneOf(random, {1.0f, 2.0f, 2.0f, 0.5f, 0.6f, 1.5f, 2.3f, 3.0f});
    op.scales.push_back(is_image && axis < 2 ? 1 : scale);
    op.sizes.push_back(std::max<int64_t>(
        1, static_cast<int64_t>(std::floor(static_cast<float>(x[axis]) * op.scales[axis]))));
  }
  return {op, {{FloatType(random), x}}, {}};
}

Draft DraftLrn(Random* random) {
  const Lrn op{random->Integer(1, 6), OneOf(random, {1e-4f, 0.3f}), OneOf(random, {0.75f, 0.5f}),
               OneOf(random, {1.0f, 2.0f})};
  return {op, {{FloatType(random), AnyImage(random)}}, {}};
}

Draft DraftCast(Random* random) {
  const auto dtype = [random] {
    return random->Chance(0.6) ? FloatType(random) : OneOf(random, kDTypes);
  };
  return {Cast{dtype()}, {{dtype(), ImageOrAny(random)}}, {}};
}

Draft DraftIdentity(Random* random) {
  return {Identity{}, {{AnyType(random), ImageOrAny(random)}}, {}};
}

Draft DraftReorder(Random* random) {
  return {Reorder{}, {{FloatType(random), AnyImage(random)}}, {}};
}

constexpr std::array kDrafts = {DraftConv,         DraftConv,     DraftInvertedResidual,
                                DraftInnerProduct, DraftGemm,     DraftMatMul,
                                DraftActivation,   DraftBinary,   DraftChannelwise,
                                DraftSoftmax,      DraftPool,     DraftGlobalAveragePool,
                                DraftReduceMean,   DraftSum,      DraftConcat,
                                DraftSlice,        DraftReshape,  DraftTranspose,
                                DraftPad,          DraftResize,   DraftLrn,
                                DraftCast,         DraftIdentity, DraftReorder};

void AddEpilogue(Random* random, LayerSpec* spec) {
  const bool is_float = spec->output.dtype == DType::kF32 || spec->output.dtype == DType::kBF16;
  if (!is_float || std::holds_alternative<Reorder>(spec->op)) return;
  for (const TensorType& input : spec->inputs) {
    if (input.dtype != DType::kF32 && input.dtype != DType::kBF16) return;
  }
  if (random->Chance(0.25)) {
    spec->adds_residual = true;
    spec->inputs.push_back(spec->output);
  }
  if (random->Chance(0.3)) spec->activation = RandomActivation(random);
}

LayerSpec Completed(Draft draft, Random* random) {
  LayerSpec spec;
  std::vector<TensorType> operands = draft.inputs;
  operands.insert(operands.end(), draft.weights.begin(), draft.weights.end());
  // Shape inference wants one type; what is per channel may differ in ours.
  for (TensorType& operand : operands) operand.dtype = operands[0].dtype;
  spec.output = InferTypes(draft.op, operands).front();
  spec.op = std::move(draft.op);
  spec.inputs = std::move(draft.inputs);
  spec.weights = std::move(draft.weights);
  if (std::holds_alternative<Reorder>(spec.op)) spec.output.dtype = FloatType(random);
  const bool has_filters =
      std::holds_alternative<Conv>(spec.op) || std::holds_alternative<InnerProduct>(spec.op);
  if (has_filters && random->Chance(0.1)) {
    spec.density = 0.25;
    const int64_t outputs = spec.weights.empty() ? 0 : spec.weights[0].shape[0];
    if (outputs >= 4 && random->Chance(0.3)) spec.sparse_block = 4;
  }
  AddEpilogue(random, &spec);
  return spec;
}

}  // namespace

LayerSpec RandomLayerSpec(Random* random) {
  while (true) {
    try {
      return Completed(kDrafts[random->Below(kDrafts.size())](random), random);
    } catch (const Error&) {
      // The window does not fit, or the like: draw another.
    }
  }
}

}  // namespace fettle
