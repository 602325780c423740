#include "fettle/network/variants/channel_removal.h"

#include <algorithm>
#include <cassert>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/network/variants/tensor_part.h"

namespace fettle {
namespace {

// The units of the group that are not kept, ascending.
std::vector<int64_t> RemovedUnits(const ChannelGroup& group, const std::vector<int64_t>& units) {
  if (units.empty()) throw BadInput("channel group '", group.name, "': no unit is kept");
  std::vector<bool> is_kept(static_cast<size_t>(group.num_units), false);
  for (int64_t unit : units) {
    if (unit < 0 || unit >= group.num_units) {
      throw BadInput("channel group '", group.name, "' has no unit ", unit, ", only 0 to ",
                     group.num_units - 1);
    }
    if (is_kept[unit]) throw BadInput("channel group '", group.name, "': unit ", unit, " twice");
    is_kept[unit] = true;
  }
  std::vector<int64_t> removed;
  for (int64_t unit = 0; unit < group.num_units; ++unit) {
    if (!is_kept[unit]) removed.push_back(unit);
  }
  return removed;
}

// Rebuilds a graph node by node.
class Removal {
 public:
  Removal(const Graph& graph, const KeptIndices& kept, const BiasCorrections& corrections,
          bool shapes_only)
      : graph_(graph),
        kept_(kept),
        corrections_(corrections),
        shapes_only_(shapes_only),
        ids_(graph.num_values(), -1) {}

