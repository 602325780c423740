#include "fettle/tuner/deployment.h"

#include <gtest/gtest.h>

#include "tests/support/scratch_folder.h"
#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

class PickPointTest : public testing::Test {
 protected:
  PickPointTest() : session_(Session::Create(scratch_.path() / "s", SampleSettings())) {
    session_.SetOriginal(SamplePoint("original", 4, 0.95));
    session_.AddPoint(SamplePoint("c0", 2, 0.95));
    session_.AddPoint(SamplePoint("c1", 1, 0.94));
    session_.AddPoint(SamplePoint("c2", 0.9, 0.80));
    session_.AddPoint(SamplePoint("beaten", 3, 0.70));
  }
  std::string Pick(const std::string& pick) const { return PickPoint(session_, pick).id; }

  ScratchFolder scratch_;
  Session session_;
};

TEST_F(PickPointTest, TakesTheBestPointThatSatisfies) {
  EXPECT_EQ(Pick("beaten"), "beaten");
  EXPECT_EQ(Pick("original"), "original");
  EXPECT_EQ(Pick("fastest"), "c2");
  EXPECT_EQ(Pick("knee"), "c1");
  EXPECT_EQ(Pick("accuracy>=0.93"), "c1");
  EXPECT_EQ(Pick("accuracy>=0.945"), "c0");
  EXPECT_EQ(Pick("latency<=1.5ms"), "c1");
  EXPECT_EQ(Pick("latency<=10"), "c0");
}

TEST_F(PickPointTest, SaysWhatItDoesNotUnderstandOrFind) {
  EXPECT_THROW(Pick("latency<=0.1ms"), Error);
  for (const char* pick : {"", "c9", "accuracy>=", "accuracy>=x", "latency<=1s", "slowest"}) {
    try {
      Pick(pick);
      ADD_FAILURE() << pick;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kUsage) << pick;
    }
  }
}

}  // namespace
}  // namespace fettle
