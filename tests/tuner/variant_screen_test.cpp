#include "fettle/tuner/variant_screen.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/network/variants/variant_list.h"
#include "tests/support/sanitized.h"

namespace fettle {
namespace {

class VariantScreenTest : public testing::Test {
 protected:
  std::vector<VariantOffer> Screened(const VariantScreenOptions& options) const {
    return ScreenVariants(graph_, HostTarget(1), options);
  }
  static VariantScreenOptions All() {
    VariantScreenOptions options;
    for (const VariantKind& kind : AllVariantKinds()) {
      if (kind.name != "prune") options.kinds.emplace_back(kind.name);
    }
    return options;
  }

  const Graph graph_ = MakeArchitecture(kIsSanitized ? "resnet8" : "resnet20", {3, 32, 32}, 10, 1);
};

size_t CountOf(const std::vector<VariantOffer>& offers) {
  size_t count = 0;
  for (const VariantOffer& offer : offers) count += offer.variants.size();
  return count;
}

TEST_F(VariantScreenTest, OffersCanBeAppliedAndAreTheSameEachTime) {
  const std::vector<VariantOffer> offers = Screened(All()), again = Screened(All());
  ASSERT_FALSE(offers.empty());
  ASSERT_EQ(offers.size(), again.size());
  for (size_t i = 0; i < offers.size(); ++i) {
    EXPECT_EQ(offers[i].layer, again[i].layer);
    EXPECT_EQ(offers[i].variants, again[i].variants);
    EXPECT_LE(offers[i].variants.size(), All().most_a_layer);
    for (const std::string& text : offers[i].variants) {
      EXPECT_NO_THROW(ParseVariant(text)->Rewrite(graph_, offers[i].layer, {}));
    }
  }
}

TEST_F(VariantScreenTest, LimitsAndKindsAreKept) {
  VariantScreenOptions few = All();
  few.most_in_all = 5;
  few.most_a_layer = 1;
  EXPECT_EQ(CountOf(Screened(few)), 5u);
  for (const VariantOffer& offer : Screened(few)) EXPECT_EQ(offer.variants.size(), 1u);
  VariantScreenOptions drops;
  drops.kinds = {"drop"};
  for (const VariantOffer& offer : Screened(drops)) EXPECT_EQ(offer.variants[0], "drop()");
  EXPECT_EQ(CountOf(Screened(drops)), kIsSanitized ? 1u : 7u);
  EXPECT_TRUE(Screened({}).empty());
}

TEST_F(VariantScreenTest, EndsWhenAsked) {
  VariantScreenOptions options = All();
  options.progress = [](std::string_view, size_t done, size_t all) {
    EXPECT_LE(done, all);
    throw Error(ErrorKind::kInterrupted, "stop");
  };
  EXPECT_THROW(Screened(options), Error);
}

}  // namespace
}  // namespace fettle
