#include "fettle/cost_models/primitive_selection.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "fettle/core/error.h"
#include "fettle/runtime/precision.h"
#include "fettle/search/pbqp_solver.h"

namespace fettle {
namespace {

constexpr TensorForm kOutside{DType::kF32, Layout::kPlain};  // how inputs and outputs are given

struct Option {
  LayerChoice choice;
  Estimate estimate;
  std::vector<TensorForm> inputs;
  TensorForm output;
};

// The form in which a tensor is computed, and possibly a second one.
struct TensorOption {
  TensorForm home;
  TensorForm also;  // the same as home for none

  bool Has(const TensorForm& form) const { return form == home || form == also; }
};

class ProblemBuilder {
 public:
  ProblemBuilder(const LayerGraph& graph, const std::vector<std::vector<DType>>& precisions,
                 ImplementationCatalog* catalog, const LayerCosts& costs,
                 const ReorderCosts& reorders)
      : graph_(graph), reorders_(reorders), producers_(graph.Producers()) {
    for (size_t i = 0; i < graph.layers.size(); ++i) {
      options_.push_back(OptionsOf(graph.layers[i], precisions[i], catalog, costs));
    }
  }

  PbqpProblem Build() {
    AddLayerNodes();
    CollectReads();
    for (size_t id = 0; id < graph_.tensors.size(); ++id) {
      if (graph_.tensors[id].constant || reads_[id].empty()) continue;
      if (reads_[id].size() == 1) {
        ConnectDirectly(id, reads_[id].front());
      } else {
        ConnectThroughTensorNode(id);
      }
    }
    for (size_t i = 0; i < options_.size(); ++i) {
      problem_.SetNodeCosts(static_cast<int>(i), node_costs_[i]);
    }
    return std::move(problem_);
  }

  Selection Read(const PbqpSolution& solution) const {
    if (!solution.feasible) {
      throw Error(ErrorKind::kDevice, "no working choice of primitives for this network");
    }
    Selection selection;
    selection.predicted_ms = solution.cost;
    selection.exact = solution.exact;
    double measured = 0;
    for (size_t i = 0; i < options_.size(); ++i) {
      const Option& option = options_[i][static_cast<size_t>(solution.choice[i])];
      selection.choices.push_back(option.choice);
      if (option.estimate.origin == EstimateOrigin::kMeasured) measured += option.estimate.ms;
    }
    selection.measured_share = solution.cost > 0 ? std::min(1.0, measured / solution.cost) : 0;
    return selection;
  }

 private:
  // A layer's input, or (layer -1) one of the network's outputs.
  struct TensorRead {
    int layer;
    size_t input;
  };

  static std::vector<Option> OptionsOf(const Layer& layer, const std::vector<DType>& precisions,
                                       ImplementationCatalog* catalog, const LayerCosts& costs) {
    std::vector<Option> options;
    for (const DType precision : precisions) {
      const LayerSpec spec = AtPrecision(layer.spec, precision);
      for (const Implementation& implementation : catalog->Of(spec)) {
        const std::optional<Estimate> estimate = costs.Cost(spec, implementation);
        if (!estimate) continue;
        Option option{{precision, implementation}, *estimate, {}, {}};
        for (size_t i = 0; i < spec.inputs.size(); ++i) {
          option.inputs.push_back({spec.inputs[i].dtype, implementation.inputs[i]});
        }
        option.output = {spec.output.dtype, implementation.output};
        options.push_back(std::move(option));
      }
    }
    if (options.empty()) {
      throw Error(ErrorKind::kDevice, Text("layer '", layer.name, "': no primitive that works for ",
                                           KeyOf(layer.spec).text));
    }
    return options;
  }

  void AddLayerNodes() {
    for (const std::vector<Option>& options : options_) {
      std::vector<double> costs;
      for (const Option& option : options) costs.push_back(option.estimate.ms);
      problem_.AddNode(costs);
      node_costs_.push_back(std::move(costs));
    }
  }

  void CollectReads() {
    reads_.resize(graph_.tensors.size());
    for (size_t i = 0; i < graph_.layers.size(); ++i) {
      const Layer& layer = graph_.layers[i];
      for (size_t k = 0; k < layer.inputs.size(); ++k) {
        reads_[static_cast<size_t>(layer.inputs[k])].push_back({static_cast<int>(i), k});
      }
    }
    for (const TensorId id : graph_.outputs) reads_[static_cast<size_t>(id)].push_back({-1, 0});
  }

  // An output of a type that is not floating point has one form, whatever it is.
  TensorForm OutsideForm(size_t tensor) const {
    return {graph_.tensors[tensor].type.dtype, kOutside.layout};
  }

  std::vector<TensorForm> FormsComputed(size_t tensor) const {
    const int producer = producers_[tensor];
    if (producer < 0) return {OutsideForm(tensor)};
    std::vector<TensorForm> forms;
    for (const Option& option : options_[static_cast<size_t>(producer)]) {
      forms.push_back(option.output);
    }
    return forms;
  }

  std::vector<TensorForm> FormsRead(size_t tensor, const TensorRead& read) const {
    if (read.layer < 0) return {OutsideForm(tensor)};
    std::vector<TensorForm> forms;
    for (const Option& option : options_[static_cast<size_t>(read.layer)]) {
      forms.push_back(option.inputs[read.input]);
    }
    return forms;
  }

  double Reorder(size_t tensor, const TensorForm& from, const TensorForm& to) const {
    return reorders_.Ms(graph_.tensors[tensor].type.shape, from, to);
  }

