#include "fettle/network/channel_coupling.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <variant>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// What one node demands.
class NodeCoupling {
 public:
  NodeCoupling(const Graph& graph, const Node& node, ChannelAtoms* atoms)
      : graph_(graph), node_(node), atoms_(atoms) {}

  void Of(const Conv& op) {
    TieAxes(X(0), Y(0), 0);
    FreezeFrom(2, X(0), Y(0), "a window slides over them");
    FreezeFrom(2, X(1), X(1), "a window slides over them");
    TieAxes(Y(0), X(1), 1, 0);
    if (node_.inputs.size() == 3) TieAxes(Y(0), X(2), 1, 0);
    const int64_t inputs = ShapeOf(X(1))[1];               // of a group
    const int64_t outputs = ShapeOf(Y(0))[1] / op.groups;  // of a group
    if (op.groups == 1) {
      TieAxes(X(0), X(1), 1);
    } else if (op.groups >= inputs) {
      // Whole groups: depthwise convolutions, and those with many small groups.
      Freeze(X(1), 1, "are all read by each filter of a group");
      for (int64_t group = 0; group < op.groups; ++group) {
        for (int64_t i = 0; i < inputs; ++i) Tie(X(0), group * inputs + i, X(0), group * inputs);
        for (int64_t i = 0; i < outputs; ++i) Tie(Y(0), group * outputs + i, X(0), group * inputs);
      }
    } else {
      // The same places in each of a few large groups.
      for (int64_t group = 0; group < op.groups; ++group) {
        for (int64_t i = 0; i < inputs; ++i) Tie(X(0), group * inputs + i, X(1), i);
        for (int64_t i = 0; i < outputs; ++i) Tie(Y(0), group * outputs + i, Y(0), i);
      }
    }
  }

  void Of(const BatchNorm&) {
    TieAll(X(0), Y(0));
    for (size_t i = 1; i < node_.inputs.size(); ++i) TieAxes(X(0), X(i), 1, 0);
  }

  void Of(const ChannelAffine&) { Of(BatchNorm{}); }

  void Of(const Gemm& op) {
    const int row = op.transpose_a ? 1 : 0, column = op.transpose_b ? 0 : 1;
    TieAxes(X(0), Y(0), row, 0);
    TieAxes(X(0), X(1), 1 - row, 1 - column);
    TieAxes(X(1), Y(0), column, 1);
    if (node_.inputs.size() == 3) TieBroadcast(X(2), Y(0));
  }

  void Of(const InnerProduct&) { Of(Gemm{.transpose_b = true}); }

  void Of(const MatMul&) {
    const int a = Rank(X(0)), b = Rank(X(1));
    int y = Rank(Y(0));
    TieAxes(X(0), X(1), a - 1, std::max(b - 2, 0));
    if (b > 1) TieAxes(X(1), Y(0), b - 1, --y);
    if (a > 1) TieAxes(X(0), Y(0), a - 2, --y);
    TieLeading(X(0), Y(0), a - 2, y);
    TieLeading(X(1), Y(0), b - 2, y);
  }

  void Of(const Softmax& op) { FreezeOne(op.axis, "the softmax is taken over them"); }
  void Of(const Lrn&) { FreezeOne(1, "each is divided by the norm of its neighbours"); }

  void Of(const Activation&) { TieAll(X(0), Y(0)); }
  void Of(const Cast&) { TieAll(X(0), Y(0)); }
  void Of(const Identity&) { TieAll(X(0), Y(0)); }
  void Of(const Reorder&) { TieAll(X(0), Y(0)); }
  void Of(const InvertedResidual&) { assert(false && "AddNode refuses it"); }

  void Of(const Pool&) {
    TieAxes(X(0), Y(0), 0);
    TieAxes(X(0), Y(0), 1);
    FreezeFrom(2, X(0), Y(0), "a window slides over them");
  }

  void Of(const GlobalAveragePool&) {
    TieAxes(X(0), Y(0), 0);
    TieAxes(X(0), Y(0), 1);
    FreezeFrom(2, X(0), Y(0), "the mean is taken over them");
  }

  void Of(const ReduceMean& op) {
    int y = 0;
    for (int axis = 0; axis < Rank(X(0)); ++axis) {
      if (std::binary_search(op.axes.begin(), op.axes.end(), axis)) {
        Freeze(X(0), axis, "the mean is taken over them");
        y += op.keep_dims ? 1 : 0;
      } else {
        TieAxes(X(0), Y(0), axis, y++);
      }
    }
  }

  void Of(const Binary&) { TieOperands(); }
  void Of(const Sum&) { TieOperands(); }

