#pragma once

#include <optional>
#include <vector>

#include "fettle/training/trainer/network_pass.h"

namespace fettle {

// Plans a NetworkPass: forward in the graph's order, backward in reverse.
class NetworkPass::Builder {
 public:
  // The graph has the pass's batch.
  Builder(NetworkPass* pass, const Graph& graph, DType dtype);
  void Build();

 private:
  // What is known of a value of the graph while planning.
  struct Place {
    TensorType type;  // with this pass's batch
    const std::byte* data = nullptr;
    bool wants_gradient = false;  // a learned parameter comes before it
    std::byte* gradient = nullptr;
  };

  void CheckGraph() const;
  void PlaceInput(DType dtype);
  void FindFusions();
  void PlanForward();
  void AddStep(const Node& node);
  OpMemory MemoryOf(const Node& node, const Place& output);
  std::byte* ParameterGradient(size_t parameter);

  void PlanBackward();
  void PlanBackwardOf(size_t step);
  void Receive(Place* place, std::byte* gradient);

  Place& At(ValueId id) { return places_[static_cast<size_t>(id)]; }
  ValueId OutputOf(const Node& node) const;

  NetworkPass& pass_;
  const Graph& graph_;
  std::vector<Place> places_;
  std::vector<std::optional<Clamp>> clamps_;  // of each node
  std::vector<bool> is_fused_;                // of each node: the one before computes it
  std::vector<int> parameter_of_;             // of each value; -1
  std::vector<bool> has_gradient_;            // of each parameter: some step writes it already
  std::vector<const Node*> nodes_;            // of each step
  ValueId logits_ = -1;
};

}  // namespace fettle
