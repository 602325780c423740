#include "fettle/training/evaluation/fisher.h"

#include <set>
#include <string>

#include "fettle/training/evaluation/gate_gradients.h"

namespace fettle {

std::vector<std::vector<double>> FisherInformation(const Graph& graph,
                                                   const std::vector<ChannelGroup>& groups,
                                                   const Dataset& dataset, const Target& target) {
  return MeanOverGates(graph, groups, dataset, target, [](double gate) { return gate * gate / 2; });
}

double FisherPotential(const Graph& graph, const Dataset& dataset, const Target& target) {
  const auto readers = graph.Readers();
  std::set<std::string> watched;
  const std::vector<ChannelProducer> producers = FindChannelProducers(graph);
  for (size_t i = 0; i + 1 < producers.size(); ++i) {  // the last one computes the logits
    watched.insert(GatedNode(graph, readers, producers[i].node).name);
  }
  const GateBatches batches = GateBatchesOf(dataset);
  std::vector<double> squares(static_cast<size_t>(batches.count));
  ForEachBatchOfGates(graph, watched, dataset, target,
                      [&](size_t batch, const GateGradients& gates) {
                        for (const auto& [node, sums] : gates) {
                          for (const double gate : sums) squares[batch] += gate * gate;
                        }
                      });
  double sum = 0;
  for (const double square : squares) sum += square;
  return sum / (2.0 * static_cast<double>(batches.count) * static_cast<double>(batches.images));
}

}  // namespace fettle
