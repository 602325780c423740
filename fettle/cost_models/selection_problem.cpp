#include "fettle/cost_models/selection_problem.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fettle {
namespace {

void SortUnique(std::vector<TensorForm>* forms) {
  std::ranges::sort(*forms);
  forms->erase(std::unique(forms->begin(), forms->end()), forms->end());
}

}  // namespace

SelectionProblem::SelectionProblem(const LayerGraph& graph, std::vector<const OptionList*> lists,
                                   const ReorderCosts& reorders)
    : graph_(graph),
      lists_(std::move(lists)),
      reorders_(reorders),
      producers_(graph.Producers()),
      reads_(graph.tensors.size()),
      tensor_nodes_(graph.tensors.size(), -1),
      edges_(graph.tensors.size()) {
  assert(lists_.size() == graph.layers.size());
  CollectReads();
  for (size_t i = 0; i < lists_.size(); ++i) problem_.AddNode(NodeCosts(i));
  for (size_t id = 0; id < graph_.tensors.size(); ++id) Connect(id);
  solver_.emplace(std::move(problem_));
}

void SelectionProblem::SetList(size_t layer, const OptionList& list) {
  lists_[layer] = &list;
  solver_->SetNodeCosts(static_cast<int>(layer), NodeCosts(layer));
  std::vector<TensorId> touched = graph_.layers[layer].inputs;
  touched.push_back(graph_.layers[layer].output);
  std::ranges::sort(touched);
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (const TensorId id : touched) Connect(static_cast<size_t>(id));
}

void SelectionProblem::CollectReads() {
  for (size_t i = 0; i < graph_.layers.size(); ++i) {
    const Layer& layer = graph_.layers[i];
    for (size_t k = 0; k < layer.inputs.size(); ++k) {
      reads_[static_cast<size_t>(layer.inputs[k])].push_back({static_cast<int>(i), k});
    }
  }
  for (const TensorId id : graph_.outputs) reads_[static_cast<size_t>(id)].push_back({-1, 0});
}

// Constants are laid out once, before anything runs.
bool SelectionProblem::IsPriced(size_t tensor) const {
  return graph_.tensors[tensor].constant == nullptr && !reads_[tensor].empty();
}

// How inputs and outputs are given. One of a type that is not floating point has one form, whatever
// it is.
std::vector<TensorForm> SelectionProblem::Outside(size_t tensor) const {
  return {{graph_.tensors[tensor].type.dtype, Layout::kPlain}};
}

std::vector<TensorForm> SelectionProblem::FormsComputed(size_t tensor) const {
  const int producer = producers_[tensor];
  return producer < 0 ? Outside(tensor) : lists_[static_cast<size_t>(producer)]->outputs;
}

std::vector<TensorForm> SelectionProblem::FormsRead(size_t tensor, const Read& read) const {
  return read.layer < 0 ? Outside(tensor)
                        : lists_[static_cast<size_t>(read.layer)]->inputs[read.input];
}

const ReorderCosts::Table& SelectionProblem::TableOf(size_t tensor) const {
  return reorders_.Of(graph_.tensors[tensor].type.shape);
}

// What the options take, and the reorders of what is the network's input or output and nobody
// else's.
std::vector<double> SelectionProblem::NodeCosts(size_t index) const {
  const Layer& layer = graph_.layers[index];
  const OptionList& list = *lists_[index];
  std::vector<double> costs = list.ms;
  const auto is_between = [&](TensorId id, bool is_input) {
    const auto tensor = static_cast<size_t>(id);
    if (!IsPriced(tensor) || reads_[tensor].size() != 1) return false;
    return is_input ? producers_[tensor] < 0 : reads_[tensor].front().layer < 0;
  };
  const auto add = [&](TensorId id, const auto& reorder) {
    const ReorderCosts::Table& table = TableOf(static_cast<size_t>(id));
    const TensorForm outside = Outside(static_cast<size_t>(id)).front();
    for (size_t o = 0; o < costs.size(); ++o) costs[o] += reorder(table, outside, o);
  };
  for (size_t k = 0; k < layer.inputs.size(); ++k) {
    if (!is_between(layer.inputs[k], true)) continue;
    add(layer.inputs[k], [&](const auto& table, const TensorForm& outside, size_t o) {
      return table.Ms(outside, list.inputs[k][o]);
    });
  }
  if (is_between(layer.output, false)) {
    add(layer.output, [&](const auto& table, const TensorForm& outside, size_t o) {
      return table.Ms(list.outputs[o], outside);
    });
  }
  return costs;
}

void SelectionProblem::Connect(size_t tensor) {
  if (!IsPriced(tensor)) return;
  if (reads_[tensor].size() == 1) {
    ConnectDirectly(tensor);
  } else {
    ConnectThroughNode(tensor);
  }
}

