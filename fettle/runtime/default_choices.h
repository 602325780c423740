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

// What a runtime without measurements does: for layers with multiplications what oneDNN picks when
// it may choose the layout too (direct convolution in blocks that fill the vectors), for the others
// the first implementation that takes its producer's layout.
std::vector<LayerChoice> DefaultChoices(const LayerGraph& graph, DType precision,
                                        const PrimitiveList& primitives, const Target& target);

// The plan that these choices mean, with the first reorders.
Plan DefaultPlan(const LayerGraph& graph, DType precision, const PrimitiveList& primitives,
                 const Target& target);

}  // namespace fettle
