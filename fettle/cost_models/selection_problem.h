#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "fettle/cost_models/layer_options.h"
#include "fettle/cost_models/reorder_costs.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/search/pbqp_solver.h"

namespace fettle {

// The choice of primitives of a network as a PBQP (pbqp_problem.h): a node for each layer, whose
// index is the layer's and whose options are those of its list, and a node for each tensor with
// several readers, whose options are the form in which it is computed and the one further form that
// it is also reordered to, so that readers who want the same pay once. Kept, so that a layer with
// other options costs no more than solving again what that touches.
class SelectionProblem {
 public:
  // A list for each layer, none of them empty. All outlive it.
  SelectionProblem(const LayerGraph& graph, std::vector<const OptionList*> lists,
                   const ReorderCosts& reorders);

  const OptionList& list(size_t layer) const { return *lists_[layer]; }

  // Other options for one layer, whose work is the same.
  void SetList(size_t layer, const OptionList& list);

  PbqpSolver& solver() { return *solver_; }

 private:
  // A layer's input, or (layer -1) one of the network's outputs.
  struct Read {
    int layer;
    size_t input;
  };

  // The form in which a tensor is computed, and possibly a second one.
  struct TensorOption {
    TensorForm home;
    TensorForm also;  // the same as home for none
    double ms;        // of that

    bool Has(const TensorForm& form) const { return form == home || form == also; }
  };

  void CollectReads();
  bool IsPriced(size_t tensor) const;
  std::vector<TensorForm> Outside(size_t tensor) const;
  std::vector<TensorForm> FormsComputed(size_t tensor) const;
  std::vector<TensorForm> FormsRead(size_t tensor, const Read& read) const;
  const ReorderCosts::Table& TableOf(size_t tensor) const;
  std::vector<double> NodeCosts(size_t layer) const;
  std::vector<TensorOption> OptionsOf(size_t tensor) const;
  PbqpMatrix ReadCosts(size_t tensor, const std::vector<TensorOption>& options,
                       const std::vector<TensorForm>& forms) const;
  void Connect(size_t tensor);
  void ConnectDirectly(size_t tensor);
  void ConnectThroughNode(size_t tensor);
  void SetNode(int* node, std::vector<double> costs);
  void SetEdge(size_t tensor, size_t place, int u, int v, PbqpMatrix costs);

  const LayerGraph& graph_;
  std::vector<const OptionList*> lists_;
  const ReorderCosts& reorders_;
  std::vector<int> producers_;            // of each tensor
  std::vector<std::vector<Read>> reads_;  // of each tensor
  std::vector<int> tensor_nodes_;         // -1 for those that have none
  std::vector<std::vector<int>> edges_;   // of each tensor, as it was connected first
  PbqpProblem problem_;                   // until there is a solver
  std::optional<PbqpSolver> solver_;
};

}  // namespace fettle