  void Of(const Concat& op) {
    int64_t first = 0;
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      first += TiePart(Y(0), X(i), static_cast<int>(op.axis), first);
    }
  }

  void Of(const Split& op) {
    int64_t first = 0;
    for (size_t i = 0; i < node_.outputs.size(); ++i) {
      first += TiePart(X(0), Y(i), static_cast<int>(op.axis), first);
    }
  }

  void Of(const Slice& op) {
    for (int axis = 0; axis < Rank(X(0)); ++axis) {
      if (op.steps[axis] == 1) {
        Tie(X(0), axis, op.starts[axis], Y(0), axis, 0, ShapeOf(Y(0))[axis]);
      } else {
        // What is left of every second one is no longer every second one.
        Freeze(X(0), axis, "they are sliced with a step");
        Freeze(Y(0), axis, "they are sliced with a step");
      }
    }
  }

  void Of(const Transpose& op) {
    for (int axis = 0; axis < Rank(Y(0)); ++axis) {
      TieAxes(X(0), Y(0), static_cast<int>(op.permutation[axis]), axis);
    }
  }

  void Of(const Pad& op) {
    for (int axis = 0; axis < Rank(X(0)); ++axis) {
      const int64_t begin = op.begin[axis], end = op.end[axis];
      const bool adds_constants = op.mode == PadMode::kConstant && begin >= 0 && end >= 0;
      if (adds_constants || (begin == 0 && end == 0)) {
        Tie(X(0), axis, 0, Y(0), axis, begin, ShapeOf(X(0))[axis]);
      } else {
        Freeze(X(0), axis, "they are padded from each other, or cropped");
        Freeze(Y(0), axis, "they are padded from each other, or cropped");
      }
    }
  }

  void Of(const Resize& op) {
    for (int axis = 0; axis < Rank(X(0)); ++axis) {
      if (op.sizes[axis] == ShapeOf(X(0))[axis] && op.scales[axis] == 1) {
        TieAxes(X(0), Y(0), axis);
      } else {
        Freeze(X(0), axis, "they are interpolated");
        Freeze(Y(0), axis, "they are interpolated");
      }
    }
  }

  // Both shapes are cut into the shortest runs of axes with equal products: each is kept, split,
  // merged, or (where neither side has a single axis) cannot be followed.
  void Of(const Reshape&) {
    const Shape& x = ShapeOf(X(0));
    const Shape& y = ShapeOf(Y(0));
    if (ElementCount(x) == 0) return FreezeAll("of an empty tensor");
    int i = 0, j = 0;
    const auto skip_ones = [&] {
      while (i < Rank(X(0)) && x[i] == 1) ++i;
      while (j < Rank(Y(0)) && y[j] == 1) ++j;
    };
    for (skip_ones(); i < Rank(X(0)) && j < Rank(Y(0)); skip_ones()) {
      std::vector<TensorAxis> from = {{X(0), i}}, to = {{Y(0), j}};
      int64_t p = x[i++], q = y[j++];
      while (p != q) {
        skip_ones();
        if (p < q) {
          from.push_back({X(0), i});
          p *= x[i++];
        } else {
          to.push_back({Y(0), j});
          q *= y[j++];
        }
      }
      TieRun(from, to);
    }
  }

 private:
  ValueId X(size_t i) const { return node_.inputs[i]; }
  ValueId Y(size_t i) const { return node_.outputs[i]; }
  const Shape& ShapeOf(ValueId id) const { return graph_.value(id).type.shape; }
  int Rank(ValueId id) const { return static_cast<int>(ShapeOf(id).size()); }

  // --- Ties ---

  void Tie(ValueId a, int64_t i, ValueId b, int64_t j) { atoms_->Tie({a, 1}, i, {b, 1}, j); }
  void Tie(ValueId a, int axis_a, int64_t i, ValueId b, int axis_b, int64_t j, int64_t count) {
    atoms_->Tie({a, axis_a}, i, {b, axis_b}, j, count);
  }
  void TieAxes(ValueId a, ValueId b, int axis) { atoms_->TieAxes({a, axis}, {b, axis}); }
  void TieAxes(ValueId a, ValueId b, int axis_a, int axis_b) {
    atoms_->TieAxes({a, axis_a}, {b, axis_b});
  }
  void TieAll(ValueId a, ValueId b) {
    for (int axis = 0; axis < Rank(a); ++axis) TieAxes(a, b, axis);
  }

  // The first `count_a` axes of an operand with the first `count_y` of the result, the last with
  // the last; an extent of 1 is broadcast and stays.
  void TieLeading(ValueId a, ValueId y, int count_a, int count_y) {
    for (int i = 0; i < count_a; ++i) {
      const int axis = count_y - count_a + i;
      if (ShapeOf(a)[i] == ShapeOf(y)[axis]) TieAxes(a, y, i, axis);
    }
  }
  void TieBroadcast(ValueId a, ValueId y) { TieLeading(a, y, Rank(a), Rank(y)); }
  void TieOperands() {
    for (ValueId operand : node_.inputs) TieBroadcast(operand, Y(0));
  }

  // `part` is indices first, first + 1, ... of `whole` on `axis`, and all of it on the others.
  // Answers how many.
  int64_t TiePart(ValueId whole, ValueId part, int axis, int64_t first) {
    for (int i = 0; i < Rank(whole); ++i) {
      if (i != axis) TieAxes(whole, part, i);
    }
    const int64_t count = ShapeOf(part)[axis];
    Tie(whole, axis, first, part, axis, 0, count);
    return count;
  }

  void TieRun(const std::vector<TensorAxis>& from, const std::vector<TensorAxis>& to) {
    if (from.size() == 1 && to.size() == 1) {
      atoms_->TieAxes(from[0], to[0]);
    } else if (from.size() == 1) {
      TieParts(from[0], to);
    } else if (to.size() == 1) {
      TieParts(to[0], from);
    } else {
      for (TensorAxis axis : from) Freeze(axis.value, axis.axis, "they are reshaped unevenly");
      for (TensorAxis axis : to) Freeze(axis.value, axis.axis, "they are reshaped unevenly");
    }
  }

  // `whole` is the row-major product of `parts`. Only one part can lose an index and leave a
  // product: the longest that can lose any; the others stay.
  void TieParts(TensorAxis whole, const std::vector<TensorAxis>& parts) {
    if (atoms_->Extent(whole) > ChannelAtoms::kLongestAxis) {
      for (TensorAxis part : parts) Freeze(part.value, part.axis, "they are part of a long axis");
      return;
    }
    size_t chosen = 0;
    const auto length = [&](size_t i) {
      return atoms_->IsFrozen(parts[i]) ? 0 : atoms_->Extent(parts[i]);
    };
    for (size_t i = 1; i < parts.size(); ++i) {
      if (length(i) > length(chosen)) chosen = i;
    }
    int64_t inner = 1;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i > chosen) inner *= atoms_->Extent(parts[i]);
      if (i != chosen) Freeze(parts[i].value, parts[i].axis, "another axis is pruned with them");
    }
    const int64_t extent = atoms_->Extent(parts[chosen]);
    for (int64_t i = 0; i < atoms_->Extent(whole); ++i) {
      atoms_->Tie(whole, i, parts[chosen], i / inner % extent);
    }
  }

  // --- Freezing ---

  void Freeze(ValueId id, int axis, const char* why) {
    atoms_->Freeze({id, axis}, Text("'", node_.name, "' (", NameOf(node_.op), "): ", why));
  }
  void FreezeFrom(int first, ValueId a, ValueId b, const char* why) {
    for (int axis = first; axis < Rank(a); ++axis) Freeze(a, axis, why);
    for (int axis = first; axis < Rank(b); ++axis) Freeze(b, axis, why);
  }
  void FreezeAll(const char* why) { FreezeFrom(0, X(0), Y(0), why); }
  void FreezeOne(int64_t axis, const char* why) {
    TieAll(X(0), Y(0));
    Freeze(X(0), static_cast<int>(axis), why);
  }

  const Graph& graph_;
  const Node& node_;
  ChannelAtoms* atoms_;
};

void FreezeValue(const Graph& graph, ValueId id, const std::string& why, ChannelAtoms* atoms) {
  const int rank = static_cast<int>(graph.value(id).type.shape.size());
  for (int axis = 0; axis < rank; ++axis) atoms->Freeze({id, axis}, why);
}

}  // namespace

void CoupleChannels(const Graph& graph, ChannelAtoms* atoms) {
  for (ValueId id : graph.inputs()) {
    FreezeValue(graph, id, Text("they are the input '", graph.value(id).name, "'"), atoms);
  }
  for (const Node& node : graph.nodes()) {
    NodeCoupling coupling(graph, node, atoms);
    std::visit([&](const auto& op) { coupling.Of(op); }, node.op);
  }
  for (ValueId id : graph.outputs()) {
    FreezeValue(graph, id, Text("they are the output '", graph.value(id).name, "'"), atoms);
  }
}

}  // namespace fettle
