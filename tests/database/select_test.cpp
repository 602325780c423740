#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/database/sample_records.h"

// Queries of somebody's own.

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SelectTest : public testing::Test {
 protected:
  SelectTest() : database_(OpenForWriting(folder_ / "costs.db")) {
    database_.Insert(ManyRecords(20));
    database_.Insert(SampleNetwork("plan", 1));
  }

  std::string Refusal(const std::string& sql, const QueryLimits& limits = {}) {
    return MessageOf(ErrorKind::kUsage, [&] { database_.Select(sql, {}, limits); });
  }

  TemporaryFolder folder_;
  CostDatabase database_;
};

TEST_F(SelectTest, AnswersWithATable) {
  const Table table = database_.Select(
      "SELECT 1 AS one, 2.5, 'three', NULL, x'0fA0', ? AS given -- and a comment\n;  ",
      std::vector<Cell>{std::string("it's")});
  EXPECT_THAT(table.columns, ElementsAre("one", "2.5", "'three'", "NULL", "x'0fA0'", "given"));
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0],
            (std::vector<Cell>{int64_t{1}, 2.5, "three", std::monostate(), "x'0fa0'", "it's"}));
  EXPECT_FALSE(table.is_truncated);
}

TEST_F(SelectTest, SamplesAreReadable) {
  const Table table = database_.Select(
      "SELECT layer, median_ms, count(*), max(json_each.value) FROM costs, json_each(samples_ms) "
      "WHERE costs.id = 1 GROUP BY costs.id");
  ASSERT_EQ(table.rows.size(), 1U);
  const Measurement first = ManyRecords(1)[0].measurement;
  EXPECT_EQ(
      table.rows[0],
      (std::vector<Cell>{ConvKey(1).text, first.latency_ms->value, int64_t{11},
                         *std::max_element(first.samples_ms.begin(), first.samples_ms.end())}));
}

TEST_F(SelectTest, ViewsAnswer) {
  EXPECT_EQ(database_.Select("SELECT * FROM costs").rows.size(), 20U);
  EXPECT_EQ(database_.Select("SELECT measured FROM costs WHERE id = 1").rows[0][0],
            Cell("2020-09-13 12:26:40"));
  EXPECT_EQ(database_.Select("SELECT energy_mj FROM networks").rows[0][0], Cell(2.5));
}

TEST_F(SelectTest, RefusesEverythingThatIsNotReading) {
  for (const char* sql : {"DELETE FROM cost",
                          "INSERT INTO layer VALUES(1, '', '', '', '')",
                          "DROP TABLE cost",
                          "UPDATE cost SET median_ms = 0 RETURNING id",
                          "CREATE TABLE x(y)",
                          "VACUUM",
                          "CREATE TEMP TABLE x(y)",
                          "VACUUM INTO 'copy.db'",
                          "PRAGMA user_version = 9",
                          "PRAGMA journal_mode = DELETE",
                          "PRAGMA writable_schema = ON",
                          "BEGIN",
                          "BEGIN IMMEDIATE",
                          "ATTACH 'other.db' AS other",
                          "DETACH main",
                          "REINDEX",
                          "ANALYZE",
                          "SAVEPOINT a",
                          "SELECT load_extension('x')",
                          "SELECT fts3_tokenizer('x')",
                          "WITH a AS (SELECT 1) DELETE FROM cost"}) {
    EXPECT_THAT(Refusal(sql), HasSubstr("SQL: ")) << sql;
  }
  EXPECT_EQ(database_.Find(CostFilter{}).size(), 20U);
  EXPECT_FALSE(std::filesystem::exists("copy.db"));
}

TEST_F(SelectTest, RefusesWhatIsNotOneStatement) {
  EXPECT_THAT(Refusal(""), HasSubstr("no statement"));
  EXPECT_THAT(Refusal(" -- nothing\n;"), HasSubstr("no statement"));
  EXPECT_THAT(Refusal("SELECT 1; SELECT 2"), HasSubstr("more than one"));
  EXPECT_THAT(Refusal("SELECT 1; nonsense"), HasSubstr("syntax error"));
  EXPECT_THAT(Refusal("SELEC 1"), HasSubstr("near \"SELEC\": syntax error"));
  EXPECT_THAT(Refusal("SELECT colour FROM costs"), HasSubstr("no such column: colour"));
  EXPECT_THAT(Refusal("SELECT abs(-9223372036854775808)"), HasSubstr("overflow"));
  EXPECT_THAT(Refusal("SELECT 'a"), HasSubstr("SQL: "));
}

TEST_F(SelectTest, EndsWhatDoesNotEnd) {
  const std::string endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) ";
  EXPECT_THAT(Refusal(endless + "SELECT count(*) FROM n", {.steps = 1'000'000}),
              HasSubstr("stopped after 1000000 steps"));
  const Table table = database_.Select(endless + "SELECT i FROM n", {}, {.rows = 10});
  EXPECT_TRUE(table.is_truncated);
  EXPECT_EQ(table.rows.size(), 10U);
  EXPECT_EQ(table.rows.back()[0], Cell(int64_t{10}));
}

TEST_F(SelectTest, RowsUpToTheLimitAreAllOfThem) {
  const Table table = database_.Select("SELECT id FROM costs", {}, {.rows = 20});
  EXPECT_FALSE(table.is_truncated);
  EXPECT_EQ(table.rows.size(), 20U);
}

TEST_F(SelectTest, RefusesHugeFields) {
  EXPECT_THAT(Refusal("SELECT zeroblob(1000000000)"), HasSubstr("too big"));
  EXPECT_THAT(Refusal("SELECT replace(hex(zeroblob(1000000)), '0', '0123456789')"),
              HasSubstr("too big"));
}

TEST_F(SelectTest, SeesWhatIsInsertedMeanwhile) {
  database_.Insert(ConvRecord(8, 1));
  EXPECT_EQ(database_.Select("SELECT * FROM costs").rows.size(), 21U);
}

}  // namespace
}  // namespace fettle
