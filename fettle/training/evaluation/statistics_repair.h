#pragma once

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

enum class StatisticsRepair : uint8_t {
  kBatchNorm,  // means and variances were estimated anew
  kBiases,     // biases were corrected
};

struct RepairedNetwork {
  Graph graph;
  StatisticsRepair repair;
};

// First aid, without training, for a network whose layers were changed: brings the statistics of
// its activations back to what the layers behind expect. Where there is batch norm its means and
// variances are estimated anew (EstimateBatchNorm, on 1024 images), else, or where the trainer
// knows no training form of the network, biases are corrected towards the original (CorrectBiases).
// Images need no labels. Throws Error (kBadInput) where they do not fit.
RepairedNetwork RepairStatistics(const Graph& original, const Graph& changed,
                                 const Dataset& dataset, const PrimitiveList& primitives,
                                 const Target& target);

}  // namespace fettle
