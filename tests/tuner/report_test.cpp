#include "fettle/tuner/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
  EXPECT_THAT(page, Not(HasSubstr("http")));  // nothing is fetched
}

}  // namespace
}  // namespace fettle
