#include "fettle/tuner/fastest_plan.h"

#include <gtest/gtest.h>

#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "tests/runtime/small_graphs.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

class FastestPlanTest : public testing::Test {
 protected:
  Plan PlanOf(int threads) const {
    Plan plan =
        DefaultPlan(ResidualBlock(1), DType::kF32, PrimitiveList::All(), HostTarget(threads));
    EXPECT_EQ(plan.threads, threads);
    return plan;
  }

  // A machine on which so many threads are the best number, and each other takes longer by what it
  // is away from that.
  PlansTimer BestWith(int threads) {
    return [=, this](const PlansRequest& request) {
      PlansAnswer answer;
      EXPECT_EQ(request.threads, 0);  // each its own
      for (const std::string& folder : request.folders) {
        const double ms = 1 + std::abs(ReadPlan(folder).threads - threads);
        answer.plans.emplace_back();
        if (!fails_) answer.plans.back().timing.measurement.samples_ms = {ms, ms, ms};
      }
      ++requests_;
      return answer;
    };
  }

  const ScratchFolder scratch_;
  bool fails_ = false;
  int requests_ = 0;
};

TEST_F(FastestPlanTest, TakesTheNumberOfThreadsThatIsFastest) {
  for (const int best : {1, 2, 4}) {
    EXPECT_EQ(WithBestThreads(PlanOf(4), BestWith(best), scratch_.path()).plan.threads, best);
  }
  EXPECT_EQ(WithBestThreads(PlanOf(4), BestWith(3), scratch_.path()).plan.threads, 4);
  EXPECT_EQ(WithBestThreads(PlanOf(4), BestWith(1), scratch_.path()).gain, 4);
  EXPECT_TRUE(std::filesystem::is_empty(scratch_.path()));
}

TEST_F(FastestPlanTest, TimesNothingWhereThereIsNoChoice) {
  EXPECT_EQ(WithBestThreads(PlanOf(1), BestWith(1), scratch_.path()).plan.threads, 1);
  EXPECT_EQ(requests_, 0);
}

TEST_F(FastestPlanTest, WhereNothingCanBeTimedTheFirstIsTaken) {
  fails_ = true;
  EXPECT_EQ(WithBestThreads(PlanOf(2), BestWith(1), scratch_.path()).plan.threads, 2);
  EXPECT_EQ(requests_, 1);
}

}  // namespace
}  // namespace fettle
