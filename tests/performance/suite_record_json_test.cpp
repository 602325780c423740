#include "tests/performance/suite_record_json.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/fault.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

// As `fettle bench --json` answers, as far as the record looks at it.
std::string Answer(double ours_ms) {
  const auto interval = [](double value) {
    return Json{{"median", value}, {"low", value - 0.5}, {"high", value + 0.5}};
  };
  const Json peer = {{"our_latency_ms", interval(ours_ms)},
                     {"latency_ms", interval(2 * ours_ms)},
                     {"ratio", interval(2)},
                     {"version", "1.30.0"}};
  const Json answer = {{"default_latency_ms", interval(3 * ours_ms)},
                       {"against", {{"onnxruntime", peer}}}};
  return answer.dump();
}

class SuiteRecordTest : public testing::Test {
 protected:
  ScratchFolder scratch_;
  std::filesystem::path file_ = scratch_.path() / "measurements.jsonl";
  Case one_{"one", "f32", 1}, two_{"one", "f32", 2};
};

TEST_F(SuiteRecordTest, KnowsWhatWasAddedAlsoInAnotherProcess) {
  Record record(file_);
  EXPECT_FALSE(record.Has(one_));
  record.Add(one_, 0.25, Answer(4));
  for (const Record& each : {record, Record(file_)}) {
    ASSERT_TRUE(each.Has(one_));
    EXPECT_FALSE(each.Has(two_));
    const Outcome& outcome = each.outcomes().at(one_);
    EXPECT_EQ(outcome.ours.value, 4);
    EXPECT_EQ(outcome.theirs.low, 7.5);
    EXPECT_EQ(outcome.ratio.high, 2.5);
    EXPECT_EQ(outcome.default_ms, 12);
    EXPECT_EQ(outcome.load, 0.25);
    EXPECT_EQ(outcome.peer_version, "1.30.0");
  }
}

TEST_F(SuiteRecordTest, TheLastAnswerCounts) {
  Record record(file_);
  record.Add(one_, 0, Answer(4));
  record.Add(one_, 0, Answer(5));
  EXPECT_EQ(Record(file_).outcomes().at(one_).ours.value, 5);
}

TEST_F(SuiteRecordTest, GoesOnBehindHalfALine) {
  Record(file_).Add(one_, 0, Answer(4));
  std::ofstream(file_, std::ios::app) << R"({"network": "one", "precision": "f32", "thr)";
  Record record(file_);
  EXPECT_EQ(record.outcomes().size(), 1);
  record.Add(two_, 0, Answer(5));
  EXPECT_TRUE(Record(file_).Has(one_));
  EXPECT_TRUE(Record(file_).Has(two_));
}

TEST_F(SuiteRecordTest, AnAnswerThatIsNoneIsNotKept) {
  Record record(file_);
  EXPECT_EQ(FaultOf([&] { record.Add(one_, 0, "fettle: out of memory"); }, ErrorKind::kDevice),
            "one: bench did not answer with JSON");
  EXPECT_FALSE(record.Has(one_));
  EXPECT_FALSE(Record(file_).Has(one_));
}

}  // namespace
}  // namespace fettle
