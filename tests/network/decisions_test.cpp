#include "fettle/network/variants/decisions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fettle/core/error.h"
#include "fettle/network/macs.h"
#include "fettle/network/variants/factor_variant.h"
#include "fettle/network/variants/variant_list.h"
#include "tests/network/random_network.h"
#include "tests/support/network_builder.h"
#include "tests/support/sanitized.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(MacsTest, CountsConvolutionsAndProducts) {
  NetworkBuilder b(1);
  ValueId x = b.Convolve("a", b.Input({2, 3, 8, 8}), 4);                  // 2*4*64 * 27
  x = b.Convolve("b", b.Relu("relu", x), 8, {.stride = 2, .groups = 4});  // 2*8*16 * 9
  x = b.Linear("c", b.Flatten("flatten", x), 5);                          // 2*5 * 128
  x = b.Add("d", MatMul{}, {x, b.Constant("w", {5, 3})});                 // 2*3 * 5
  b.graph.AddOutput(x);
  EXPECT_EQ(MacsOf(b.graph), 2 * 4 * 64 * 27 + 2 * 8 * 16 * 9 + 2 * 5 * 128 + 2 * 3 * 5);
  EXPECT_EQ(MacsOf(b.graph, b.graph.nodes()[0]), 2 * 4 * 64 * 27);
}

std::vector<NetworkDecision> DecisionsOf(const Graph& graph, std::string_view kind,
                                         const DecisionOptions& options = {}) {
  std::vector<NetworkDecision> decisions = FindDecisions(graph, options);
  std::erase_if(decisions, [&](const NetworkDecision& entry) { return entry.kind != kind; });
  return decisions;
}

TEST(DecisionsTest, ListsWidthsCoupledLayersAndReasons) {
  NetworkBuilder b(1);
  const ValueId stem = b.Unit("stem", b.Input({1, 3, 8, 8}), 24);
  const ValueId x = b.Convolve("b", b.Unit("a", stem, 6), 24);
  b.Classify(b.Add("add", Binary{}, {stem, x}));
  const std::vector<NetworkDecision> decisions = DecisionsOf(b.graph, "prune");
  ASSERT_EQ(decisions.size(), 3u);
  EXPECT_EQ(decisions[0].layer, "stem");
  EXPECT_THAT(decisions[0].layers, ElementsAre("stem", "b"));
  ASSERT_EQ(decisions[0].options.size(), 2u);
  EXPECT_EQ(decisions[0].options[0].variant, "prune(keep=0.3333333333333333)");
  EXPECT_EQ(decisions[0].options[1].variant, "prune(keep=0.6666666666666666)");
  EXPECT_EQ(decisions[0].reason, "");
  EXPECT_TRUE(decisions[1].options.empty());
  EXPECT_EQ(decisions[1].reason, "fewer than its 6 channels are no multiple of 8");
  EXPECT_EQ(decisions[2].layer, "classifier");
  EXPECT_THAT(decisions[2].reason, HasSubstr("they are the output 'classifier'"));
  EXPECT_EQ(DecisionsOf(b.graph, "prune", {.channel_step = 2})[1].options.size(), 2u);
}

TEST(DecisionsTest, OptionsAreThinnedEvenlyAndKeepTheWidest) {
  NetworkBuilder b(1);
  b.Classify(b.Unit("conv", b.Input({1, 3, 4, 4}), 104));
  const auto widths = [&](int64_t most) {
    std::vector<int64_t> kept;
    const auto decisions = DecisionsOf(b.graph, "prune", {.channel_step = 8, .most_options = most});
    for (const NetworkOption& option : decisions[0].options) {
      const Graph pruned = ParseVariant(option.variant)->Rewrite(b.graph, "conv");
      kept.push_back(pruned.value(pruned.nodes()[0].outputs[0]).type.shape[1]);
    }
    return kept;
  };
  EXPECT_THAT(widths(4), ElementsAre(24, 48, 72, 96));
  EXPECT_THAT(widths(1), ElementsAre(96));
  EXPECT_EQ(widths(100).size(), 12u);
}

// The sizes stated are those of the network once rewritten, for every option of many networks.
TEST(DecisionsTest, SizesAreThoseOfTheRewrittenNetwork) {
  int options = 0;
  for (uint64_t seed = 0; seed < (kIsSanitized ? 3 : 12); ++seed) {
    const Graph graph = RandomNetwork(seed);
    for (const NetworkDecision& decision : FindDecisions(graph, {.channel_step = 2})) {
      EXPECT_NE(decision.options.empty(), decision.reason.empty()) << decision.layer;
      for (const NetworkOption& option : decision.options) {
        const Graph changed = ParseVariant(option.variant)->Rewrite(graph, decision.layer);
        EXPECT_EQ(option.parameters, changed.NumParameters()) << seed << " " << decision.layer;
        EXPECT_EQ(option.macs, MacsOf(changed)) << seed << " " << decision.layer;
        EXPECT_TRUE(option.parameters < graph.NumParameters() || option.macs < MacsOf(graph))
            << option.variant;
        const Graph shapes =
            ParseVariant(option.variant)->Rewrite(graph, decision.layer, {.shapes_only = true});
        EXPECT_EQ(shapes.NumParameters(), changed.NumParameters()) << option.variant;
        EXPECT_EQ(MacsOf(shapes), MacsOf(changed)) << option.variant;
        ++options;
      }
    }
  }
  EXPECT_GT(options, 100);
}

