#include "fettle/database/cost_match.h"

#include <gtest/gtest.h>

#include "tests/database/sample_records.h"

namespace fettle {
namespace {

CostQuery QueryOf(const CostRecord& record) { return {record.task, record.provenance.fingerprint}; }

// Which of the candidates answers, or -1.
int IndexOfBest(const std::vector<CostRecord>& candidates, const CostQuery& query) {
  const CostMatch match = BestMatch(candidates, query);
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (match.record == candidates[i]) return static_cast<int>(i);
  }
  return -1;
}

TEST(CostMatchTest, QualityOfDeviceAndVersions) {
  const CostRecord record = ConvRecord(8, 1);
  EXPECT_EQ(QualityOf(record, QueryOf(record)), MatchQuality::kExact);

  CostQuery query = QueryOf(record);
  query.fingerprint.memory_bytes = 1;
  query.fingerprint.governor = "powersave";
  query.fingerprint.libraries["openblas"] = "1";
  query.fingerprint.libraries["zlib"] = "1";
  EXPECT_EQ(QualityOf(record, query), MatchQuality::kExact)
      << "not what a oneDNN kernel depends on";

  query = QueryOf(record);
  query.task.version = 2;
  EXPECT_EQ(QualityOf(record, query), MatchQuality::kOtherVersion);
  query = QueryOf(record);
  query.fingerprint.libraries["onednn"] = "3.0";
  EXPECT_EQ(QualityOf(record, query), MatchQuality::kOtherVersion);
  query.fingerprint.libraries.erase("onednn");
  EXPECT_EQ(QualityOf(record, query), MatchQuality::kOtherVersion);
  query = QueryOf(record);
  query.fingerprint.cores = 3;
  EXPECT_EQ(QualityOf(record, query), MatchQuality::kOtherDevice);
}

TEST(CostMatchTest, OurOwnKernelsDependOnNoLibrary) {
  CostRecord record = ConvRecord(8, 1);
  record.task.implementation = "own.winograd";
  CostQuery query = QueryOf(record);
  query.fingerprint.libraries.clear();
  EXPECT_EQ(LibraryOf("own.winograd"), "own");
  EXPECT_EQ(LibraryOf("plain"), "plain");
  EXPECT_EQ(QualityOf(record, query), MatchQuality::kExact);
}

TEST(CostMatchTest, NothingAnswersNothing) {
  const CostMatch match = BestMatch({}, QueryOf(ConvRecord(8, 1)));
  EXPECT_EQ(match.quality, MatchQuality::kNone);
  EXPECT_FALSE(match.record);
}

TEST(CostMatchTest, PrefersTheBetterQualityWhateverElse) {
  const CostQuery query = QueryOf(ConvRecord(8, 1));
  CostRecord exact = ConvRecord(8, 1, 100);
  exact.measurement = Timed(1, MeasurementStatus::kUnstable);
  CostRecord other_library = ConvRecord(8, 2, 200);
  other_library.provenance.fingerprint.libraries["onednn"] = "3.0";
  CostRecord other_version = ConvRecord(8, 3, 300);
  other_version.task.version = 7;
  CostRecord other_device = ConvRecord(8, 4, 400);
  other_device.provenance.fingerprint = OtherBoard();
  EXPECT_EQ(IndexOfBest({other_device, other_version, other_library, exact}, query), 3);
  EXPECT_EQ(IndexOfBest({other_device, other_version, other_library}, query), 2)
      << "the same kernel by another library before another kernel";
  EXPECT_EQ(IndexOfBest({other_device, other_version}, query), 1);
  const CostMatch match = BestMatch(std::vector{other_device}, query);
  EXPECT_EQ(match.quality, MatchQuality::kOtherDevice);
  EXPECT_EQ(match.record, other_device);
}

TEST(CostMatchTest, FailuresCountOnlyWhereTheyAreExact) {
  const CostQuery query = QueryOf(ConvRecord(8, 1));
  CostRecord failed = ConvRecord(8, 1);
  failed.measurement = Failed(MeasurementStatus::kCrashed);
  EXPECT_EQ(BestMatch(std::vector{failed}, query).quality, MatchQuality::kExact);
  CostRecord timed_elsewhere = ConvRecord(8, 1);
  timed_elsewhere.provenance.fingerprint = OtherBoard();
  EXPECT_EQ(IndexOfBest({timed_elsewhere, failed}, query), 1) << "it is known here: it crashes";

  failed.task.version = 2;
  EXPECT_EQ(BestMatch(std::vector{failed}, query).quality, MatchQuality::kNone);
  EXPECT_EQ(IndexOfBest({failed, timed_elsewhere}, query), 1);
}

TEST(CostMatchTest, VerdictsBeforeNoiseBeforeAccidentsThenTheNewest) {
  const CostQuery query = QueryOf(ConvRecord(8, 1));
  const auto with = [](MeasurementStatus status, int64_t time) {
    CostRecord record = ConvRecord(8, 1, time);
    record.measurement = status == MeasurementStatus::kOk || status == MeasurementStatus::kUnstable
                             ? Timed(1, status)
                             : Failed(status);
    return record;
  };
  using S = MeasurementStatus;
  EXPECT_EQ(IndexOfBest({with(S::kOk, 1), with(S::kUnstable, 2), with(S::kCrashed, 3)}, query), 0);
  EXPECT_EQ(IndexOfBest({with(S::kTimedOut, 9), with(S::kUnstable, 2)}, query), 1);
  EXPECT_EQ(IndexOfBest({with(S::kOk, 1), with(S::kWrongResult, 2)}, query), 1);
  EXPECT_EQ(IndexOfBest({with(S::kOk, 3), with(S::kWrongResult, 2)}, query), 0);
  EXPECT_EQ(IndexOfBest({with(S::kOk, INT64_MAX), with(S::kOk, INT64_MIN)}, query), 0);
  EXPECT_EQ(IndexOfBest({with(S::kCrashed, 5), with(S::kFailed, 5)}, query), 1);
}

TEST(CostMatchTest, NamesArePersisted) {
  EXPECT_EQ(NameOf(MatchQuality::kExact), "exact");
  EXPECT_EQ(NameOf(MatchQuality::kOtherVersion), "other_version");
  EXPECT_EQ(NameOf(MatchQuality::kOtherDevice), "other_device");
  EXPECT_EQ(NameOf(MatchQuality::kNone), "none");
}

}  // namespace
}  // namespace fettle
