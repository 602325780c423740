#include "fettle/tuner/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/scratch_folder.h"
#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Report, ShowsTheFrontAndEscapesNames) {
  const ScratchFolder scratch;
  Session session = Session::Create(scratch.path() / "s", SampleSettings());
  EXPECT_THAT(ReportHtml(session), HasSubstr("Nothing has been verified yet"));
  session.SetOriginal(SamplePoint("original", 2, 0.95));
  session.AddPoint(SamplePoint("c0", 1, 0.94));
  session.AddPoint(SamplePoint("beaten", 1.5, 0.90));
  const std::string page = ReportHtml(session);
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("2.00&times;"));
  EXPECT_THAT(page, HasSubstr("class=off"));
  EXPECT_THAT(page, HasSubstr("conv&lt;1&gt;"));
  EXPECT_THAT(page, Not(HasSubstr("conv<1>")));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("http")));               // nothing is fetched
  EXPECT_THAT(page, Not(HasSubstr("Predicted against")));  // nothing was predicted
}

TEST(Report, ShowsWhatWasPredictedBesideWhatWasMeasured) {
  const ScratchFolder scratch;
  Session session = Session::Create(scratch.path() / "s", SampleSettings());
  session.SetOriginal(SamplePoint("original", 2, 0.95));
  for (int i = 0; i < 4; ++i) {
    VerifiedPoint point = SamplePoint(Text("c", i), 1 + i, 0.9 + 0.01 * i);
    point.drop = {3.0 - i, 2.5 - i, 3.5 - i};
    point.predicted_loss = i == 1 ? 0.25 : 0.3 - 0.1 * i;  // c1 and c0 in order, as all others
    if (i > 0) point.predicted_drop = 2.5 - i;             // half a point too low
    session.AddPoint(point);
  }
  const std::string page = ReportHtml(Session::Read(scratch.path() / "s"));
  EXPECT_THAT(page, HasSubstr("Predicted against measured drop"));
  EXPECT_THAT(page, HasSubstr("c3: predicted -0.50, measured 0.00 points"));
  EXPECT_THAT(page, Not(HasSubstr("c0: predicted")));
  EXPECT_THAT(page, HasSubstr("within 0.50 points"));
  EXPECT_THAT(page, HasSubstr("measured drop: 1.00"));
  EXPECT_THAT(page, HasSubstr("over all 4 points: 1.00"));
}

}  // namespace
}  // namespace fettle
