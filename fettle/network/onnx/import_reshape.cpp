#include <algorithm>
#include <numeric>

#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

Shape ResolvedShape(const std::vector<int64_t>& wanted, const Shape& input, bool zero_is_zero) {
  Shape shape = wanted;
  std::optional<size_t> open;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (shape[axis] == 0 && !zero_is_zero) {
      if (axis >= input.size()) {
        throw BadInput("keeps axis ", axis, " of an input ", ShapeText(input));
      }
      shape[axis] = input[axis];
    } else if (shape[axis] == -1) {
      if (open) throw BadInput("leaves the axes ", *open, " and ", axis, " open");
      open = axis;
    } else if (shape[axis] < 0) {
      throw BadInput("wants an extent of ", shape[axis]);
    }
  }
  if (!open) return shape;
  shape[*open] = 1;
  const std::optional<int64_t> others = CheckedElementCount(shape);
  const int64_t count = ElementCount(input);
  if (!others || *others == 0 || count % *others != 0) {
    throw BadInput("cannot reshape ", ShapeText(input), ": axis ", *open, " has no fitting extent");
  }
  shape[*open] = count / *others;
  return shape;
}

}  // namespace

void ImportReshape(NodeImport& node) {
  const bool zero_is_zero = node.attributes().Int("allowzero", 0) != 0;
  const std::vector<int64_t> wanted = node.IntsInput(1, "shape");
  const Operand input = node.Input(0);
  node.Emit(Reshape{ResolvedShape(wanted, input.type.shape, zero_is_zero)}, {input});
}

void ImportFlatten(NodeImport& node) {
  const int64_t wanted = node.attributes().Int("axis", 1);
  const Shape& shape = node.InputType(0).shape;
  const int64_t rank = node.Rank(0), axis = wanted < 0 ? wanted + rank : wanted;
  if (axis < 0 || axis > rank) throw BadInput("axis ", wanted, " of ", rank, " axes");
  const Shape rows(shape.begin(), shape.begin() + axis), columns(shape.begin() + axis, shape.end());
  node.Emit(Reshape{{ElementCount(rows), ElementCount(columns)}});
}

void ImportSqueeze(NodeImport& node) {
  const std::optional<std::vector<int64_t>> wanted = node.IntsOf("axes", 1, 13);
  const Operand input = node.Input(0);
  const Shape& shape = input.type.shape;
  std::vector<int64_t> axes;
  if (wanted) {
    axes = ResolvedAxes(*wanted, node.Rank(0));
  } else {
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (shape[axis] == 1) axes.push_back(static_cast<int64_t>(axis));
    }
  }
  Shape rest;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<int64_t>(axis))) {
      rest.push_back(shape[axis]);
    } else if (shape[axis] != 1) {
      throw BadInput("squeezes axis ", axis, " of ", ShapeText(shape));
    }
  }
  node.Emit(Reshape{rest}, {input});
}

void ImportUnsqueeze(NodeImport& node) {
  const std::optional<std::vector<int64_t>> wanted = node.IntsOf("axes", 1, 13);
  if (!wanted) throw BadInput("has no axes");
  const Operand input = node.Input(0);
  const auto rank = node.Rank(0) + static_cast<int64_t>(wanted->size());
  const std::vector<int64_t> axes = ResolvedAxes(*wanted, rank);
  if (rank > 64) throw BadInput("a tensor of ", rank, " axes");  // inserting many is quadratic
  Shape shape = input.type.shape;
  for (int64_t axis : axes) shape.insert(shape.begin() + axis, 1);
  node.Emit(Reshape{shape}, {input});
}

void ImportTranspose(NodeImport& node) {
  Transpose transpose;
  const std::optional<std::vector<int64_t>> permutation = node.attributes().Ints("perm");
  if (permutation) {
    transpose.permutation = *permutation;
  } else {
    transpose.permutation.resize(static_cast<size_t>(node.Rank(0)));
    std::iota(transpose.permutation.rbegin(), transpose.permutation.rend(), 0);
  }
  node.Emit(transpose);
}

}  // namespace fettle