void SelectionProblem::ConnectDirectly(size_t tensor) {
  const Read& read = reads_[tensor].front();
  if (producers_[tensor] < 0 || read.layer < 0) return;  // NodeCosts has it
  const std::vector<TensorForm> from = FormsComputed(tensor), to = FormsRead(tensor, read);
  const ReorderCosts::Table& table = TableOf(tensor);
  PbqpMatrix costs(static_cast<int>(from.size()), static_cast<int>(to.size()));
  for (size_t i = 0; i < from.size(); ++i) {
    double* const row = costs.Row(static_cast<int>(i));
    for (size_t j = 0; j < to.size(); ++j) row[j] = table.Ms(from[i], to[j]);
  }
  SetEdge(tensor, 0, producers_[tensor], read.layer, std::move(costs));
}

std::vector<SelectionProblem::TensorOption> SelectionProblem::OptionsOf(size_t tensor) const {
  std::vector<TensorForm> homes = FormsComputed(tensor), wanted;
  SortUnique(&homes);
  for (const Read& read : reads_[tensor]) {
    std::vector<TensorForm> forms = FormsRead(tensor, read);
    SortUnique(&forms);
    wanted.insert(wanted.end(), forms.begin(), forms.end());
  }
  // A form that one reader alone could want saves nothing over its own reorder.
  std::vector<TensorForm> shared = wanted;
  SortUnique(&shared);
  std::erase_if(shared,
                [&](const TensorForm& form) { return std::ranges::count(wanted, form) < 2; });
  std::vector<TensorOption> options;
  for (const TensorForm& home : homes) {
    options.push_back({home, home, 0});
    for (const TensorForm& also : shared) {
      const double ms = TableOf(tensor).Ms(home, also);
      if (also != home && ms < kForbidden) options.push_back({home, also, ms});
    }
  }
  return options;
}

// What a read in each of the forms costs beyond that.
PbqpMatrix SelectionProblem::ReadCosts(size_t tensor, const std::vector<TensorOption>& options,
                                       const std::vector<TensorForm>& forms) const {
  const ReorderCosts::Table& table = TableOf(tensor);
  PbqpMatrix costs(static_cast<int>(options.size()), static_cast<int>(forms.size()));
  for (size_t i = 0; i < options.size(); ++i) {
    double* const row = costs.Row(static_cast<int>(i));
    for (size_t j = 0; j < forms.size(); ++j) {
      row[j] = options[i].Has(forms[j]) ? 0 : table.Ms(options[i].home, forms[j]);
    }
  }
  return costs;
}

void SelectionProblem::ConnectThroughNode(size_t tensor) {
  const std::vector<TensorOption> options = OptionsOf(tensor);
  std::vector<double> own;
  for (const TensorOption& option : options) own.push_back(option.ms);
  for (const Read& read : reads_[tensor]) {
    if (read.layer >= 0) continue;
    const PbqpMatrix costs = ReadCosts(tensor, options, Outside(tensor));
    for (size_t i = 0; i < own.size(); ++i) own[i] += costs.values()[i];
  }
  SetNode(&tensor_nodes_[tensor], std::move(own));
  const int node = tensor_nodes_[tensor];
  size_t place = 0;
  if (producers_[tensor] >= 0) {
    const std::vector<TensorForm> computed = FormsComputed(tensor);
    PbqpMatrix home(static_cast<int>(options.size()), static_cast<int>(computed.size()),
                    kForbidden);
    for (size_t i = 0; i < options.size(); ++i) {
      for (size_t j = 0; j < computed.size(); ++j) {
        if (options[i].home == computed[j]) home.Row(static_cast<int>(i))[j] = 0;
      }
    }
    SetEdge(tensor, place++, node, producers_[tensor], std::move(home));
  }
  for (const Read& read : reads_[tensor]) {
    if (read.layer < 0) continue;
    SetEdge(tensor, place++, node, read.layer, ReadCosts(tensor, options, FormsRead(tensor, read)));
  }
}

void SelectionProblem::SetNode(int* node, std::vector<double> costs) {
  if (*node < 0) {
    *node = problem_.AddNode(std::move(costs));
  } else {
    solver_->SetNodeCosts(*node, std::move(costs));
  }
}

void SelectionProblem::SetEdge(size_t tensor, size_t place, int u, int v, PbqpMatrix costs) {
  if (!solver_) {
    edges_[tensor].push_back(problem_.AddEdge(u, v, std::move(costs)));
  } else {
    solver_->SetEdgeCosts(edges_[tensor][place], std::move(costs));
  }
}

}  // namespace fettle
