#include "fettle/core/measurement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fettle {
namespace {

Measurement Timed() {
  Measurement timed;
  timed.status = MeasurementStatus::kUnstable;
  timed.mode = CacheMode::kCold;
  timed.samples_ms = {0.1 + 0.2, 0.5, 1e-7, 0.25, 3, 0.5};
  timed.latency_ms = MedianInterval(timed.samples_ms);
  timed.cpu_ms = 1.0 / 3;
  timed.dropped_rounds = 2;
  timed.reference_drift = 1.01;
  timed.error = 1e-6;
  timed.workspace_bytes = int64_t{1} << 40;
  timed.weight_bytes = 147456;
  timed.detail = "after 10 s:\n C:\\ and\\n so on = 5";
  return timed;
}

TEST(MeasurementTest, TextIsThePersistedOne) {
  Measurement measurement;
  measurement.status = MeasurementStatus::kOk;
  measurement.samples_ms = {0.5, 0.25};
  measurement.latency_ms = Interval{0.5, 0.25, 1};
  measurement.detail = "fine";
  EXPECT_EQ(MeasurementText(measurement),
            "status=ok mode=hot cpu_ms=0 dropped=0 drift=1 error=0 workspace=0 weights=0 "
            "latency=0.5,0.25,1 samples=0.5,0.25 detail=fine");
  EXPECT_EQ(MeasurementText({}),
            "status=failed mode=hot cpu_ms=0 dropped=0 drift=1 error=0 workspace=0 weights=0");
}

TEST(MeasurementTest, TextParsesBackOnOneLine) {
  ASSERT_TRUE(Timed().has_latency());
  for (const Measurement& measurement : {Timed(), Measurement{}}) {
    const std::string text = MeasurementText(measurement);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_EQ(ParseMeasurement(text), measurement) << text;
  }
}

TEST(MeasurementTest, ErrorOfAWrongResultNeedNotBeANumber) {
  Measurement wrong;
  wrong.status = MeasurementStatus::kWrongResult;
  wrong.error = std::numeric_limits<double>::infinity();
  EXPECT_EQ(ParseMeasurement(MeasurementText(wrong)), wrong);
  wrong.error = std::nan("");
  const std::optional<Measurement> parsed = ParseMeasurement(MeasurementText(wrong));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(std::isnan(parsed->error));
}

TEST(MeasurementTest, RefusesEverythingElse) {
  const std::string good = MeasurementText(Timed());
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& text : {std::string(),
                                  std::string("ok"),
                                  replaced("unstable", "fast"),
                                  replaced("cold", "warm"),
                                  replaced("mode=cold ", ""),
                                  replaced("dropped=2", "dropped=-2"),
                                  replaced("dropped=2", "dropped=2.5"),
                                  replaced("dropped=2", "dropped=99999999999"),
                                  replaced("cpu_ms=", "cpu_ms=inf"),
                                  replaced("samples=", "samples=nan,"),
                                  replaced("samples=", "samples=-1,"),
                                  replaced("samples=", "samples=,"),
                                  replaced("latency=", "latency=1,"),
                                  replaced(" ", "  "),
                                  replaced("detail=", "reason="),
                                  replaced("C:\\\\", "C:\\"),
                                  good + "\n",
                                  good + "\\",
                                  " " + good,
                                  MeasurementText({}) + " ",
                                  MeasurementText({}) + " detail="}) {
    EXPECT_FALSE(ParseMeasurement(text)) << text;
  }
}

TEST(MeasurementTest, RefusesEveryTruncationOfTheNumbers) {
  const std::string text = MeasurementText({});
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(ParseMeasurement(text.substr(0, size))) << size;
  }
}

TEST(MeasurementTest, EveryNameParses) {
  for (int i = 0; i <= static_cast<int>(MeasurementStatus::kFailed); ++i) {
    const auto status = static_cast<MeasurementStatus>(i);
    EXPECT_EQ(ParseMeasurementStatus(NameOf(status)), status);
  }
  for (int i = 0; i <= static_cast<int>(CacheMode::kInNetwork); ++i) {
    const auto mode = static_cast<CacheMode>(i);
    EXPECT_EQ(ParseCacheMode(NameOf(mode)), mode);
  }
  EXPECT_FALSE(ParseMeasurementStatus(""));
  EXPECT_FALSE(ParseCacheMode("Hot"));
}

}  // namespace
}  // namespace fettle
