#include "fettle/cost_models/primitive_selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "fettle/core/error.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/memory_plan.h"
#include "fettle/runtime/precision.h"
#include "fettle/search/pbqp_problem.h"
#include "tests/runtime/small_graphs.h"

namespace fettle {
namespace {

// Costs drawn by a hash of what is asked; layers have a few working implementations only, so that
// all choices can be tried.
class RandomCosts : public LayerCosts {
 public:
  explicit RandomCosts(uint64_t seed, double share) : random_(seed), share_(share) {}

  std::optional<Estimate> Cost(const LayerSpec& spec,
                               const Implementation& implementation) const override {
    std::string text = Text(KeyOf(spec).text, implementation.name, NameOf(implementation.output));
    for (const Layout layout : implementation.inputs) text.append(NameOf(layout));
    Random random = random_.Fork(text);
    const bool is_reorder = std::holds_alternative<Reorder>(spec.op);
    const double ms = random.Uniform(0.1, is_reorder ? 0.5 : 1.0);
    if (!is_reorder && !random.Chance(share_)) return std::nullopt;
    return Estimate{ms, ms, ms, EstimateOrigin::kMeasured};
  }

 private:
  Random random_;
  double share_;
};

double CostOf(const Plan& plan, const LayerCosts& costs) {
  const MemoryPlan memory = PlanMemory(plan, std::vector<size_t>(plan.steps.size(), 0));
  double ms = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    if (memory.runs_once[s]) continue;
    const auto cost = costs.Cost(plan.steps[s].spec, plan.steps[s].implementation);
    ms += cost ? cost->ms : kForbidden;
  }
  return ms;
}

class PrimitiveSelectionTest : public testing::Test {
 protected:
  const PrimitiveList primitives_ = PrimitiveList::All();
  const Target target_ = HostTarget(1);
  ImplementationCatalog catalog_{primitives_, target_};
};

// The cheapest of all assignments, or kForbidden; nothing where there are too many.
std::optional<double> BruteForce(const LayerGraph& graph,
                                 const std::vector<std::vector<DType>>& precisions,
                                 ImplementationCatalog* catalog, const LayerCosts& costs,
                                 const ReorderCosts& reorders) {
  std::vector<std::vector<LayerChoice>> options;
  double combinations = 1;
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    options.emplace_back();
    for (const DType dtype : precisions[i]) {
      const LayerSpec spec = AtPrecision(graph.layers[i].spec, dtype);
      for (const Implementation& implementation : catalog->Of(spec)) {
        if (costs.Cost(spec, implementation)) options.back().push_back({dtype, implementation});
      }
    }
    combinations *= static_cast<double>(options.back().size());
  }
  if (combinations > 20000) return std::nullopt;
  double best = kForbidden;
  std::vector<LayerChoice> choices(options.size());
  const std::function<void(size_t)> recurse = [&](size_t i) {
    if (i == options.size()) {
      best = std::min(best, CostOf(BuildPlan(graph, choices, reorders, 1), costs));
      return;
    }
    for (const LayerChoice& choice : options[i]) {
      choices[i] = choice;
      recurse(i + 1);
    }
  };
  recurse(0);
  return best;
}

TEST_F(PrimitiveSelectionTest, IsTheCheapestOfAllPlans) {
  int compared = 0;
  for (uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE(seed);
    const LayerGraph graph = ResidualBlock(seed);
    const RandomCosts costs(seed, 0.15);
    const ReorderCosts reorders(&catalog_, costs);
    const auto precisions =
        AllowedPrecisions(graph, {DType::kF32, DType::kBF16}, {DType::kF32, DType::kBF16});
    try {
      const Selection selection = SelectPrimitives(graph, precisions, &catalog_, costs, reorders);
      EXPECT_TRUE(selection.exact);
      const double of_plan = CostOf(BuildPlan(graph, selection.choices, reorders, 1), costs);
      EXPECT_NEAR(selection.predicted_ms, of_plan, 1e-9);
      const auto best = BruteForce(graph, precisions, &catalog_, costs, reorders);
      if (!best) continue;
      EXPECT_NEAR(selection.predicted_ms, *best, 1e-9);
      ++compared;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDevice) << error.what();
    }
  }
  EXPECT_GE(compared, 5);
}

