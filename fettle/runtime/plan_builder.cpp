#include "fettle/runtime/plan_builder.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <tuple>

#include "fettle/core/error.h"
#include "fettle/runtime/precision.h"

namespace fettle {
namespace {

class Builder {
 public:
  Builder(const LayerGraph& graph, const ReorderChooser& reorders, bool with_weights)
      : graph_(graph),
        reorders_(reorders),
        with_weights_(with_weights),
        home_(graph.tensors.size(), -1) {}

  Plan Build(const std::vector<LayerChoice>& choices, int threads) {
    assert(choices.size() == graph_.layers.size());
    plan_.threads = threads;
    for (size_t id = 0; id < graph_.tensors.size(); ++id) {
      const LayerTensor& tensor = graph_.tensors[id];
      if (tensor.constant)
        home_[id] = Add({tensor.name, tensor.type, Layout::kPlain, tensor.constant});
    }
    for (const TensorId id : graph_.inputs) {
      const LayerTensor& tensor = graph_.tensors[static_cast<size_t>(id)];
      home_[static_cast<size_t>(id)] = Add({tensor.name, tensor.type, Layout::kPlain, nullptr});
      plan_.inputs.push_back(home_[static_cast<size_t>(id)]);
    }
    for (size_t i = 0; i < choices.size(); ++i) AddLayer(graph_.layers[i], choices[i]);
    for (const TensorId id : graph_.outputs) {
      plan_.outputs.push_back(
          InForm(id, graph_.tensors[static_cast<size_t>(id)].type.dtype, Layout::kPlain));
    }
    return std::move(plan_);
  }

 private:
  int Add(PlanTensor tensor) {
    plan_.tensors.push_back(std::move(tensor));
    return static_cast<int>(plan_.tensors.size()) - 1;
  }

  void AddLayer(const Layer& layer, const LayerChoice& choice) {
    PlanStep step{
        layer.name, AtPrecision(layer.spec, choice.precision), choice.implementation, {}, -1, {}};
    for (size_t i = 0; i < layer.inputs.size(); ++i) {
      step.inputs.push_back(
          InForm(layer.inputs[i], step.spec.inputs[i].dtype, choice.implementation.inputs.at(i)));
    }
    for (size_t i = 0; with_weights_ && i < layer.weights.size(); ++i) {
      const DType dtype = step.spec.weights[i].dtype;
      step.weights.push_back(layer.weights[i]->dtype() == dtype
                                 ? layer.weights[i]
                                 : std::make_shared<Tensor>(ConvertTo(*layer.weights[i], dtype)));
    }
    const std::string& name = graph_.tensors[static_cast<size_t>(layer.output)].name;
    step.output = Add({name, step.spec.output, choice.implementation.output, nullptr});
    home_[static_cast<size_t>(layer.output)] = step.output;
    plan_.steps.push_back(std::move(step));
  }

  // The plan's tensor that holds a tensor of the network in this form, made by a reorder if need
  // be; always from the form in which it was computed, so that values are rounded at most once.
  int InForm(TensorId id, DType dtype, Layout layout) {
    const int home = home_[static_cast<size_t>(id)];
    assert(home >= 0);
    const PlanTensor& source = plan_.tensors[static_cast<size_t>(home)];
    if (source.type.dtype == dtype && source.layout == layout) return home;
    const auto key = std::tuple(id, dtype, layout);
    if (const auto found = reordered_.find(key); found != reordered_.end()) return found->second;

    const TensorType type{dtype, source.type.shape};
    PlanStep step;
    step.layer = Text(source.name, ":", NameOf(dtype), ",", NameOf(layout));
    step.spec = ReorderSpec(source.type, type);
    step.implementation = reorders_.Choose(step.spec, source.layout, layout);
    step.inputs = {home};
    step.output = Add({step.layer, type, layout, nullptr});
    plan_.steps.push_back(std::move(step));
    reordered_[key] = plan_.steps.back().output;
    return plan_.steps.back().output;
  }

  const LayerGraph& graph_;
  const ReorderChooser& reorders_;
  bool with_weights_;
  std::vector<int> home_;  // the plan's tensor in the form in which each tensor is computed
  std::map<std::tuple<TensorId, DType, Layout>, int> reordered_;
  Plan plan_;
};

}  // namespace

LayerSpec ReorderSpec(const TensorType& from, const TensorType& to) {
  LayerSpec spec;
  spec.op = Reorder{};
  spec.inputs = {from};
  spec.output = to;
  return spec;
}

Implementation FirstReorder::Choose(const LayerSpec& spec, Layout from, Layout to) const {
  const auto find = [&](const Primitive& primitive) -> std::optional<Implementation> {
    if (!primitive.Supports(spec, target_)) return std::nullopt;
    for (const Implementation& option : primitive.Implementations(spec, target_)) {
      if (option.inputs.at(0) == from && option.output == to) return option;
    }
    return std::nullopt;
  };
  for (const auto& primitive : primitives_.primitives()) {
    if (primitive.get() == &primitives_.reference()) continue;
    if (auto found = find(*primitive)) return *found;
  }
  if (auto found = find(primitives_.reference())) return *found;
  throw Error(ErrorKind::kInternal, Text("no primitive reorders ", KeyOf(spec).text, " from ",
                                         NameOf(from), " to ", NameOf(to)));
}

Plan BuildPlan(const LayerGraph& graph, const std::vector<LayerChoice>& choices,
               const ReorderChooser& reorders, int threads) {
  return Builder(graph, reorders, true).Build(choices, threads);
}

Plan BuildPlanWithoutWeights(const LayerGraph& graph, const std::vector<LayerChoice>& choices,
                             const ReorderChooser& reorders, int threads) {
  return Builder(graph, reorders, false).Build(choices, threads);
}

int64_t StoredWeightBytes(const LayerGraph& graph, const std::vector<LayerChoice>& choices) {
  std::vector<const Tensor*> as_they_are;
  int64_t bytes = 0;
  for (const LayerTensor& tensor : graph.tensors) {
    if (tensor.constant) as_they_are.push_back(tensor.constant.get());
  }
  for (size_t i = 0; i < choices.size(); ++i) {
    const Layer& layer = graph.layers[i];
    for (size_t w = 0; w < layer.spec.weights.size(); ++w) {
      const TensorType& type = layer.spec.weights[w];
      const DType dtype = WeightTypeAt(layer.spec, choices[i].precision, w);
      if (!layer.weights.empty() && type.dtype == dtype) {
        as_they_are.push_back(layer.weights[w].get());
      } else {
        bytes += ElementCount(type) * static_cast<int64_t>(SizeOf(dtype));
      }
    }
  }
  std::ranges::sort(as_they_are);
  as_they_are.erase(std::unique(as_they_are.begin(), as_they_are.end()), as_they_are.end());
  for (const Tensor* tensor : as_they_are) bytes += static_cast<int64_t>(tensor->num_bytes());
  return bytes;
}

}  // namespace fettle
