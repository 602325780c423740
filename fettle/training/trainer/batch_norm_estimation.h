#pragma once

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// The graph with batch norm's means and variances estimated anew: the averages over the statistics
// of `batches` batches of so many images from the dataset's start, without augmentation. Cheap
// first aid for a network whose weights were changed without training. Fewer images than asked for
// are taken where there are fewer. Throws an Error as NetworkPass does.
Graph EstimateBatchNorm(const Graph& graph, const Dataset& dataset, int64_t batches, int64_t batch,
                        const Target& target);

}  // namespace fettle
