#include "fettle/training/evaluation/evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/deploy/default_plan.h"
#include "fettle/network/architectures/architecture_list.h"
#include "fettle/training/trainer/fine_tuning.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Of images with these outputs, three classes each.
Evaluation Of(const std::vector<std::vector<float>>& outputs, const std::vector<int32_t>& labels,
              bool is_probability = false) {
  EvaluationSum sum(is_probability, 3);
  for (size_t i = 0; i < outputs.size(); ++i) {
    sum.Add(outputs[i].data(), labels.empty() ? std::nullopt : std::optional(labels[i]));
  }
  return sum.Result();
}

Dataset WithoutLabels(Dataset dataset) {
  dataset.labels.clear();
  dataset.num_classes = 0;
  return dataset;
}

TEST(EvaluationTest, OfLogits) {
  const Evaluation evaluation = Of({{1, 2, 0}, {0, 0, 0}, {5, 1, 1}}, {1, 2, 1});
  EXPECT_EQ(evaluation.samples, 3);
  EXPECT_THAT(evaluation.predictions, ElementsAre(1, 0, 0));  // the first of equals
  EXPECT_THAT(evaluation.is_correct, ElementsAre(true, false, false));
  EXPECT_DOUBLE_EQ(evaluation.top1.value, 1.0 / 3);
  EXPECT_LT(evaluation.top1.low, 1.0 / 3);
  EXPECT_EQ(evaluation.top5, 1);
  const double e = std::exp(1.0);
  const double expected =
      -std::log(e * e / (e + e * e + 1)) + std::log(3) - std::log(e / (std::exp(5.0) + 2 * e));
  EXPECT_NEAR(evaluation.loss, expected / 3, 1e-6);
}

TEST(EvaluationTest, OfProbabilities) {
  const Evaluation evaluation = Of({{0.25f, 0.5f, 0.25f}}, {0}, true);
  EXPECT_NEAR(evaluation.loss, std::log(4), 1e-6);
  EXPECT_NEAR(evaluation.log_probabilities[1], std::log(0.5), 1e-6);
}

TEST(EvaluationTest, WithoutLabelsThereAreOnlyAnswers) {
  const Evaluation evaluation = Of({{1, 2, 0}, {3, 0, 0}}, {});
  EXPECT_FALSE(evaluation.is_labelled);
  EXPECT_EQ(evaluation.samples, 2);
  EXPECT_THAT(evaluation.predictions, ElementsAre(1, 0));
  EXPECT_TRUE(evaluation.is_correct.empty());
}

TEST(ComparisonTest, AgreementAndDivergence) {
  const std::vector<std::vector<float>> p = {{0.5f, 0.25f, 0.25f}, {0.1f, 0.8f, 0.1f}};
  const std::vector<std::vector<float>> q = {{0.25f, 0.5f, 0.25f}, {0.1f, 0.8f, 0.1f}};
  const Comparison comparison = Compare(Of(p, {0, 1}, true), Of(q, {0, 1}, true));
  EXPECT_EQ(comparison.agreement, WilsonInterval(1, 2));
  // 0.5 ln 2 - 0.25 ln 2 of the first image, nothing of the second.
  EXPECT_NEAR(comparison.kl, 0.25 * std::log(2) / 2, 1e-6);
  ASSERT_TRUE(comparison.drop_points);
  EXPECT_DOUBLE_EQ(comparison.drop_points->value, 50);
  EXPECT_LE(comparison.drop_points->low, 50);
  EXPECT_GE(comparison.drop_points->high, 50);
  EXPECT_FALSE(Compare(Of(p, {}, true), Of(q, {}, true)).drop_points);
}

TEST(ComparisonTest, TheScoreIsTopOneOrElseTheAgreement) {
  const std::vector<std::vector<float>> p = {{2, 0, 0}, {0, 2, 0}, {0, 0, 2}, {0, 0, 2}};
  const std::vector<std::vector<float>> q = {{2, 0, 0}, {0, 2, 0}, {0, 0, 2}, {2, 0, 0}};
  const Score labelled = ScoreOf(Of(p, {0, 1, 1, 2}), Of(q, {0, 1, 1, 2}));
  EXPECT_DOUBLE_EQ(labelled.accuracy.value, 0.5);
  EXPECT_DOUBLE_EQ(labelled.drop_points.value, 25);
  EXPECT_DOUBLE_EQ(labelled.loss, Of(q, {0, 1, 1, 2}).loss);
  const Score unlabelled = ScoreOf(Of(p, {}), Of(q, {}));
  EXPECT_DOUBLE_EQ(unlabelled.accuracy.value, 0.75);
  EXPECT_DOUBLE_EQ(unlabelled.drop_points.value, 25);
  EXPECT_LE(unlabelled.drop_points.low, 25);
  EXPECT_GE(unlabelled.drop_points.high, 25);
  EXPECT_GT(unlabelled.loss, 0);
  EXPECT_NEAR(ScoreOf(Of(p, {}), Of(p, {})).loss, 0, 1e-9);
}