  Graph Run() {
    result_.metadata = graph_.metadata;
    for (ValueId id : graph_.inputs()) {
      ids_[id] = result_.AddInput(graph_.value(id).name, graph_.value(id).type);
    }
    for (size_t i = 0; i < graph_.num_values(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (graph_.IsConstant(id)) ids_[id] = result_.AddConstant(graph_.value(id).name, Sliced(id));
    }
    for (size_t n = 0; n < graph_.nodes().size(); ++n) AddNode(static_cast<int>(n));
    for (ValueId id : graph_.outputs()) result_.AddOutput(ids_[id]);
    if (!corrections_.empty()) result_.RemoveUnused();  // the old biases
    return std::move(result_);
  }

 private:
  std::shared_ptr<const Tensor> Sliced(ValueId id) const {
    std::shared_ptr<const Tensor> tensor = graph_.value(id).constant;
    if (shapes_only_) {
      const TensorType type{tensor->dtype(), kept_.ShapeOf(id)};
      return type == tensor->type() ? tensor : std::make_shared<const Tensor>(type);
    }
    for (int axis = 0; axis < static_cast<int>(tensor->shape().size()); ++axis) {
      const std::vector<int64_t>* indices = kept_.Of({id, axis});
      if (indices == nullptr) continue;
      tensor = std::make_shared<const Tensor>(TakeIndices(*tensor, axis, *indices));
    }
    return tensor;
  }

  void AddNode(int n) {
    const Node& node = graph_.nodes()[n];
    Op op = std::visit([&](const auto& old) { return Op(Adapt(node, old)); }, node.op);
    std::vector<ValueId> inputs;
    inputs.reserve(node.inputs.size());
    for (ValueId id : node.inputs) inputs.push_back(ids_[id]);
    const auto correction = corrections_.find(n);
    if (correction != corrections_.end()) Correct(node, correction->second, &op, &inputs);
    const std::vector<ValueId> outputs = result_.AddNode(node.name, std::move(op), inputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const ValueId id = node.outputs[i];
      assert(result_.value(outputs[i]).type.shape == kept_.ShapeOf(id));
      result_.Rename(outputs[i], graph_.value(id).name);
      ids_[id] = outputs[i];
    }
  }

  // --- The attributes that speak of extents ---

  template <typename T>
  T Adapt(const Node&, const T& op) const {
    return op;
  }

  Conv Adapt(const Node& node, Conv op) const {
    op.groups = kept_.ShapeOf(node.inputs[0])[1] / kept_.ShapeOf(node.inputs[1])[1];
    return op;
  }

  Split Adapt(const Node& node, Split op) const {
    for (size_t i = 0; i < op.sizes.size(); ++i) {
      op.sizes[i] = kept_.ShapeOf(node.outputs[i])[op.axis];
    }
    return op;
  }

  Slice Adapt(const Node& node, Slice op) const {
    for (int axis = 0; axis < static_cast<int>(op.starts.size()); ++axis) {
      const TensorAxis place = {node.inputs[0], axis};
      if (kept_.Of(place) == nullptr) continue;  // also all axes with steps other than 1
      op.starts[axis] = kept_.CountBelow(place, op.starts[axis]);
      op.ends[axis] = kept_.CountBelow(place, op.ends[axis]);
    }
    return op;
  }

  Reshape Adapt(const Node& node, Reshape op) const {
    op.shape = kept_.ShapeOf(node.outputs[0]);
    return op;
  }

  Pad Adapt(const Node& node, Pad op) const {
    const Shape old = graph_.value(node.outputs[0]).type.shape;
    for (int axis = 0; axis < static_cast<int>(old.size()); ++axis) {
      const TensorAxis place = {node.outputs[0], axis};
      if (kept_.Of(place) == nullptr) continue;  // also all axes that are not padded by a constant
      const int64_t first_of_end = old[axis] - op.end[axis];
      op.begin[axis] = kept_.CountBelow(place, op.begin[axis]);
      op.end[axis] = kept_.CountBelow(place, old[axis]) - kept_.CountBelow(place, first_of_end);
    }
    return op;
  }

  Resize Adapt(const Node& node, Resize op) const {
    op.sizes = kept_.ShapeOf(node.outputs[0]);
    return op;
  }

  // --- Biases ---

  void Correct(const Node& node, const std::vector<double>& correction, Op* op,
               std::vector<ValueId>* inputs) {
    if (std::holds_alternative<MatMul>(*op)) *op = Gemm{};
    double scale = 1;
    if (auto* gemm = std::get_if<Gemm>(op)) {
      if (inputs->size() < 3) gemm->beta = 1;
      scale = gemm->beta;
    }
    const ValueId output = node.outputs[0];
    const auto channels = static_cast<int64_t>(correction.size());
    Tensor bias({graph_.value(output).type.dtype, {kept_.ShapeOf(output)[1]}});
    for (int64_t c = 0, to = 0; c < channels; ++c) {
      if (kept_.Has({output, 1}, c)) bias.values<float>()[to++] = correction[c] / scale;
    }
    if (inputs->size() == 3) {
      const Tensor& old = *result_.value(inputs->back()).constant;
      for (size_t i = 0; i < bias.values<float>().size(); ++i) {
        bias.values<float>()[i] += old.values<float>()[i];
      }
      inputs->pop_back();
    }
    inputs->push_back(result_.AddConstant(Text(node.name, ".bias"), std::move(bias)));
  }

  const Graph& graph_;
  const KeptIndices& kept_;
  const BiasCorrections& corrections_;
  bool shapes_only_ = false;
  std::vector<ValueId> ids_;  // old to new
  Graph result_;
};

}  // namespace

KeptIndices::KeptIndices(const Graph& graph, std::span<const ChannelGroup> groups,
                         std::span<const KeptUnits> kept)
    : graph_(graph), kept_(graph.num_values()) {
  std::set<size_t> named;
  std::map<TensorAxis, std::vector<bool>> removed;
  for (const KeptUnits& choice : kept) {
    if (choice.group >= groups.size()) {
      throw BadInput("there is no channel group ", choice.group, ", only ", groups.size());
    }
    const ChannelGroup& group = groups[choice.group];
    if (!named.insert(choice.group).second) {
      throw BadInput("channel group '", group.name, "' is pruned twice");
    }
    const std::vector<int64_t> units = RemovedUnits(group, choice.units);
    if (units.empty()) continue;
    for (const ChannelSlice& slice : group.slices) {
      std::vector<bool>& is_removed = removed[slice.place];
      is_removed.resize(graph.value(slice.place.value).type.shape[slice.place.axis]);
      for (int64_t unit : units) {
        for (int64_t index : slice.Of(unit)) is_removed[index] = true;
      }
    }
  }
  for (const auto& [place, is_removed] : removed) {
    std::vector<int64_t>& indices =
        kept_[static_cast<size_t>(place.value)].emplace_back(OnAxis{place.axis, {}}).indices;
    for (size_t i = 0; i < is_removed.size(); ++i) {
      if (!is_removed[i]) indices.push_back(static_cast<int64_t>(i));
    }
  }
}

const std::vector<int64_t>* KeptIndices::Of(TensorAxis place) const {
  for (const OnAxis& kept : kept_[static_cast<size_t>(place.value)]) {
    if (kept.axis == place.axis) return &kept.indices;
  }
  return nullptr;
}

bool KeptIndices::Has(TensorAxis place, int64_t index) const {
  const std::vector<int64_t>* indices = Of(place);
  return indices == nullptr || std::binary_search(indices->begin(), indices->end(), index);
}

Shape KeptIndices::ShapeOf(ValueId value) const {
  Shape shape = graph_.value(value).type.shape;
  for (const OnAxis& kept : kept_[static_cast<size_t>(value)]) {
    shape[kept.axis] = static_cast<int64_t>(kept.indices.size());
  }
  return shape;
}

int64_t KeptIndices::CountBelow(TensorAxis place, int64_t index) const {
  const std::vector<int64_t>* indices = Of(place);
  if (indices == nullptr) return index;
  return std::lower_bound(indices->begin(), indices->end(), index) - indices->begin();
}

Graph RemoveIndices(const Graph& graph, const KeptIndices& kept, const BiasCorrections& corrections,
                    bool shapes_only) {
  return Removal(graph, kept, corrections, shapes_only).Run();
}

}  // namespace fettle
