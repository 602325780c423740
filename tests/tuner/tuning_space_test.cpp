#include "fettle/tuner/tuning_space.h"

#include <gtest/gtest.h>

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
  EXPECT_TRUE(space_.IsWider(narrow, narrower));
  EXPECT_FALSE(space_.IsWider(narrower, narrow) && space_.HasSameWidths(narrow, narrower));
  EXPECT_EQ(MacsOf(space_.Build(narrower, wide)), MacsOf(space_.Build(narrower)));
  EXPECT_EQ(space_.Changes(narrow).size(), changed);
}

TEST_F(TuningSpaceTest, GroupsThatShareALayerMeet) {
  size_t pairs = 0;
  for (size_t a = 0; a < space_.decisions().size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      const bool are_widths = space_.decisions()[a].kind == TuningDecision::Kind::kWidth &&
                              space_.decisions()[b].kind == TuningDecision::Kind::kWidth;
      if (!are_widths) continue;
      EXPECT_EQ(space_.Meet(a, b), space_.Meet(b, a));
      pairs += space_.Meet(a, b) ? 1 : 0;
    }
  }
  EXPECT_GT(pairs, 0u);
}

}  // namespace
}  // namespace fettle
