#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "fettle/core/error.h"
#include "fettle/network/onnx/element_types.h"
#include "fettle/network/onnx/fold.h"
#include "fettle/network/onnx/node_export.h"
#include "fettle/network/onnx/window_attributes.h"

namespace fettle {
namespace {

std::vector<int64_t> Joined(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  std::vector<int64_t> both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

// A number as a scalar of the type; nothing where the type cannot hold it.
std::optional<Tensor> ScalarOf(float value, DType dtype) {
  if (dtype == DType::kBF16 || dtype == DType::kF16) {
    const std::optional<uint16_t> bits =
        dtype == DType::kF16 ? ExactF16(value) : std::optional(ToBF16(value));
    if (!bits || (dtype == DType::kBF16 && FromBF16(*bits) != value)) return std::nullopt;
    return Tensor::Of<uint16_t>(dtype, {}, {{*bits}});
  }
  Tensor scalar = TensorOf(std::vector<double>{value}, {dtype, {}});
  const bool is_exact =
      std::visit([&](const auto& list) { return list[0] == value; }, *NumbersOf(scalar));
  return is_exact ? std::optional(std::move(scalar)) : std::nullopt;
}

void SetWindow(const Window& window, NodeExport* node) {
  node->SetInts("kernel_shape", window.kernel);
  node->SetInts("strides", window.strides);
  node->SetInts("dilations", window.dilations);
  node->SetInts("pads", Joined(window.pads_begin, window.pads_end));
}

bool IsUndilated(const Window& window) {
  for (int64_t dilation : window.dilations) {
    if (dilation != 1) return false;
  }
  return true;
}

void Export(const Conv& op, NodeExport* node) {
  node->SetOpType("Conv");
  SetWindow(op.window, node);
  node->SetInt("group", op.groups);
}

void Export(const BatchNorm& op, NodeExport* node) {
  node->SetOpType("BatchNormalization");
  node->SetFloat("epsilon", op.epsilon);
}

void Export(const Gemm& op, NodeExport* node) {
  node->SetOpType("Gemm");
  node->SetFloat("alpha", op.alpha);
  node->SetFloat("beta", op.beta);
  node->SetInt("transA", op.transpose_a ? 1 : 0);
  node->SetInt("transB", op.transpose_b ? 1 : 0);
}

void Export(const MatMul&, NodeExport* node) { node->SetOpType("MatMul"); }

void ExportClip(const Activation& op, NodeExport* node) {
  node->SetOpType("Clip");
  const DType dtype = node->InputType(0).dtype;
  const struct {
    std::string_view name;
    float value, otherwise;
  } limits[] = {{"min", op.alpha, std::numeric_limits<float>::lowest()},
                {"max", op.beta, std::numeric_limits<float>::max()}};
  for (const auto& limit : limits) {
    const std::optional<Tensor> scalar = ScalarOf(limit.value, dtype);
    if (limit.value == limit.otherwise) {
      node->SkipInput();
    } else if (scalar) {
      node->AddInput(limit.name, *scalar);
    } else {
      throw BadInput(limit.name, " ", limit.value, " cannot be written as ", NameOf(dtype));
    }
  }
}

void Export(const Activation& op, NodeExport* node) {
  constexpr std::array<std::string_view, 7> kOpTypes = {
      "Relu", "Clip", "LeakyRelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh"};
  if (op.kind == ActivationKind::kClip) return ExportClip(op, node);
  node->SetOpType(kOpTypes[static_cast<size_t>(op.kind)]);
  const bool has_beta = op.kind == ActivationKind::kHardSigmoid;
  if (has_beta || op.kind == ActivationKind::kLeakyRelu) node->SetFloat("alpha", op.alpha);
  if (has_beta) node->SetFloat("beta", op.beta);
}

void Export(const Softmax& op, NodeExport* node) {
  node->SetOpType("Softmax");
  node->SetInt("axis", op.axis);
}

// The window with whose ceil_mode the importer finds this overhang again, or nothing.
std::optional<WindowAttributes> CeilForm(const Pool& op, const Shape& input) {
  WindowAttributes form;
  form.kernel = op.window.kernel;
  form.strides = op.window.strides;
  form.dilations = op.window.dilations;
  form.pads = Joined(op.window.pads_begin, op.window.pads_end);
  form.ceil_mode = true;
  const ResolvedWindow found = ResolveWindow(form, op.window.kernel, input);
  if (found.window != op.window || found.overhang != op.overhang) return std::nullopt;
  return form;
}

void Export(const Pool& op, NodeExport* node) {
  const bool is_average = op.kind == PoolKind::kAverage;
  node->SetOpType(is_average ? "AveragePool" : "MaxPool");
  bool has_overhang = false;
  for (int64_t overhang : op.overhang) has_overhang = has_overhang || overhang > 0;
  Window window = op.window;
  if (has_overhang && !CeilForm(op, node->InputType(0).shape)) {
    // What is never read and never counted may as well be padding; unless padding is counted.
    if (is_average && op.count_include_pad) {
      throw BadInput("overhang ", ShapeText(op.overhang),
                     " is not one that ONNX's ceil_mode gives");
    }
    for (size_t axis = 0; axis < op.overhang.size(); ++axis) {
      window.pads_end[axis] += op.overhang[axis];
    }
    has_overhang = false;
  }
  node->SetInts("kernel_shape", window.kernel);
  node->SetInts("strides", window.strides);
  if (!is_average || !IsUndilated(window)) node->SetInts("dilations", window.dilations);
  node->SetInts("pads", Joined(window.pads_begin, window.pads_end));
  node->SetInt("ceil_mode", has_overhang ? 1 : 0);
  if (is_average) node->SetInt("count_include_pad", op.count_include_pad ? 1 : 0);
}

void Export(const GlobalAveragePool&, NodeExport* node) { node->SetOpType("GlobalAveragePool"); }

void Export(const ReduceMean& op, NodeExport* node) {
  node->SetOpType("ReduceMean");
  node->SetInt("keepdims", op.keep_dims ? 1 : 0);
  if (node->opset() < 18) {
    node->SetInts("axes", op.axes);
  } else {
    node->SetInt("noop_with_empty_axes", 1);
    node->AddInput("axes", op.axes);
  }
}

void Export(const Binary& op, NodeExport* node) {
  constexpr std::array<std::string_view, 4> kOpTypes = {"Add", "Sub", "Mul", "Div"};
  node->SetOpType(kOpTypes[static_cast<size_t>(op.kind)]);
}

void Export(const Sum&, NodeExport* node) { node->SetOpType("Sum"); }

void Export(const Concat& op, NodeExport* node) {
  node->SetOpType("Concat");
  node->SetInt("axis", op.axis);
}

void Export(const Split& op, NodeExport* node) {
  node->SetOpType("Split");
  node->SetInt("axis", op.axis);
  node->AddInput("split", op.sizes);
}

// Axes that are taken whole are not mentioned, so that the batch may be open.
void Export(const Slice& op, NodeExport* node) {
  node->SetOpType("Slice");
  const Shape& shape = node->InputType(0).shape;
  std::vector<int64_t> starts, ends, axes, steps;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const int64_t extent = shape[axis];
    int64_t start = op.starts[axis], end = op.ends[axis];
    if (start == 0 && end == extent && op.steps[axis] == 1) continue;
    // ONNX counts negative places from the end: "before the first element" is further out, and
    // cannot be a start, where there is an element at all; nothing is what both give.
    if (end < 0) end = -extent - 1;
    if (start < 0) {
      start = 0;
      if (extent > 0) end = 0;
    }
    starts.push_back(start);
    ends.push_back(end);
    axes.push_back(static_cast<int64_t>(axis));
    steps.push_back(op.steps[axis]);
  }
  node->AddInput("starts", starts);
  node->AddInput("ends", ends);
  node->AddInput("axes", axes);
  node->AddInput("steps", steps);
}

void Export(const Reshape& op, NodeExport* node) {
  node->SetOpType("Reshape");
  Shape shape = op.shape;
  const Shape& input = node->InputType(0).shape;
  bool has_zero = false;
  for (int64_t extent : shape) has_zero = has_zero || extent == 0;
  if (node->has_open_batch() && !has_zero && !shape.empty() && !input.empty() &&
      shape[0] == input[0]) {
    shape[0] = 0;  // the batch, whatever it is
  }
  node->SetInt("allowzero", has_zero ? 1 : 0);
  node->AddInput("shape", shape);
}

void Export(const Transpose& op, NodeExport* node) {
  node->SetOpType("Transpose");
  node->SetInts("perm", op.permutation);
}

void Export(const Pad& op, NodeExport* node) {
  constexpr std::array<std::string_view, 3> kModes = {"constant", "reflect", "edge"};
  node->SetOpType("Pad");
  node->SetString("mode", kModes[static_cast<size_t>(op.mode)]);
  node->AddInput("pads", Joined(op.begin, op.end));
  if (op.value == 0) return;
  const DType dtype = node->InputType(0).dtype;
  const std::optional<Tensor> value = ScalarOf(op.value, dtype);
  if (!value) throw BadInput("value ", op.value, " cannot be written as ", NameOf(dtype));
  node->AddInput("constant_value", *value);
}

void Export(const Resize& op, NodeExport* node) { ExportResize(op, node); }

void Export(const Lrn& op, NodeExport* node) {
  node->SetOpType("LRN");
  node->SetInt("size", op.size);
  node->SetFloat("alpha", op.alpha);
  node->SetFloat("beta", op.beta);
  node->SetFloat("bias", op.bias);
}

void Export(const Cast& op, NodeExport* node) {
  node->SetOpType("Cast");
  node->SetInt("to", OnnxOfDType(op.dtype));
}

void Export(const Identity&, NodeExport* node) { node->SetOpType("Identity"); }

template <typename Lowered>
void Export(const Lowered&, NodeExport*) {
  throw BadInput("an operator of lowered layers, which have no ONNX form");
}

}  // namespace

void ExportOperator(const Op& op, NodeExport* node) {
  std::visit([&](const auto& alternative) { Export(alternative, node); }, op);
}

int64_t LowestOpset(const Op& op) {
  const auto* reduce = std::get_if<ReduceMean>(&op);
  if (reduce != nullptr && reduce->axes.empty()) return 18;
  const auto* pool = std::get_if<Pool>(&op);
  const bool is_average = pool != nullptr && pool->kind == PoolKind::kAverage;
  return is_average && !IsUndilated(pool->window) ? 19 : 17;
}

}  // namespace fettle
