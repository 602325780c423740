#include "fettle/tuner/tuning_space.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fettle/core/random.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/macs.h"
#include "fettle/tuner/layer_entry.h"
#include "tests/support/network_builder.h"

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

  Candidate SingleOf(size_t decision) const {
    Candidate candidate = space_.space().Original();
    candidate.options[decision] = 1;
    return candidate;
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
    const LayerGraph layers = Lower(built), priced = Lower(shapes, {.shapes_only = true});
    ASSERT_EQ(layers.layers.size(), priced.layers.size()) << CandidateText(candidate);
    for (size_t i = 0; i < layers.layers.size(); ++i) {
      EXPECT_EQ(layers.layers[i].spec, priced.layers[i].spec) << CandidateText(candidate);
    }
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

TEST_F(RewrittenSpaceTest, NothingIsDecidedAboutWhatIsDropped) {
  const size_t drop = Structure("stage1.block1.add"), inner = Structure("stage1.block1.conv1"),
               width = Width("stage1.block1.conv1"), stem = Width("stem.conv"),
               precision = DecisionOf(TuningDecision::Kind::kPrecision, "stage1.block1.conv2"),
               other = DecisionOf(TuningDecision::Kind::kPrecision, "stem.conv");
  Candidate candidate = space_.space().Original();
  for (const size_t decision : {inner, width, precision, stem, other}) {
    candidate.options[decision] = 1;
  }
  candidate.options[inner] = 0;  // too narrow for it
  EXPECT_TRUE(space_.space().IsFeasible(candidate));
  candidate.options[drop] = 1;
  for (const size_t decision : {inner, width, precision}) {
    Candidate one = space_.space().Original();
    one.options[drop] = one.options[decision] = 1;
    EXPECT_FALSE(space_.space().IsFeasible(one)) << decision;
    EXPECT_EQ(MacsOf(space_.Build(one)), MacsOf(space_.Build(SingleOf(drop))));
  }
  EXPECT_TRUE(space_.space().Repair(&candidate));
  for (const size_t decision : {inner, width, precision}) EXPECT_EQ(candidate.options[decision], 0);
  for (const size_t decision : {drop, stem, other}) EXPECT_EQ(candidate.options[decision], 1);
}

// What was narrowed or rewritten may be dropped from there.
TEST_F(RewrittenSpaceTest, WhatIsDroppedDoesNotKeepACandidateFromAStart) {
  const Candidate dropped = SingleOf(Structure("stage1.block1.add"));
  for (const size_t decision : {Structure("stage1.block1.conv1"), Width("stage1.block1.conv1")}) {
    const Candidate start = SingleOf(decision);
    EXPECT_TRUE(space_.CanStartFrom(start, dropped));
    EXPECT_FALSE(space_.CanStartFrom(dropped, start));
    EXPECT_EQ(MacsOf(space_.Build(dropped, space_.Build(start), nullptr, &start)),
              MacsOf(space_.Build(dropped)));
  }
}

// Two blocks of 32 channels behind a stem of 16: the skip around the first is the stem's channels
// and 16 of zeros. So its body computes the latter first, and gives their group its name.
Graph PaddedNetwork() {
  NetworkBuilder builder(1);
  const ValueId stem = builder.Unit("stem", builder.Input({1, 3, 8, 8}), 16);
  const ValueId body = builder.Normalise(
      "a.bn2", builder.Convolve("a.conv2", builder.Unit("a.conv1", stem, 32), 32));
  const ValueId skip =
      builder.Add("a.pad", Pad{PadMode::kConstant, {0, 8, 0, 0}, {0, 8, 0, 0}, 0}, {stem});
  ValueId x = builder.Relu("a.relu", builder.Add("a.add", Binary{BinaryKind::kAdd}, {body, skip}));
  const ValueId second =
      builder.Normalise("b.bn2", builder.Convolve("b.conv2", builder.Unit("b.conv1", x, 32), 32));
  x = builder.Relu("b.relu", builder.Add("b.add", Binary{BinaryKind::kAdd}, {second, x}));
  builder.Classify(x);
  return std::move(builder.graph);
}

class PaddedSpaceTest : public testing::Test {
 protected:
  static TuningSpaceOptions Options() {
    TuningSpaceOptions options;
    options.variants = {{"a.add", {"drop()"}}, {"b.add", {"drop()"}}};
    return options;
  }
  Candidate With(const std::vector<std::string>& names) const {
    Candidate candidate = space_.space().Original();
    for (const std::string& name : names) {
      const auto found = std::ranges::find(space_.space().decisions(), name, &Decision::name);
      EXPECT_NE(found, space_.space().decisions().end()) << name;
      candidate.options[static_cast<size_t>(found - space_.space().decisions().begin())] = 1;
    }
    return candidate;
  }
  TuningSpace space_{PaddedNetwork(), Options()};
  const std::string drop_ = "structure of a.add", padded_ = "width of a.conv2";
};

TEST_F(PaddedSpaceTest, AGroupIsFoundByAnotherNameOnceTheLayerItIsNamedAfterIsDropped) {
  const Candidate start = With({drop_}), narrow = With({drop_, padded_});
  const Graph begun = space_.Build(start);
  const std::vector<ChannelGroup> groups = FindChannelGroups(begun).groups;
  EXPECT_EQ(std::ranges::find(groups, "a.conv2", &ChannelGroup::name), groups.end());
  ASSERT_TRUE(space_.space().IsFeasible(narrow));  // the channels live on
  ASSERT_TRUE(space_.CanStartFrom(start, narrow));
  const Graph from_start = space_.Build(narrow, begun, nullptr, &start);
  EXPECT_LT(MacsOf(from_start), MacsOf(begun));
  EXPECT_EQ(MacsOf(from_start), MacsOf(space_.Build(narrow)));
  EXPECT_EQ(from_start.NumParameters(), space_.Build(narrow).NumParameters());
}

// Starts of every kind lead to the shapes that the candidate has when made from the original.
TEST_F(PaddedSpaceTest, ACandidateIsAsWideAsItSaysWhateverItStartsFrom) {
  Random random(3);
  const DesignSpace& space = space_.space();
  int from_drops = 0;
  for (int trial = 0; trial < 400; ++trial) {
    Candidate start = space.Sample(&random), candidate = start;
    for (int& option : start.options) option = random.Below(2) == 0 ? 0 : option;
    ASSERT_TRUE(space.Repair(&start));
    ASSERT_TRUE(space.Repair(&candidate));
    if (space_.HasSameStructure(start, candidate) || !space_.CanStartFrom(start, candidate)) {
      continue;
    }
    const Graph from_start = space_.Build(candidate, space_.Build(start), nullptr, &start);
    const Graph shapes = space_.Shapes(candidate);
    ASSERT_EQ(MacsOf(from_start), MacsOf(shapes))
        << CandidateText(start) << " " << CandidateText(candidate);
    const std::vector<TuningSpace::Change> changes = space_.Changes(start);
    const bool drops =
        std::ranges::find(changes, "drop()", &TuningSpace::Change::variant) != changes.end();
    from_drops += drops ? 1 : 0;
  }
  EXPECT_GT(from_drops, 3);
}

TEST(EntryOfLayer, IsThatOfTheLayerOrOfTheOneItIsAPartOf) {
  const std::map<std::string, int> entries = {{"a.conv", 1}, {"b", 2}};
  const std::set<std::string> originals = {"a.conv", "a.conv.3", "b", "c"};
  const auto entry = [&](const char* layer) {
    const int* found = EntryOfLayer(entries, layer, originals);
    return found == nullptr ? 0 : *found;
  };
  EXPECT_EQ(entry("a.conv"), 1);
  EXPECT_EQ(entry("a.conv.2"), 1);
  EXPECT_EQ(entry("a.conv.3"), 0);    // a layer of the original
  EXPECT_EQ(entry("a.conv.3.1"), 0);  // a part of that
  EXPECT_EQ(entry("b.1.1_2"), 2);
  EXPECT_EQ(entry("a"), 0);
  EXPECT_EQ(entry("a.other"), 0);
  EXPECT_EQ(entry(".conv"), 0);
}

}  // namespace
}  // namespace fettle
