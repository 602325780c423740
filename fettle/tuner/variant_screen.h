#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/tuner/tuning_space.h"

namespace fettle {

// Which rewritings of layers a session looks at. A network has thousands: each layer, each kind of
// variant, each rank. Every one that is searched costs a measurement of its loss and of its layers,
// so those that cannot be worth it are left out before anything is measured, by numbers that are
// the same on every run: by how much faster the layer should become (ReckonedMs of its shapes), and
// by how much its weights lose (their relative error).
struct VariantScreenOptions {
  std::vector<std::string> kinds;  // of variants
  int64_t channel_step = 8;        // of ranks
  size_t most_a_layer = 3;
  size_t most_in_all = 48;
  // Hears how many layers, decisions and options have been looked at, one after another, of how
  // many; from any thread, one at a time. An exception it throws ends the screening.
  std::function<void(std::string_view what, size_t done, size_t all)> progress = {};
};

// Of each layer the options that no other beats in both numbers, if they should gain a tenth of the
// layer's time, spread from the gentlest to the fastest; of all of them those that gain most for
// what they lose.
std::vector<VariantOffer> ScreenVariants(const Graph& graph, const Target& target,
                                         const VariantScreenOptions& options);

}  // namespace fettle
