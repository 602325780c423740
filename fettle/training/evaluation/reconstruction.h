#pragma once

#include <map>
#include <string>

#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_origins.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// How far a changed network's layers are from computing what they did: for each weighted layer
// whose weights have another shape now and whose output has not (a consumer of pruned channels), by
// name,
//     sum (Y' - Y)^2 / sum (Y - mean of its channel)^2
// over the images, each network fed with its own activations, and channels compared with those that
// they were by `origins`. Throws Error (kBadInput) where the
// images do not fit.
std::map<std::string, double> ReconstructionErrors(const Graph& original, const Graph& changed,
                                                   const Dataset& dataset,
                                                   const PrimitiveList& primitives,
                                                   const Target& target,
                                                   const ChannelOrigins& origins = {});

}  // namespace fettle