  // Charges costs[i][j] to option i of one node and j of another; where a side has no node (an
  // input or output of the network) it has one option, and the other side bears the cost.
  void Charge(int row_node, int col_node, PbqpMatrix costs) {
    if (row_node >= 0 && col_node >= 0) {
      problem_.AddEdge(row_node, col_node, std::move(costs));
      return;
    }
    const int node = row_node >= 0 ? row_node : col_node;
    if (node < 0) return;
    std::vector<double>& own = node_costs_[static_cast<size_t>(node)];
    for (size_t i = 0; i < own.size(); ++i) own[i] += costs.values()[i];
  }

  void ConnectDirectly(size_t tensor, const TensorRead& read) {
    const std::vector<TensorForm> from = FormsComputed(tensor), to = FormsRead(tensor, read);
    PbqpMatrix costs(static_cast<int>(from.size()), static_cast<int>(to.size()));
    for (size_t i = 0; i < from.size(); ++i) {
      for (size_t j = 0; j < to.size(); ++j) {
        costs.At(static_cast<int>(i), static_cast<int>(j)) = Reorder(tensor, from[i], to[j]);
      }
    }
    Charge(producers_[tensor], read.layer, std::move(costs));
  }

  std::vector<TensorOption> OptionsOfTensor(size_t tensor) const {
    const std::vector<TensorForm> computed = FormsComputed(tensor);
    const std::set<TensorForm> homes(computed.begin(), computed.end());
    std::set<TensorForm> wanted;
    for (const TensorRead& read : reads_[tensor]) {
      for (const TensorForm& form : FormsRead(tensor, read)) wanted.insert(form);
    }
    std::vector<TensorOption> options;
    for (const TensorForm& home : homes) {
      options.push_back({home, home});
      for (const TensorForm& also : wanted) {
        if (also != home) options.push_back({home, also});
      }
    }
    return options;
  }

  void ConnectThroughTensorNode(size_t tensor) {
    const std::vector<TensorOption> options = OptionsOfTensor(tensor);
    const int rows = static_cast<int>(options.size());
    std::vector<double> own;
    for (const TensorOption& option : options) {
      own.push_back(Reorder(tensor, option.home, option.also));
    }
    const int node = problem_.AddNode(own);

    const std::vector<TensorForm> computed = FormsComputed(tensor);
    PbqpMatrix home(rows, static_cast<int>(computed.size()), kForbidden);
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < home.cols(); ++j) {
        if (options[static_cast<size_t>(i)].home == computed[static_cast<size_t>(j)]) {
          home.At(i, j) = 0;
        }
      }
    }
    if (producers_[tensor] >= 0) problem_.AddEdge(node, producers_[tensor], std::move(home));

    for (const TensorRead& read : reads_[tensor]) {
      const std::vector<TensorForm> forms = FormsRead(tensor, read);
      PbqpMatrix costs(rows, static_cast<int>(forms.size()));
      for (int i = 0; i < rows; ++i) {
        const TensorOption& option = options[static_cast<size_t>(i)];
        for (int j = 0; j < costs.cols(); ++j) {
          const TensorForm& form = forms[static_cast<size_t>(j)];
          costs.At(i, j) = option.Has(form) ? 0 : Reorder(tensor, option.home, form);
        }
      }
      if (read.layer >= 0) {
        problem_.AddEdge(node, read.layer, std::move(costs));
      } else {
        for (int i = 0; i < rows; ++i) own[static_cast<size_t>(i)] += costs.At(i, 0);
      }
    }
    problem_.SetNodeCosts(node, own);
  }

  const LayerGraph& graph_;
  const ReorderCosts& reorders_;
  std::vector<int> producers_;
  std::vector<std::vector<Option>> options_;
  std::vector<std::vector<TensorRead>> reads_;
  std::vector<std::vector<double>> node_costs_;  // of the layers' nodes
  PbqpProblem problem_;
};

}  // namespace

std::vector<Selection> SelectTop(int count, const LayerGraph& graph,
                                 const std::vector<std::vector<DType>>& precisions,
                                 ImplementationCatalog* catalog, const LayerCosts& costs,
                                 const ReorderCosts& reorders) {
  assert(precisions.size() == graph.layers.size());
  ProblemBuilder builder(graph, precisions, catalog, costs, reorders);
  PbqpSolver solver(builder.Build());
  std::vector<Selection> selections;
  if (count == 1) {
    selections.push_back(builder.Read(solver.Solve()));
    return selections;
  }
  // Several assignments may differ only in the further forms of tensors.
  for (const PbqpSolution& solution : solver.SolveTop(4 * count)) {
    Selection selection = builder.Read(solution);
    const auto is_same = [&](const Selection& other) { return other.choices == selection.choices; };
    if (std::ranges::any_of(selections, is_same)) continue;
    selections.push_back(std::move(selection));
    if (static_cast<int>(selections.size()) == count) break;
  }
  if (selections.empty()) selections.push_back(builder.Read({}));
  return selections;
}

Selection SelectPrimitives(const LayerGraph& graph,
                           const std::vector<std::vector<DType>>& precisions,
                           ImplementationCatalog* catalog, const LayerCosts& costs,
                           const ReorderCosts& reorders) {
  return SelectTop(1, graph, precisions, catalog, costs, reorders).front();
}

std::vector<std::vector<DType>> AllowedPrecisions(const LayerGraph& graph,
                                                  const std::vector<DType>& of_weighted,
                                                  const std::vector<DType>& of_others) {
  std::vector<std::vector<DType>> allowed;
  for (const Layer& layer : graph.layers) {
    std::vector<DType> precisions;
    for (const DType dtype : MacsOf(layer.spec) > 0 ? of_weighted : of_others) {
      if (CanHavePrecision(layer.spec, dtype)) precisions.push_back(dtype);
    }
    if (precisions.empty()) precisions.push_back(DType::kF32);
    allowed.push_back(std::move(precisions));
  }
  return allowed;
}

}  // namespace fettle
