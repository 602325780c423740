// The output is walked through as it lies in memory. For each of its physical axes an operand has
// a stride, 0 where it is broadcast; neighbouring axes that are one to all operands are merged, and
// the innermost two are worked on as blocks of rows.
#include "fettle/primitives/own_broadcast.h"

#include <algorithm>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"

namespace fettle {
namespace {

// The shape under as many axes as the output, those missing in front being 1.
Shape Extended(const Shape& shape, size_t rank) {
  Shape extended(rank - shape.size(), 1);
  extended.insert(extended.end(), shape.begin(), shape.end());
  return extended;
}

// In elements, for each physical axis of `output` in `layout`.
std::vector<int64_t> StridesIn(const Shape& output, Layout layout, const Shape& operand,
                               Layout operand_layout) {
  const Shape extended = Extended(operand, output.size());
  const Shape own = PhysicalShape(extended, operand_layout);
  const std::vector<int64_t> dense = RowMajorStrides(own);
  const bool is_blocked = BlockOf(layout) > 1;
  std::vector<int64_t> strides(PhysicalShape(output, layout).size(), 0);
  for (size_t axis = 0; axis < output.size(); ++axis) {
    if (extended[axis] == 1) continue;
    strides[PhysicalAxis(output, layout, axis)] =
        dense[PhysicalAxis(extended, operand_layout, axis)];
  }
  if (!is_blocked || extended[1] == 1) return strides;
  // The channels are two axes of the output: blocks and lanes.
  const int64_t lane = operand_layout == layout ? 1 : strides[1];
  strides.back() = lane;
  if (operand_layout != layout) strides[1] = lane * BlockOf(layout);
  return strides;
}

struct Operand {
  std::vector<int64_t> strides;  // one for each axis of the walk
  std::vector<float> constant;   // of a weight; else empty
};

struct Walk {
  Shape extents;
  std::vector<Operand> operands;
};

// Axis `axis` and the one behind it, where they are one to every operand.
bool CanMerge(const Walk& walk, size_t axis) {
  return std::all_of(walk.operands.begin(), walk.operands.end(), [&](const Operand& operand) {
    return operand.strides[axis] == operand.strides[axis + 1] * walk.extents[axis + 1];
  });
}

void RemoveAxis(size_t axis, Walk* walk) {
  const auto at = static_cast<ptrdiff_t>(axis);
  walk->extents.erase(walk->extents.begin() + at);
  for (Operand& operand : walk->operands) operand.strides.erase(operand.strides.begin() + at);
}

void Simplify(Walk* walk) {
  for (size_t axis = walk->extents.size(); axis-- > 0;) {
    if (walk->extents[axis] == 1) RemoveAxis(axis, walk);
  }
  for (size_t axis = walk->extents.size(); axis-- > 1;) {
    if (!CanMerge(*walk, axis - 1)) continue;
    walk->extents[axis] *= walk->extents[axis - 1];
    RemoveAxis(axis - 1, walk);
  }
  while (walk->extents.size() < 2) {
    walk->extents.insert(walk->extents.begin(), 1);
    for (Operand& operand : walk->operands) operand.strides.insert(operand.strides.begin(), 0);
  }
}

// Widens a block of `rows` x `columns` elements with these strides.
template <typename T>
inline void LoadBlock(const T* from, int64_t row_stride, int64_t column_stride, int64_t rows,
                      int64_t columns, float* to) {
  if (column_stride == 1 && (row_stride == columns || rows == 1)) {
    WidenRow(from, rows * columns, to);
    return;
  }
  for (int64_t row = 0; row < rows; ++row, from += row_stride, to += columns) {
    if (column_stride == 1) {
      WidenRow(from, columns, to);
    } else {
      for (int64_t i = 0; i < columns; ++i) to[i] = Widen(from[i * column_stride]);
    }
  }
}

inline void Combine(BinaryKind kind, int64_t count, const float* b, float* a) {
  switch (kind) {
    case BinaryKind::kAdd:
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) a[i] += b[i];
      return;
    case BinaryKind::kSub:
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) a[i] -= b[i];
      return;
    case BinaryKind::kMul:
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) a[i] *= b[i];
      return;
    case BinaryKind::kDiv:
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) a[i] /= b[i];
      return;
  }
}

