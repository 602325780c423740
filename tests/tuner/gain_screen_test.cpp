#include "fettle/tuner/gain_screen.h"

#include <gtest/gtest.h>

#include "fettle/cost_models/reckoned_cost.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/variant_list.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

// Prices layers alone as whole lowered networks do.
void ExpectTheGainsOfWholeNetworks(const Graph& graph) {
  const Target target = HostTarget(1);
  const GainScreen screen(graph, target);
  const double whole = ReckonedMs(Lower(graph), target);
  RewriteOptions shapes;
  shapes.shapes_only = true;
  size_t options = 0;
  for (const NetworkDecision& decision : FindDecisions(graph, {.most_options = 2})) {
    if (decision.kind == "prune") continue;
    for (const NetworkOption& option : decision.options) {
      const Graph result = ParseVariant(option.variant)->Rewrite(graph, decision.layer, shapes);
      EXPECT_NEAR(screen.GainOf(decision.layer, option.variant),
                  whole - ReckonedMs(Lower(result), target), 1e-9 * whole)
          << decision.layer << ' ' << option.variant;
      ++options;
    }
  }
  EXPECT_GT(options, 10u);
}

TEST(GainScreenTest, LayersArePricedAsInWholeNetworks) {
  ExpectTheGainsOfWholeNetworks(MakeArchitecture("resnet8", {3, 16, 16}, 10, 1));
}

TEST(GainScreenTest, WhatIsFoldedAndFusedIsPricedToo) {
  NetworkBuilder b(1);
  ValueId x = b.Unit("stem", b.Input({1, 3, 12, 12}), 16);
  const ValueId padded = b.Add("pad", Pad{PadMode::kConstant, {0, 0, 1, 1}, {0, 0, 1, 1}}, {x});
  const ValueId body = b.Convolve("body", padded, 16, {.kernel = 3, .pad = 0});
  x = b.Add("relu", Activation{}, {b.Add("sum", Binary{}, {x, body})});
  b.Classify(b.Convolve("wide", x, 32, {.kernel = 5, .stride = 2}));
  ExpectTheGainsOfWholeNetworks(b.graph);
}

}  // namespace
}  // namespace fettle
