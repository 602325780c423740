#include "fettle/tuner/accuracy_proxies.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "fettle/network/architectures/architecture_list.h"
#include "fettle/training/evaluation/calibrate.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

class AccuracyProxiesTest : public testing::Test {
 protected:
  double Score(const AccuracyProxy& proxy, const Candidate& candidate) {
    const ProxyContext context = {space_, calibration_, statistics_,  &recovery_, 2,
                                  1,      primitives_,  HostTarget(1)};
    return proxy.score(context, candidate);
  }

  Candidate Narrowed(int option) const {
    Candidate candidate = space_.space().Original();
    for (size_t i = 0; i < candidate.options.size(); ++i) {
      if (space_.decisions()[i].kind != TuningDecision::Kind::kWidth) continue;
      candidate.options[i] = std::min(option, space_.space().decisions()[i].num_options - 1);
    }
    return candidate;
  }

  const Dataset train_ = ToyDataset(256, {1, 8, 8}, 1), calibration_ = ToyDataset(64, {1, 8, 8}, 2);
  const TuningSpace space_{MakeArchitecture("resnet8", {1, 8, 8}, 4, 1), {}};
  const PrimitiveList primitives_ = PrimitiveList::All();
  const Calibration statistics_ = Calibrate(space_.original(), ValuesToCalibrate(space_.original()),
                                            train_, primitives_, HostTarget(1));
  Recovery recovery_{space_.original(), train_, HostTarget(1)};
};

TEST_F(AccuracyProxiesTest, EachHasANameAndAFiniteScoreAlwaysTheSame) {
  std::set<std::string_view> names;
  for (const AccuracyProxy& proxy : AccuracyProxies()) {
    SCOPED_TRACE(proxy.name);
    EXPECT_TRUE(names.insert(proxy.name).second);
    EXPECT_FALSE(proxy.meaning.empty());
    const double score = Score(proxy, Narrowed(1));
    EXPECT_TRUE(std::isfinite(score));
    EXPECT_EQ(score, Score(proxy, Narrowed(1)));
  }
}

TEST_F(AccuracyProxiesTest, NothingRemovedLosesNothing) {
  for (const AccuracyProxy& proxy : AccuracyProxies()) {
    if (proxy.name.ends_with("glimpse")) continue;  // it is trained all the same
    EXPECT_EQ(Score(proxy, space_.space().Original()), 0) << proxy.name;
  }
}

TEST_F(AccuracyProxiesTest, WhatOnlyCountsWhatIsGoneGrowsWithIt) {
  for (const AccuracyProxy& proxy : AccuracyProxies()) {
    const bool counts = proxy.name == "fisher_information" || proxy.name.starts_with("removed");
    if (!counts) continue;
    EXPECT_LT(Score(proxy, Narrowed(1)), Score(proxy, Narrowed(3))) << proxy.name;
  }
}

TEST_F(AccuracyProxiesTest, SinglesAreTheChangesEachAlone) {
  Candidate candidate = space_.space().Original();
  candidate.options[0] = 1;
  candidate.options[1] = 1;
  const std::vector<Candidate> singles = SingleChangesOf(space_.space(), candidate);
  ASSERT_EQ(singles.size(), 2u);
  EXPECT_EQ(singles[0].options[0], 1);
  EXPECT_EQ(singles[0].options[1], 0);
  EXPECT_EQ(singles[1].options[1], 1);
}

}  // namespace
}  // namespace fettle