template <typename T>
class BroadcastKernel : public Kernel {
 public:
  BroadcastKernel(const LayerSpec& spec, Layout layout, const Target& target,
                  std::vector<BinaryKind> kinds, Walk walk)
      : spec_(spec),
        layout_(layout),
        target_(target),
        kinds_(std::move(kinds)),
        walk_(std::move(walk)) {
    const size_t axes = walk_.extents.size();
    columns_ = walk_.extents[axes - 1];
    rows_ = walk_.extents[axes - 2];
    outer_ = Volume(walk_.extents, 0, axes - 2);
    rows_a_piece_ = std::max<int64_t>(kPiece / std::max<int64_t>(columns_, 1), 1);
    pieces_ = (rows_ + rows_a_piece_ - 1) / rows_a_piece_;
  }

  size_t WeightBytes() const override {
    size_t bytes = 0;
    for (const Operand& operand : walk_.operands) bytes += operand.constant.size() * sizeof(float);
    return bytes;
  }

  void Run(KernelInputs inputs, std::byte* output, std::byte*) const override {
    const Epilogue<T> epilogue = EpilogueOf<T>(spec_, inputs, output);
    const int64_t work = rows_a_piece_ * columns_ * static_cast<int64_t>(walk_.operands.size());
    ParallelFor(target_, outer_ * pieces_, work, [&](int64_t begin, int64_t end, int64_t) {
      WithIsa(target_, [&] {
        for (int64_t piece = begin; piece < end; ++piece) RunPiece(piece, inputs, epilogue);
      });
    });
    if (BlockOf(layout_) > 1) ZeroPadding(ViewOf(spec_.output.shape, layout_), sizeof(T), output);
  }

 private:
  // Some rows at one place of the outer axes; a row longer than a piece is cut.
  void RunPiece(int64_t piece, KernelInputs inputs, const Epilogue<T>& epilogue) const {
    const int64_t outer = piece / pieces_, row = piece % pieces_ * rows_a_piece_;
    const int64_t rows = std::min(rows_a_piece_, rows_ - row);
    for (int64_t column = 0; column < columns_; column += kPiece) {
      const int64_t columns = std::min(kPiece, columns_ - column);
      alignas(64) float result[kPiece], other[kPiece];
      Load(0, outer, row, column, rows, columns, inputs, result);
      for (size_t i = 1; i < walk_.operands.size(); ++i) {
        Load(i, outer, row, column, rows, columns, inputs, other);
        Combine(kinds_[i - 1], rows * columns, other, result);
      }
      epilogue.Store(result, rows * columns, (outer * rows_ + row) * columns_ + column);
    }
  }

  void Load(size_t index, int64_t outer, int64_t row, int64_t column, int64_t rows, int64_t columns,
            KernelInputs inputs, float* to) const {
    const Operand& operand = walk_.operands[index];
    const size_t axes = walk_.extents.size();
    const int64_t row_stride = operand.strides[axes - 2], column_stride = operand.strides[axes - 1];
    int64_t offset = row * row_stride + column * column_stride;
    for (size_t axis = axes - 2; axis-- > 0; outer /= walk_.extents[axis]) {
      offset += outer % walk_.extents[axis] * operand.strides[axis];
    }
    if (operand.constant.empty()) {
      LoadBlock(As<T>(inputs[index]) + offset, row_stride, column_stride, rows, columns, to);
    } else {
      LoadBlock(operand.constant.data() + offset, row_stride, column_stride, rows, columns, to);
    }
  }

