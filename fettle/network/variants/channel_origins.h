#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/variants/variant.h"

namespace fettle {

// Of values of a rewritten network, by name: which channel of the original's value of that name
// each of its channels is. What is not named has its channels in their places.
using ChannelOrigins = std::map<std::string, std::vector<int64_t>>;

struct TrackedRewrite {
  Graph graph;
  ChannelOrigins origins;
};

// Variant::Rewrite for those who compare the result with the original channel by channel: some
// variants (group) put channels in another order. Asserts that nothing is carried by `options`.
TrackedRewrite RewriteTracked(const Variant& variant, const Graph& graph, std::string_view layer,
                              RewriteOptions options = {});

}  // namespace fettle
