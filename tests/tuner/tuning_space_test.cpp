#include "fettle/tuner/tuning_space.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fettle/core/random.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/macs.h"

namespace fettle {
namespace {

class TuningSpaceTest : public testing::Test {
 protected:
  TuningSpace space_{MakeArchitecture("resnet8", {1, 28, 28}, 10, 1), {}};
};

TEST_F(TuningSpaceTest, OptionZeroIsTheOriginal) {
  const Candidate original = space_.space().Original();
  EXPECT_EQ(MacsOf(space_.Build(original)), MacsOf(space_.original()));
  EXPECT_TRUE(space_.Changes(original).empty());
  for (const auto& [layer, dtype] : space_.Precisions(original)) EXPECT_EQ(dtype, DType::kF32);
}

TEST_F(TuningSpaceTest, NarrowerCandidatesCostLessAndCanStartFromWiderOnes) {
  Candidate narrow = space_.space().Original(), narrower = narrow;
  size_t changed = 0;
  for (size_t i = 0; i < narrow.options.size(); ++i) {
    if (space_.decisions()[i].kind != TuningDecision::Kind::kWidth) continue;
    narrow.options[i] = 1;
    narrower.options[i] = space_.space().decisions()[i].num_options - 1;
    ++changed;
  }
  ASSERT_GT(changed, 3u);
  const Graph wide = space_.Build(narrow);
  EXPECT_LT(MacsOf(wide), MacsOf(space_.original()));
  EXPECT_TRUE(space_.CanStartFrom(narrow, narrower));
  EXPECT_FALSE(space_.CanStartFrom(narrower, narrow));
  EXPECT_FALSE(space_.HasSameStructure(narrow, narrower));
  EXPECT_EQ(MacsOf(space_.Build(narrower, wide, nullptr, &narrow)), MacsOf(space_.Build(narrower)));
  EXPECT_EQ(space_.Changes(narrow).size(), changed);
}

// Widths, structures and precisions together. "stage2.block1.shortcut.conv" is 1x1, 16 -> 32.
class RewrittenSpaceTest : public testing::Test {
 protected:
  static TuningSpaceOptions Options() {
    TuningSpaceOptions options;
    options.variants = {{"stage1.block1.add", {"drop()"}},
                        {"stage1.block1.conv1", {"tucker1(rank=8)"}},
                        {"stage2.block1.shortcut.conv", {"svd(rank=8)", "svd(rank=4)"}}};
    return options;
  }

  size_t DecisionOf(TuningDecision::Kind kind, const std::string& layer) const {
    for (size_t i = 0; i < space_.decisions().size(); ++i) {
      if (space_.decisions()[i].kind == kind && space_.decisions()[i].layer == layer) return i;
    }
    ADD_FAILURE() << layer;
    return 0;
  }
  size_t Structure(const std::string& layer) const {
    return DecisionOf(TuningDecision::Kind::kVariant, layer);
  }
  size_t Width(const std::string& layer) const {
    return DecisionOf(TuningDecision::Kind::kWidth, layer);
  }

  TuningSpace space_{MakeArchitecture("resnet8", {1, 28, 28}, 10, 1), Options()};
  const std::string shortcut_ = "stage2.block1.shortcut.conv";
};

TEST_F(RewrittenSpaceTest, ShapesAreThoseOfTheNetworkBuilt) {
  Random random(1);
  for (int trial = 0; trial < 30; ++trial) {
    Candidate candidate = space_.space().Sample(&random);
    ASSERT_TRUE(space_.space().Repair(&candidate));
    const Graph built = space_.Build(candidate), shapes = space_.Shapes(candidate);
    EXPECT_EQ(MacsOf(built), MacsOf(shapes)) << CandidateText(candidate);
    EXPECT_EQ(built.NumParameters(), shapes.NumParameters()) << CandidateText(candidate);
  }
}

TEST_F(RewrittenSpaceTest, ChangesAreTheVariantsByName) {
  Candidate candidate = space_.space().Original();
  candidate.options[Structure(shortcut_)] = 2;
  candidate.options[Structure("stage1.block1.add")] = 1;
  const std::vector<TuningSpace::Change> changes = space_.Changes(candidate);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].variant, "drop()");
  EXPECT_EQ(changes[1].layer, shortcut_);
  EXPECT_EQ(changes[1].variant, "svd(rank=4)");
  const Graph graph = space_.Build(candidate);
  const auto has = [&](const std::string& name) {
    return std::ranges::find(graph.nodes(), name, &Node::name) != graph.nodes().end();
  };
  EXPECT_TRUE(has(shortcut_ + ".1"));
  EXPECT_TRUE(has(shortcut_));
  EXPECT_FALSE(has("stage1.block1.conv1"));
}