TEST(DecisionsTest, AreTheSameOnAnyNumberOfThreads) {
  const Graph graph = RandomNetwork(3);
  size_t last = 0;
  const auto alone = FindDecisions(graph, {.channel_step = 1});
  const auto together = FindDecisions(
      graph, {.channel_step = 1, .threads = 3, .progress = [&](size_t done, size_t all) {
                EXPECT_EQ(done, last + 1);
                EXPECT_LE(done, all);
                last = done;
              }});
  EXPECT_EQ(last, WeightedLayers(graph).size());
  ASSERT_EQ(alone.size(), together.size());
  for (size_t d = 0; d < alone.size(); ++d) {
    EXPECT_EQ(alone[d].kind, together[d].kind);
    EXPECT_EQ(alone[d].layer, together[d].layer);
    EXPECT_EQ(alone[d].reason, together[d].reason);
    ASSERT_EQ(alone[d].options.size(), together[d].options.size());
    for (size_t i = 0; i < alone[d].options.size(); ++i) {
      EXPECT_EQ(alone[d].options[i].variant, together[d].options[i].variant);
      EXPECT_EQ(alone[d].options[i].error, together[d].options[i].error);
    }
  }
}

// What the search leaves unfitted for it: no fit may be nearer than the option says.
TEST(DecisionsTest, ErrorsThatAreKnownBeforeAFitHold) {
  int known = 0, bounded = 0;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const Graph graph = RandomNetwork(seed);
    for (const NetworkDecision& decision :
         FindDecisions(graph, {.channel_step = 1, .most_options = 3})) {
      for (const NetworkOption& option : decision.options) {
        if (option.error) {
          const WeightedLayer layer = FindWeightedLayer(graph, decision.layer);
          const Matrix kernel = KernelOf(graph, layer);
          const auto factors =
              ParseVariant(option.variant)->AsFactors()->Factorise(layer, kernel, nullptr);
          EXPECT_NEAR(*option.error, RelativeError(kernel, ComposedKernel(factors), nullptr), 1e-9)
              << option.variant << " of " << decision.layer;
          ++known;
        } else if (option.least_error > 0) {
          EXPECT_LE(option.least_error,
                    *ParseVariant(option.variant)->WeightError(graph, decision.layer) + 1e-9)
              << option.variant << " of " << decision.layer;
          ++bounded;
        }
      }
    }
  }
  EXPECT_GT(known, 20);
  EXPECT_GT(bounded, 20);
}

TEST(VariantListTest, KindsHaveUniqueNames) {
  std::vector<std::string_view> names;
  for (const VariantKind& kind : AllVariantKinds()) names.push_back(kind.name);
  EXPECT_THAT(names, testing::Contains("prune"));
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(VariantListTest, SenselessTextIsRefusedAndQuoted) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "not of the form"},
      {"prune", "not of the form"},
      {"(keep=0.5)", "not of the form"},
      {"prune(keep=0.5", "not of the form"},
      {"shrink(keep=0.5)", "no such kind; there are: "},
      {"prune()", "needs keep=..."},
      {"prune(keep)", "'keep' is not field=value"},
      {"prune(keep=)", "keep= is not a fraction"},
      {"prune(keep=0)", "keep=0 is not a fraction above 0 and up to 1"},
      {"prune(keep=1.01)", "is not a fraction"},
      {"prune(keep=-0.5)", "is not a fraction"},
      {"prune(keep=nan)", "is not a fraction"},
      {"prune(keep=0.5x)", "is not a fraction"},
      {"prune(keep=0.5,)", "a field is missing after the last comma"},
      {"prune(keep=0.5,keep=0.5)", "unknown field 'keep'"},
      {"prune(keep=0.5,rank=3)", "unknown field 'rank'"},
  };
  for (const auto& [text, message] : cases) {
    try {
      ParseVariant(text);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(message));
      EXPECT_THAT(error.what(), HasSubstr(Text("variant '", text, "'")));
    }
  }
}

TEST(VariantListTest, FieldsAreTakenByName) {
  VariantText text("tucker2(r4=16,r3=8)");
  EXPECT_EQ(text.name(), "tucker2");
  EXPECT_EQ(text.TakeCount("r3"), 8);
  EXPECT_THROW(text.Finish(), Error);
  EXPECT_EQ(text.TakeCount("r4"), 16);
  text.Finish();
  for (const char* bad : {"x(n=0)", "x(n=-1)", "x(n=1.5)", "x(n=99999999999999999999)", "x(n=)"}) {
    EXPECT_THROW(VariantText(bad).TakeCount("n"), Error) << bad;
  }
}

}  // namespace
}  // namespace fettle
