#include "fettle/cost_models/predictor_error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "fettle/core/error.h"
#include "fettle/cost_models/layer_features.h"
#include "fettle/database/cost_database.h"

namespace fettle {
namespace {

using testing::HasSubstr;

LayerSpec ConvOf(int64_t channels, DType dtype) {
  LayerSpec spec;
  spec.op = Conv{{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 1};
  spec.inputs = {{dtype, {1, channels, 8, 8}}};
  spec.weights = {{dtype, {16, channels, 3, 3}}};
  spec.output = {dtype, {1, 16, 8, 8}};
  return spec;
}

CostRecord RecordOf(int64_t channels, const std::string& name, DType dtype, double ms_a_work) {
  const LayerSpec spec = ConvOf(channels, dtype);
  CostRecord record;
  record.task = {KeyOf(spec), name, 1, {Layout::kPlain}, Layout::kPlain, 1, CacheMode::kHot};
  const double ms = ms_a_work * FeaturesOf(spec, {name, 1, record.task.inputs, {}, {}}).work;
  record.measurement.status = MeasurementStatus::kOk;
  record.measurement.samples_ms.assign(6, ms);
  record.measurement.latency_ms = Interval{ms, ms, ms};
  return record;
}

// What takes the same time for each unit of work is predicted exactly.
TEST(PredictorError, IsByPrimitiveAndPrecision) {
  std::vector<CostRecord> records;
  for (const int64_t channels : {8, 16, 24, 32, 40}) {
    records.push_back(RecordOf(channels, "own.conv", DType::kF32, 1e-6));
    records.push_back(RecordOf(channels, "own.conv", DType::kBF16, 1e-7));
    records.push_back(RecordOf(channels, "onednn.conv:jit:avx2", DType::kF32, 1e-8));
    records.push_back(RecordOf(channels, "onednn.conv:jit:avx512", DType::kF32, 1e-9));
  }
  const std::vector<PredictorError> errors = LeaveOneLayerOut(records);
  ASSERT_EQ(errors.size(), 4U);
  EXPECT_EQ(errors[0].primitive, "all");
  EXPECT_EQ(errors[0].records, 20);
  EXPECT_EQ(errors[1].primitive, "onednn.conv");
  EXPECT_EQ(errors[1].records, 10);
  EXPECT_EQ(errors[2].dtype, "bf16");
  EXPECT_EQ(errors[3].dtype, "f32");
  for (const PredictorError& row : errors) {
    EXPECT_NEAR(row.percentile90, 0, 1e-9);
    EXPECT_EQ(row.within10, 1);
  }
}

TEST(PredictorError, ALayerIsNotPredictedFromItself) {
  std::vector<CostRecord> records;
  for (const int64_t channels : {8, 16, 24, 32, 40, 48, 56, 64, 72}) {
    records.push_back(RecordOf(channels, "own.conv", DType::kF32, 1e-6));
  }
  records.push_back(RecordOf(512, "own.conv", DType::kF32, 2e-6));
  const std::vector<PredictorError> errors = LeaveOneLayerOut(records);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[1].records, 10);
  EXPECT_LT(errors[1].median, 0.1);
  EXPECT_EQ(errors[1].within25, 0.9);
  // A later record of the same stands in the place of the earlier, a failure says nothing.
  records.push_back(RecordOf(512, "own.conv", DType::kF32, 1e-6));
  records.push_back(RecordOf(8, "own.conv", DType::kF32, 1e-6));
  records.back().measurement = {};
  EXPECT_EQ(LeaveOneLayerOut(records)[1].within25, 1);
  EXPECT_TRUE(LeaveOneLayerOut({}).empty());
}

// Layers of a small network, measured on a busy machine.
TEST(PredictorError, OfAMeasuredDatabase) {
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / Text("fettle-predictor-", getpid(), ".db");
  std::filesystem::copy_file(FETTLE_FIXTURES "/small.db", path,
                             std::filesystem::copy_options::overwrite_existing);
  const std::vector<CostRecord> records =
      CostDatabase::Open(path, CostDatabase::Access::kReadWrite).Find(CostFilter{});
  std::filesystem::remove(path);
  ASSERT_EQ(records.size(), 41U);
  const std::vector<PredictorError> errors = LeaveOneLayerOut(records);
  int64_t sum = 0;
  for (size_t i = 1; i < errors.size(); ++i) {
    sum += errors[i].records;
    EXPECT_LE(errors[i].median, errors[i].percentile90);
    EXPECT_LE(errors[i].within10, errors[i].within25);
  }
  EXPECT_EQ(errors[0].records, sum);
  const std::string page = MarkdownOf(errors);
  EXPECT_THAT(page, HasSubstr(Text("| all | all | ", sum, " |")));
  EXPECT_THAT(page, HasSubstr("| own.im2col_conv | f32 |"));
}

}  // namespace
}  // namespace fettle
