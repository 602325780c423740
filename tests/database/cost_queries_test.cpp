#include "fettle/database/cost_queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/database/sample_records.h"

namespace fettle {
namespace {

using testing::ElementsAre;

// The fields of one column, from the top.
std::vector<Cell> Column(const Table& table, const std::string& name) {
  const auto place = std::find(table.columns.begin(), table.columns.end(), name);
  EXPECT_NE(place, table.columns.end()) << name;
  std::vector<Cell> column;
  for (const auto& row : table.rows) {
    column.push_back(row[static_cast<size_t>(place - table.columns.begin())]);
  }
  return column;
}

Cell N(int64_t number) { return number; }

CostRecord By(const std::string& implementation, CostRecord record) {
  record.task.implementation = implementation;
  return record;
}

CostRecord On(const Fingerprint& board, CostRecord record) {
  record.provenance.fingerprint = board;
  return record;
}

class CostQueriesTest : public testing::Test {
 protected:
  CostQueriesTest() : database_(OpenForWriting(folder_ / "costs.db")) {}

  TemporaryFolder folder_;
  CostDatabase database_;
};

TEST_F(CostQueriesTest, EmptyDatabaseHasEmptyTables) {
  for (const Table& table : {Layers(database_, {}), Best(database_, {}), Devices(database_, {}),
                             Compare(database_, {}, {})}) {
    EXPECT_TRUE(table.rows.empty());
    EXPECT_FALSE(table.columns.empty());
  }
}

TEST_F(CostQueriesTest, LayersCountsWhatThereIs) {
  database_.Insert(std::vector{ConvRecord(8, 1), By("openblas.gemm", ConvRecord(8, 2)),
                               On(OtherBoard(), ConvRecord(8, 3)), ConvRecord(9, 4)});
  const Table table = Layers(database_, {});
  EXPECT_THAT(Column(table, "layer"), ElementsAre(Cell(ConvKey(8).text), Cell(ConvKey(9).text)));
  EXPECT_THAT(Column(table, "operator"), ElementsAre(Cell("conv"), Cell("conv")));
  EXPECT_THAT(Column(table, "records"), ElementsAre(N(3), N(1)));
  EXPECT_THAT(Column(table, "implementations"), ElementsAre(N(2), N(1)));
  EXPECT_THAT(Column(table, "devices"), ElementsAre(N(2), N(1)));
  EXPECT_EQ(Layers(database_, {.primitive = "openblas"}).rows.size(), 1U);
}

TEST_F(CostQueriesTest, BestIsTheFastestOfEachLayerWithItsRunnerUp) {
  CostRecord failed = By("own.fast", ConvRecord(8, 1));
  failed.measurement = Failed(MeasurementStatus::kWrongResult);
  CostRecord disturbed = ConvRecord(9, 5);
  disturbed.waited_ms = 0.25;
  database_.Insert(std::vector{ConvRecord(8, 3), By("openblas.gemm", ConvRecord(8, 2)),
                               By("own.direct", ConvRecord(8, 2.001)), failed, disturbed,
                               On(OtherBoard(), ConvRecord(9, 4))});
  const Table table = Best(database_, {.device = DeviceId(Board())});
  EXPECT_THAT(Column(table, "layer"), ElementsAre(Cell(ConvKey(8).text), Cell(ConvKey(9).text)));
  EXPECT_THAT(Column(table, "implementation"),
              ElementsAre(Cell("openblas.gemm"), Cell("onednn.conv:jit:avx2")));
  EXPECT_THAT(Column(table, "median_ms"), ElementsAre(Cell(2.0), Cell(5.0)));
  EXPECT_THAT(Column(table, "low_ms"),
              ElementsAre(Cell(Timed(2).latency_ms->low), Cell(Timed(5).latency_ms->low)));
  EXPECT_THAT(Column(table, "waited_ms"), ElementsAre(Cell(), Cell(0.25)));
  EXPECT_THAT(Column(table, "next_implementation"), ElementsAre(Cell("own.direct"), Cell()));
  EXPECT_THAT(Column(table, "is_clear"), ElementsAre(N(0), Cell()));
  EXPECT_THAT(Column(table, "contenders"), ElementsAre(N(3), N(1)));
  EXPECT_EQ(Best(database_, {}).rows.size(), 3U) << "one for each device";
  EXPECT_THAT(Column(Best(database_, {.primitive = "own"}), "implementation"),
              ElementsAre(Cell("own.direct")));
}

TEST_F(CostQueriesTest, BestIsClearWhereTheIntervalsAreApart) {
  database_.Insert(std::vector{ConvRecord(8, 3), By("openblas.gemm", ConvRecord(8, 2))});
  EXPECT_THAT(Column(Best(database_, {}), "is_clear"), ElementsAre(N(1)));
}

TEST_F(CostQueriesTest, BestGoesByTheRecordThatALookUpPrefers) {
  CostRecord lucky = ConvRecord(8, 1, 100);
  CostRecord noisy = ConvRecord(8, 0.5, 300);
  noisy.measurement = Timed(0.5, MeasurementStatus::kUnstable);
  const CostRecord newer = ConvRecord(8, 2, 200);
  database_.Insert(std::vector{lucky, newer, noisy});
  EXPECT_THAT(Column(Best(database_, {}), "median_ms"), ElementsAre(Cell(2.0)));
  EXPECT_EQ(database_.LookUp({newer.task, Board()}).record, newer);
  CostRecord next_version = ConvRecord(8, 7, 1);
  next_version.task.version = 2;
  database_.Insert(next_version);
  EXPECT_THAT(Column(Best(database_, {}), "median_ms"), ElementsAre(Cell(7.0)));
}

TEST_F(CostQueriesTest, ComparesPrimitives) {
  database_.Insert(std::vector{ConvRecord(8, 3), By("openblas.gemm", ConvRecord(8, 2)),
                               By("openblas.gemm", ConvRecord(9, 2))});
  const Table table = Compare(database_, {.primitive = "openblas"}, {.primitive = "onednn"});
  EXPECT_THAT(Column(table, "layer"), ElementsAre(Cell(ConvKey(8).text)));
  EXPECT_THAT(Column(table, "device"), ElementsAre(Cell(DeviceId(Board()))));
  EXPECT_THAT(Column(table, "left_implementation"), ElementsAre(Cell("openblas.gemm")));
  EXPECT_THAT(Column(table, "right_median_ms"), ElementsAre(Cell(3.0)));
  EXPECT_THAT(Column(table, "ratio"), ElementsAre(Cell(2.0 / 3)));
  const Interval left = *Timed(2).latency_ms, right = *Timed(3).latency_ms;
  EXPECT_THAT(Column(table, "ratio_low"), ElementsAre(Cell(left.low / right.high)));
  EXPECT_THAT(Column(table, "ratio_high"), ElementsAre(Cell(left.high / right.low)));
}

TEST_F(CostQueriesTest, ComparesOnlyWhatIsTheSameUnlessAsked) {
  CostRecord one_thread = By("openblas.gemm", ConvRecord(8, 2));
  one_thread.task.threads = 1;
  database_.Insert(std::vector{ConvRecord(8, 3), one_thread, On(OtherBoard(), ConvRecord(8, 6))});
  EXPECT_TRUE(Compare(database_, {.primitive = "openblas"}, {.primitive = "onednn"}).rows.empty());
  const Table threads = Compare(database_, {.threads = 1}, {.threads = 2});
  EXPECT_THAT(Column(threads, "ratio"), ElementsAre(Cell(2.0 / 3)));
  EXPECT_THAT(Column(threads, "threads"), ElementsAre(Cell()));
  EXPECT_THAT(Column(threads, "device"), ElementsAre(Cell(DeviceId(Board()))));
  const Table devices =
      Compare(database_, {.device = DeviceId(Board())}, {.device = DeviceId(OtherBoard())});
  EXPECT_THAT(Column(devices, "ratio"), ElementsAre(Cell(0.5)));
}

TEST_F(CostQueriesTest, ComparesPrecisions) {
  CostRecord bf16 = ConvRecord(8, 1);
  bf16.task.key = ConvKey(8, DType::kBF16);
  CostRecord other = ConvRecord(9, 1);
  other.task.key = ConvKey(9, DType::kBF16);
  database_.Insert(std::vector{ConvRecord(8, 4), bf16, other});
  const Table table = Compare(database_, {.dtype = DType::kBF16}, {.dtype = DType::kF32});
  EXPECT_THAT(Column(table, "ratio"), ElementsAre(Cell(0.25)));
  EXPECT_THAT(Column(table, "layer"),
              ElementsAre(Cell("conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,"
                               "pads_end=1x1,groups=1) in=*[1x8x8x8] weights=*[16x8x3x3] "
                               "out=*[1x16x8x8]")));
}

TEST_F(CostQueriesTest, ListsDevices) {
  database_.Insert(std::vector{ConvRecord(8, 3, 0), ConvRecord(8, 3, 86400),
                               On(OtherBoard(), ConvRecord(9, 6))});
  const Table table = Devices(database_, {.device = DeviceId(Board())});
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_THAT(Column(table, "cpu_model"), ElementsAre(Cell(Board().cpu_model)));
  EXPECT_THAT(Column(table, "isa"), ElementsAre(Cell("[\"avx2\",\"avx512\"]")));
  EXPECT_THAT(Column(table, "records"), ElementsAre(N(2)));
  EXPECT_THAT(Column(table, "layers"), ElementsAre(N(1)));
  EXPECT_THAT(Column(table, "first"), ElementsAre(Cell("1970-01-01 00:00:00")));
  EXPECT_THAT(Column(table, "last"), ElementsAre(Cell("1970-01-02 00:00:00")));
  EXPECT_EQ(Devices(database_, {}).rows.size(), 2U);
}

TEST_F(CostQueriesTest, MissingIsWhatNoRecordAnswersExactly) {
  CostRecord crashed = By("own.direct", ConvRecord(8, 1));
  crashed.measurement = Failed(MeasurementStatus::kCrashed);
  database_.Insert(std::vector{ConvRecord(8, 1), crashed, On(OtherBoard(), ConvRecord(9, 1))});
  CostQuery measured = {ConvRecord(8, 1).task, Board()};
  CostQuery known_to_crash = {crashed.task, Board()};
  CostQuery elsewhere = {ConvRecord(9, 1).task, Board()};
  CostQuery other_version = measured;
  other_version.task.version = 2;
  CostQuery other_threads = measured;
  other_threads.task.threads = 1;
  const std::vector<CostQuery> missing = Missing(
      database_, std::vector{elsewhere, measured, other_version, known_to_crash, other_threads});
  ASSERT_EQ(missing.size(), 3U);
  EXPECT_EQ(missing[0].task, elsewhere.task);
  EXPECT_EQ(missing[1].task, other_version.task);
  EXPECT_EQ(missing[2].task, other_threads.task);
}

}  // namespace
}  // namespace fettle