  LayerSpec spec_;
  Layout layout_;
  Target target_;
  std::vector<BinaryKind> kinds_;
  Walk walk_;
  int64_t columns_, rows_, outer_;
  int64_t rows_a_piece_, pieces_;
};

// A weight in the output's layout, so that it reads like an input of the output's rank.
std::vector<float> Arranged(const Tensor& weight, const Shape& extended, Layout layout) {
  const std::vector<float> plain = WidenedValues(weight);
  std::vector<float> values(
      static_cast<size_t>(PhysicalBytes({DType::kF32, extended}, layout)) / sizeof(float), 0);
  Shape indices(extended.size());
  for (size_t i = 0; i < plain.size(); ++i) {
    auto rest = static_cast<int64_t>(i);
    for (size_t axis = extended.size(); axis-- > 0; rest /= extended[axis]) {
      indices[axis] = rest % extended[axis];
    }
    values[static_cast<size_t>(PhysicalOffset(extended, layout, indices))] = plain[i];
  }
  return values;
}

bool IsPerChannel(const Shape& extended) {
  for (size_t axis = 0; axis < extended.size(); ++axis) {
    if (axis != 1 && extended[axis] != 1) return false;
  }
  return true;
}

// The layout in which an input must come where the output has `layout`; none where it cannot.
std::optional<Layout> InputLayout(const Shape& input, const Shape& output, Layout layout) {
  if (layout == Layout::kPlain) return Layout::kPlain;
  if (input.size() == output.size()) return layout;
  const Shape extended = Extended(input, output.size());
  // Whole blocks are read, which a plain tensor has only where no channel is missing from the last.
  const bool has_whole_blocks = extended[1] == 1 || extended[1] % BlockOf(layout) == 0;
  if (!IsPerChannel(extended) || !has_whole_blocks) return std::nullopt;
  return Layout::kPlain;
}

}  // namespace

std::vector<Implementation> BroadcastImplementations(std::string_view name, const LayerSpec& spec) {
  std::vector<Implementation> all;
  const Shape& output = spec.output.shape;
  for (Layout layout : kAllLayouts) {
    if (!CanHave(output, layout)) continue;
    Implementation implementation{std::string(name), 1, {}, layout, std::nullopt};
    for (size_t i = 0; i < spec.inputs.size(); ++i) {
      const std::optional<Layout> taken = InputLayout(spec.inputs[i].shape, output, layout);
      if (!taken) break;
      implementation.inputs.push_back(*taken);
      const bool has_all = i < NumOperatorInputs(spec) && spec.inputs[i].shape == output;
      if (has_all && !implementation.in_place_input) implementation.in_place_input = i;
    }
    if (implementation.inputs.size() == spec.inputs.size()) all.push_back(implementation);
  }
  return all;
}

std::unique_ptr<Kernel> PrepareBroadcast(const LayerSpec& spec,
                                         const Implementation& implementation, const Target& target,
                                         const BroadcastExpression& expression,
                                         std::span<const Tensor* const> weights) {
  const Shape& output = spec.output.shape;
  const Layout layout = implementation.output;
  const size_t inputs = NumOperatorInputs(spec);
  Walk walk{PhysicalShape(output, layout), {}};
  for (size_t i = 0; i < expression.operands.size(); ++i) {
    Operand operand;
    if (i < inputs) {
      operand.strides = StridesIn(output, layout, expression.operands[i], implementation.inputs[i]);
    } else {
      const Shape extended = Extended(expression.operands[i], output.size());
      operand.strides = StridesIn(output, layout, extended, layout);
      operand.constant = Arranged(*weights[i - inputs], extended, layout);
    }
    walk.operands.push_back(std::move(operand));
  }
  Simplify(&walk);
  return VisitFloat(spec.output.dtype, [&](auto type) -> std::unique_ptr<Kernel> {
    return std::make_unique<BroadcastKernel<decltype(type)>>(spec, layout, target, expression.kinds,
                                                             std::move(walk));
  });
}

}  // namespace fettle