// How often a network of this accuracy is told to be below the floor, at any look over its images.
double ShareStopped(double accuracy, double floor) {
  Random random(3);
  constexpr int kNetworks = 2000;
  constexpr int64_t kImages = 10'000;
  int stopped = 0;
  for (int network = 0; network < kNetworks; ++network) {
    int64_t correct = 0;
    bool is_stopped = false;
    for (int64_t seen = 1; seen <= kImages && !is_stopped; ++seen) {
      correct += random.Chance(accuracy) ? 1 : 0;
      is_stopped = seen % 200 == 0 && IsClearlyBelow(correct, seen, floor);
    }
    stopped += is_stopped ? 1 : 0;
  }
  return static_cast<double>(stopped) / kNetworks;
}

TEST(EarlyStopTest, HardlyEverStopsWhatIsNotBelow) {
  EXPECT_LT(ShareStopped(0.9, 0.9), 0.01);
  EXPECT_LT(ShareStopped(0.99, 0.99), 0.01);
  EXPECT_LT(ShareStopped(0.5, 0.5), 0.01);
}

TEST(EarlyStopTest, StopsWhatIsClearlyBelow) {
  EXPECT_GT(ShareStopped(0.85, 0.9), 0.99);
  EXPECT_FALSE(IsClearlyBelow(0, 199, 0.9));  // before the first look
  EXPECT_TRUE(IsClearlyBelow(100, 200, 0.9));
  EXPECT_FALSE(IsClearlyBelow(170, 200, 0.9));
  EXPECT_FALSE(IsClearlyBelow(0, 1000, 0));
  EXPECT_TRUE(IsClearlyBelow(990, 1000, 1));  // nothing but right answers was asked for
}

class EvaluateTest : public testing::Test {
 protected:
  Evaluation Run(const Dataset& dataset, const EvaluationOptions& options = {}) {
    Executor executor(DefaultPlan(graph_, 32, DType::kF32, primitives_, HostTarget(1)), primitives_,
                      HostTarget(1));
    return Evaluate(&executor, dataset, options);
  }

  const Graph graph_ = MakeArchitecture("resnet8", {1, 8, 8}, 4, 1);
  const PrimitiveList primitives_ = PrimitiveList::All();
};

TEST_F(EvaluateTest, TheSameAnswersWithAndWithoutLabels) {
  const Dataset dataset = ToyDataset(70, {1, 8, 8}, 1);
  const Evaluation labelled = Run(dataset), unlabelled = Run(WithoutLabels(dataset));
  EXPECT_EQ(labelled.samples, 70);
  EXPECT_EQ(labelled.predictions, unlabelled.predictions);
  EXPECT_EQ(labelled.log_probabilities, unlabelled.log_probabilities);
  EXPECT_FALSE(unlabelled.is_labelled);
}

TEST_F(EvaluateTest, EndsEarlyBelowTheFloor) {
  const Dataset dataset = ToyDataset(1000, {1, 8, 8}, 1);
  EvaluationOptions options;
  options.floor = 0.99;  // the network is untrained
  const Evaluation evaluation = Run(dataset, options);
  EXPECT_LT(evaluation.samples, 300);
  EXPECT_EQ(evaluation.predictions.size(), static_cast<size_t>(evaluation.samples));
  options.floor = 0;
  EXPECT_EQ(Run(dataset, options).samples, 1000);
}

TEST_F(EvaluateTest, ProgressMayInterrupt) {
  EvaluationOptions options;
  options.progress = [](int64_t done) { return done < 64; };
  try {
    Run(ToyDataset(100, {1, 8, 8}, 1), options);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInterrupted);
  }
}

TEST_F(EvaluateTest, WithoutLabelsANetworkLearnsFromATeacherAlone) {
  const Dataset labelled = ToyDataset(512, {1, 8, 8}, 1), dataset = WithoutLabels(labelled);
  const TrainSettings settings = FineTuneSettings(dataset, 60, 64);
  EXPECT_THROW(FineTune(graph_, dataset, settings, HostTarget(1)), Error);
  const Graph master = FineTune(graph_, labelled, settings, HostTarget(1));
  Teacher teacher{Logits(master, dataset, DType::kF32, HostTarget(1)), {}};
  EXPECT_THROW(FineTune(graph_, dataset, settings, HostTarget(1), teacher), Error);
  teacher.distillation.alpha = 1;
  const Graph student = MakeArchitecture("resnet8", {1, 8, 8}, 4, 2);
  const Graph taught = FineTune(student, dataset, settings, HostTarget(1), teacher);
  const auto answers = [&](const Graph& graph) {
    Executor executor(DefaultPlan(graph, 32, DType::kF32, primitives_, HostTarget(1)), primitives_,
                      HostTarget(1));
    return Evaluate(&executor, dataset);
  };
  EXPECT_GT(Compare(answers(master), answers(taught)).agreement.value,
            Compare(answers(master), answers(student)).agreement.high);
}

}  // namespace
}  // namespace fettle