TEST_F(RewrittenSpaceTest, ALayerTooNarrowForItsVariantIsLeftAsItIs) {
  Candidate candidate = space_.space().Original();
  const size_t width = Width("stem.conv"), structure = Structure(shortcut_);
  candidate.options[structure] = 1;  // 16 -> 8 -> 32 saves something,
  EXPECT_TRUE(space_.space().IsFeasible(candidate));
  candidate.options[width] = 1;  // 8 -> 8 -> 32 nothing
  ASSERT_EQ(space_.decisions()[width].kept[1], 8);
  EXPECT_FALSE(space_.space().IsFeasible(candidate));
  EXPECT_TRUE(space_.space().Repair(&candidate));
  EXPECT_EQ(candidate.options[structure], 0);
  EXPECT_EQ(candidate.options[width], 1);
  candidate.options[structure] = 2;
  EXPECT_TRUE(space_.space().IsFeasible(candidate));
}

TEST_F(RewrittenSpaceTest, StartsAreNetworksWhoseTrainedWeightsCanBeKept) {
  const Candidate original = space_.space().Original();
  Candidate rewritten = original, narrow = original, narrower = original, both = original;
  const size_t structure = Structure(shortcut_), stem = Width("stem.conv"),
               inner = Width("stage3.block1.conv1");
  rewritten.options[structure] = 2;
  narrow.options[stem] = 1;
  both.options[structure] = 2;
  both.options[inner] = 1;
  narrower.options[structure] = 2;
  narrower.options[stem] = 1;
  EXPECT_TRUE(space_.CanStartFrom(original, rewritten));
  EXPECT_TRUE(space_.CanStartFrom(rewritten, both));
  EXPECT_TRUE(space_.CanStartFrom(narrow, narrower));
  EXPECT_FALSE(space_.CanStartFrom(rewritten, original));
  EXPECT_FALSE(space_.CanStartFrom(rewritten, narrower));  // the width of a rewritten layer
  EXPECT_FALSE(space_.HasSameStructure(original, rewritten));
  EXPECT_TRUE(space_.HasSameStructure(both, both));
  for (const auto& [start, candidate] : {std::pair(rewritten, both), std::pair(narrow, narrower)}) {
    const Graph begun = space_.Build(start);
    EXPECT_EQ(MacsOf(space_.Build(candidate, begun, nullptr, &start)),
              MacsOf(space_.Build(candidate)));
  }
}

TEST_F(RewrittenSpaceTest, FingerprintsTellSpacesApart) {
  TuningSpaceOptions other = Options();
  other.variants[2].variants[0] = "svd(rank=6)";
  const auto fingerprint = [](const TuningSpaceOptions& options) {
    return TuningSpace(MakeArchitecture("resnet8", {1, 28, 28}, 10, 2), options).Fingerprint();
  };
  EXPECT_EQ(space_.Fingerprint(), fingerprint(Options()));
  EXPECT_NE(space_.Fingerprint(), fingerprint(other));
}

TEST(EntryOfLayer, IsThatOfTheLayerOrOfTheOneItIsAPartOf) {
  const std::map<std::string, int> entries = {{"a.conv", 1}, {"b", 2}};
  const auto entry = [&](const char* layer) {
    const int* found = EntryOfLayer(entries, layer);
    return found == nullptr ? 0 : *found;
  };
  EXPECT_EQ(entry("a.conv"), 1);
  EXPECT_EQ(entry("a.conv.2"), 1);
  EXPECT_EQ(entry("b.1.1_2"), 2);
  EXPECT_EQ(entry("a"), 0);
  EXPECT_EQ(entry("a.other"), 0);
  EXPECT_EQ(entry(".conv"), 0);
}

}  // namespace
}  // namespace fettle
