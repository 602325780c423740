#pragma once

#include <string_view>
#include <vector>

#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/runtime/plan_builder.h"

namespace fettle {

// Every way to compute a layer at a precision: the implementations of all primitives that take it,
// in the order of the list; the reference only where nothing else does. `only` (if not empty) keeps
// those whose name starts with it, the reference included.
std::vector<Implementation> ImplementationsOf(const LayerSpec& spec,
                                              const PrimitiveList& primitives, const Target& target,
                                              std::string_view only = {});

// What a runtime without measurements does: for each layer the first implementation that
// the list offers, among those of its producer's layout where there is one.
std::vector<LayerChoice> DefaultChoices(const LayerGraph& graph, DType precision,
                                        const PrimitiveList& primitives, const Target& target);

}  // namespace fettle