TEST_F(PrimitiveSelectionTest, OfEqualFormsTheCheapestSuffices) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    const LayerGraph graph = ResidualBlock(seed);
    const RandomCosts costs(seed, 1);
    const ReorderCosts reorders(&catalog_, costs);
    const auto precisions =
        AllowedPrecisions(graph, {DType::kF32, DType::kBF16}, {DType::kF32, DType::kBF16});
    LayerOptions all(&catalog_, costs, 1 << 20), best(&catalog_, costs);
    EXPECT_LT(best.Of(graph.layers[0].spec, precisions[0]).options.size(),
              all.Of(graph.layers[0].spec, precisions[0]).options.size());
    const Selection of_all = PrimitiveSelector(graph, precisions, &all, reorders).Select();
    const Selection of_best = PrimitiveSelector(graph, precisions, &best, reorders).Select();
    EXPECT_TRUE(of_all.choices == of_best.choices);
    EXPECT_EQ(of_all.predicted_ms, of_best.predicted_ms);
  }
}

TEST_F(PrimitiveSelectionTest, AfterAChangeIsAsFromNothing) {
  const LayerGraph graph = ResidualBlock(1);
  const RandomCosts costs(5, 1);
  const ReorderCosts reorders(&catalog_, costs);
  const std::vector<std::vector<DType>> sets = {
      {DType::kF32}, {DType::kBF16}, {DType::kF32, DType::kBF16}};
  std::vector<std::vector<DType>> precisions(graph.layers.size(), {DType::kF32});
  LayerOptions options(&catalog_, costs);
  PrimitiveSelector kept(graph, precisions, &options, reorders);
  Random random(11);
  for (int i = 0; i < 100; ++i) {
    const auto layer = static_cast<size_t>(random.Below(graph.layers.size()));
    precisions[layer] = sets[static_cast<size_t>(random.Below(sets.size()))];
    kept.SetPrecisions(layer, precisions[layer]);
    const Selection changed = kept.Select();
    const Selection fresh = SelectPrimitives(graph, precisions, &catalog_, costs, reorders);
    EXPECT_TRUE(changed.choices == fresh.choices);
    EXPECT_EQ(changed.predicted_ms, fresh.predicted_ms);
  }
}

TEST_F(PrimitiveSelectionTest, TheTopAreInOrderAndDistinct) {
  const LayerGraph graph = ResidualBlock(1);
  const RandomCosts costs(1, 1);
  const ReorderCosts reorders(&catalog_, costs);
  const auto precisions = AllowedPrecisions(graph, {DType::kF32}, {DType::kF32, DType::kBF16});
  const std::vector<Selection> top = SelectTop(3, graph, precisions, &catalog_, costs, reorders);
  ASSERT_GE(top.size(), 2u);
  for (size_t i = 1; i < top.size(); ++i) {
    EXPECT_LE(top[i - 1].predicted_ms, top[i].predicted_ms);
    EXPECT_FALSE(top[i - 1].choices == top[i].choices);
  }
}

TEST_F(PrimitiveSelectionTest, KeepsToTheAllowedPrecisions) {
  const LayerGraph graph = ResidualBlock(1);
  const RandomCosts costs(2, 1);
  const ReorderCosts reorders(&catalog_, costs);
  const auto precisions = AllowedPrecisions(graph, {DType::kBF16}, {DType::kF32});
  const Selection selection = SelectPrimitives(graph, precisions, &catalog_, costs, reorders);
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    const bool is_weighted = MacsOf(graph.layers[i].spec) > 0;
    EXPECT_EQ(selection.choices[i].precision, is_weighted ? DType::kBF16 : DType::kF32);
  }
}

TEST_F(PrimitiveSelectionTest, SaysWhereNothingWorks) {
  const LayerGraph graph = ResidualBlock(1);
  const RandomCosts costs(2, 0);
  const ReorderCosts reorders(&catalog_, costs);
  const auto precisions = AllowedPrecisions(graph, {DType::kF32}, {DType::kF32});
  EXPECT_THROW(SelectPrimitives(graph, precisions, &catalog_, costs, reorders), Error);
}

}  // namespace
}  // namespace fettle
