#pragma once

#include "fettle/network/calibration.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_removal.h"

namespace fettle {

// The calibration of RemoveIndices(graph, kept), from that of `graph`: names are the same, moments
// of values and patches are those of the channels that stay. Nothing is computed anew. Of a layer
// that reads pruned channels this is what Calibrate would find, as long as those that stay are
// computed as before; behind a consumer that lost inputs it is as near as the consumer's outputs
// are to what they were.
//
// A histogram counts the values of all channels together: it stays where all of them do, and is
// empty (count() 0) where some are gone. Of a value that loses indices on another axis than the
// channels', positions are gone that its moments are sums over: nothing is known of it.
Calibration Restricted(const Calibration& calibration, const Graph& graph, const KeptIndices& kept);

}  // namespace fettle
