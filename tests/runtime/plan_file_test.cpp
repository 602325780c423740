#include "fettle/runtime/plan_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/executor.h"
#include "fettle/runtime/plan_check.h"
#include "tests/runtime/small_graphs.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

class PlanFileTest : public testing::Test {
 protected:
  PlanFileTest() {
    const LayerGraph graph = ResidualBlock(5);
    plan_ = DefaultPlan(graph, DType::kBF16, primitives_, target_);
  }

  std::string MessageOf(const std::string& plan_json) const {
    WriteFileAtomically(scratch_.path() / "plan.json", plan_json);
    try {
      ReadPlan(scratch_.path());
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  }

  const PrimitiveList primitives_ = PrimitiveList::All();
  const Target target_ = HostTarget(2);
  Plan plan_;
  const ScratchFolder scratch_;
};

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(PlanFileTest, ReadsWhatItWrote) {
  ASSERT_EQ(FaultOf(plan_), std::nullopt);
  WritePlan(scratch_.path(), plan_);
  const Plan read = ReadPlan(scratch_.path());
  ASSERT_EQ(read.steps.size(), plan_.steps.size());
  EXPECT_EQ(read.threads, 2);
  for (size_t s = 0; s < read.steps.size(); ++s) {
    EXPECT_EQ(read.steps[s].spec, plan_.steps[s].spec);
    EXPECT_EQ(read.steps[s].implementation, plan_.steps[s].implementation);
  }
  Random random(1);
  const Tensor x = RandomTensor({DType::kF32, {1, 3, 8, 8}}, &random);
  EXPECT_EQ(Executor(read, primitives_, target_).Run({x}),
            Executor(plan_, primitives_, target_).Run({x}));
  EXPECT_EQ(StoredWeightBytes(read), StoredWeightBytes(plan_));
}

TEST_F(PlanFileTest, RefusesOtherVersionsAndMixedUpWeights) {
  WritePlan(scratch_.path(), plan_);
  const std::string json = ReadFile(scratch_.path() / "plan.json");
  EXPECT_THAT(MessageOf(Replaced(json, "\"schema\": 1", "\"schema\": 2")),
              testing::HasSubstr("schema 2, this version reads 1"));
  EXPECT_THAT(MessageOf("{}"), testing::HasSubstr("not a plan of Fettle's"));
  std::string weights = ReadFile(scratch_.path() / "weights.bin");
  weights[3] = static_cast<char>(weights[3] ^ 1);
  WriteFileAtomically(scratch_.path() / "weights.bin", weights);
  EXPECT_THAT(MessageOf(json), testing::HasSubstr("not the weights that plan.json"));
}

TEST_F(PlanFileTest, RefusesUnsoundPlans) {
  WritePlan(scratch_.path(), plan_);
  const std::string json = ReadFile(scratch_.path() / "plan.json");
  EXPECT_THAT(MessageOf(Replaced(json, "\"offset\": 0", "\"offset\": 999999999")),
              testing::HasSubstr("past the end of weights.bin"));
  EXPECT_THAT(MessageOf(Replaced(json, "in=bf16[1x3x8x8]", "in=bf16[1x3x9x8]")),
              testing::HasSubstr("step"));
  EXPECT_THAT(MessageOf(Replaced(json, "\"threads\": 2", "\"threads\": 2000000000")),
              testing::HasSubstr("threads"));
}

TEST_F(PlanFileTest, SurvivesTruncation) {
  WritePlan(scratch_.path(), plan_);
  const std::string json = ReadFile(scratch_.path() / "plan.json");
  for (size_t length = 0; length + 2 < json.size(); length += 97) {
    EXPECT_NE(MessageOf(json.substr(0, length)), "") << length;
  }
}

TEST_F(PlanFileTest, SurvivesMutations) {
  WritePlan(scratch_.path(), plan_);
  const std::string json = ReadFile(scratch_.path() / "plan.json");
  Random random(7);
  for (int round = 0; round < 500; ++round) {
    std::string mutated = json;
    for (int64_t i = random.Integer(1, 3); i > 0; --i) {
      const size_t at = random.Below(mutated.size());
      mutated[at] = random.Chance(0.5) ? static_cast<char>('0' + random.Below(10))
                                       : static_cast<char>(random.Below(128));
    }
    WriteFileAtomically(scratch_.path() / "plan.json", mutated);
    try {
      EXPECT_EQ(FaultOf(ReadPlan(scratch_.path())), std::nullopt);
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace fettle
