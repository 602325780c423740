#include "fettle/training/trainer/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/training/trainer/batch_norm_estimation.h"
#include "fettle/training/trainer/fine_tuning.h"
#include "tests/support/fault.h"
#include "tests/support/network_builder.h"
#include "tests/support/scratch_folder.h"
#include "tests/training/toy_dataset.h"

namespace fettle {
namespace {

using testing::HasSubstr;

// Convolution, batch norm and a residual; small enough for the sanitizers.
Graph ToyNetwork() {
  NetworkBuilder builder(5);
  ValueId x = builder.Unit("first", builder.Input({1, 1, 8, 8}), 8);
  ValueId y = builder.Normalise("bn", builder.Convolve("second", x, 8));
  x = builder.Relu("relu", builder.Add("add", Binary{BinaryKind::kAdd}, {x, y}));
  x = builder.Flatten("flatten", builder.MaxPool("pool", x));
  builder.graph.AddOutput(builder.Linear("classifier", x, 4));
  return builder.graph;
}

TrainSettings ToySettings() {
  TrainSettings settings;
  settings.epochs = 3;
  settings.batch = 16;
  settings.learning_rate = 0.02;
  settings.warmup_epochs = 0.5;
  settings.augmentation = {.flip = false, .shift = 1, .erase_probability = 0.2};
  settings.weight_averaging = 0.9;
  return settings;
}

std::vector<Tensor> Weights(const Graph& graph) {
  std::vector<Tensor> weights;
  for (const Parameter& parameter : ParametersOf(graph)) weights.push_back(parameter.values);
  return weights;
}

TEST(TrainerTest, LearnsItsImagesByHeart) {
  const Dataset dataset = ToyDataset(64, {1, 8, 8}, 1);
  TrainSettings settings;
  settings.epochs = 40;
  settings.batch = 32;
  settings.learning_rate = 0.05;
  settings.weight_decay = 0;
  double first = 0, last = 0;
  Trainer trainer(ToyNetwork(), dataset, settings, HostTarget(2));
  trainer.Run([&](const TrainProgress& progress) {
    if (progress.step == progress.steps_an_epoch) first = progress.loss;
    last = progress.loss;
    return true;
  });
  EXPECT_GT(first, 0.5);
  EXPECT_LT(last, 0.02);
  const Tensor logits = Logits(trainer.TrainedGraph(), dataset, DType::kF32, HostTarget(2));
  EXPECT_EQ(Accuracy(logits, dataset.labels), 1);
}

TEST(TrainerTest, LearnsWhatHoldsForOtherImages) {
  const Dataset dataset = ToyDataset(512, {1, 8, 8}, 1), other = ToyDataset(256, {1, 8, 8}, 2);
  TrainSettings settings;
  settings.epochs = 6;
  settings.batch = 32;
  for (const DType dtype : {DType::kF32, DType::kBF16}) {
    settings.dtype = dtype;
    if (dtype == DType::kBF16 && !HostTarget(1).has_avx512_bf16) continue;
    Trainer trainer(ToyNetwork(), dataset, settings, HostTarget(2));
    trainer.Run();
    const Tensor logits = Logits(trainer.TrainedGraph(), other, dtype, HostTarget(2));
    EXPECT_GT(Accuracy(logits, other.labels), 0.85) << NameOf(dtype);
  }
}

TEST(TrainerTest, IsTheSameByAnyNumberOfThreads) {
  const Dataset dataset = ToyDataset(70, {1, 8, 8}, 1);
  TrainSettings settings = ToySettings();
  settings.shards = 4;
  std::vector<std::vector<Tensor>> weights;
  for (const int threads : {1, 2, 3}) {
    Trainer trainer(ToyNetwork(), dataset, settings, HostTarget(threads));
    EXPECT_TRUE(trainer.Run());
    EXPECT_EQ(trainer.step(), 12);
    weights.push_back(Weights(trainer.TrainedGraph()));
  }
  EXPECT_TRUE(weights[0] == weights[1]);
  EXPECT_TRUE(weights[0] == weights[2]);
  settings.seed = 2;
  Trainer other(ToyNetwork(), dataset, settings, HostTarget(1));
  other.Run();
  EXPECT_FALSE(weights[0] == Weights(other.TrainedGraph()));
}

class CheckpointTest : public testing::Test {
 protected:
  const ScratchFolder scratch_;
  const std::string path_ = (scratch_.path() / "checkpoint").string();
  Dataset dataset_ = ToyDataset(70, {1, 8, 8}, 1);
};

TEST_F(CheckpointTest, GoesOnBitByBit) {
  Trainer whole(ToyNetwork(), dataset_, ToySettings(), HostTarget(2));
  double whole_loss = 0;
  whole.Run([&](const TrainProgress& progress) {
    whole_loss = progress.loss;
    return true;
  });
  // Stopped in the middle of an epoch, and gone on with by another trainer.
  Trainer begun(ToyNetwork(), dataset_, ToySettings(), HostTarget(2));
  EXPECT_FALSE(begun.Run([](const TrainProgress& progress) { return progress.step < 6; }));
  EXPECT_EQ(begun.step(), 6);
  begun.SaveCheckpoint(path_);
  Trainer continued(ToyNetwork(), dataset_, ToySettings(), HostTarget(1));
  continued.RestoreCheckpoint(path_);
  EXPECT_EQ(continued.step(), 6);
  double loss = 0;
  EXPECT_TRUE(continued.Run([&](const TrainProgress& progress) {
    loss = progress.loss;
    return true;
  }));
  EXPECT_EQ(loss, whole_loss);
  EXPECT_TRUE(Weights(continued.TrainedGraph()) == Weights(whole.TrainedGraph()));
}

TEST_F(CheckpointTest, RefusesDamageAtAnyPlace) {
  Trainer trainer(ToyNetwork(), dataset_, ToySettings(), HostTarget(1));
  trainer.SaveCheckpoint(path_);
  const std::string whole = ReadFile(path_);
  for (size_t place = 0; place < whole.size(); place += 997) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 0x40);
    WriteFileAtomically(path_, damaged);
    EXPECT_THROW(trainer.RestoreCheckpoint(path_), Error) << place;
    WriteFileAtomically(path_, std::string_view(whole).substr(0, place));
    EXPECT_THROW(trainer.RestoreCheckpoint(path_), Error) << place;
  }
  std::filesystem::remove(path_);
  EXPECT_THROW(trainer.RestoreCheckpoint(path_), Error);
  EXPECT_THROW(trainer.SaveCheckpoint(path_ + "/no/such/folder"), Error);
}

TEST_F(CheckpointTest, RefusesAnotherTraining) {
  Trainer trainer(ToyNetwork(), dataset_, ToySettings(), HostTarget(1));
  trainer.RunEpoch();
  trainer.SaveCheckpoint(path_);
  TrainSettings settings = ToySettings();
  settings.learning_rate *= 2;
  Trainer other(ToyNetwork(), dataset_, settings, HostTarget(1));
  try {
    other.RestoreCheckpoint(path_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr(path_), HasSubstr("another training")));
  }
  EXPECT_EQ(other.step(), 0);
}

TEST(TrainerTest, EpochsEndWhereTheyShould) {
  const Dataset dataset = ToyDataset(70, {1, 8, 8}, 1);
  TrainSettings settings = ToySettings();
  settings.epochs = 2.5;
  Trainer trainer(ToyNetwork(), dataset, settings, HostTarget(1));
  EXPECT_EQ(trainer.steps_an_epoch(), 4);
  for (const int64_t end : {4, 8, 10, 10}) {
    EXPECT_TRUE(trainer.RunEpoch());
    EXPECT_EQ(trainer.step(), end);
  }
}

TEST(TrainerTest, TakesADatasetSmallerThanABatch) {
  const Dataset dataset = ToyDataset(7, {1, 8, 8}, 1);
  Trainer trainer(ToyNetwork(), dataset, ToySettings(), HostTarget(1));
  EXPECT_EQ(trainer.steps_an_epoch(), 1);
  EXPECT_TRUE(trainer.Run());
  const Dataset one = ToyDataset(1, {1, 8, 8}, 1);
  EXPECT_THROW(Trainer(ToyNetwork(), one, ToySettings(), HostTarget(1)), Error);
}

TEST(TrainerTest, RefusesADatasetThatDoesNotFit) {
  const auto fault_of = [](const Dataset& dataset) {
    return FaultOf([&] { Trainer(ToyNetwork(), dataset, ToySettings(), HostTarget(1)); });
  };
  EXPECT_THAT(fault_of(ToyDataset(32, {3, 8, 8}, 1)),
              testing::AllOf(HasSubstr("3x8x8"), HasSubstr("1x1x8x8")));
  Dataset dataset = ToyDataset(32, {1, 8, 8}, 1);
  dataset.num_classes = 10;
  EXPECT_THAT(fault_of(dataset), testing::AllOf(HasSubstr("10 classes"), HasSubstr("4 outputs")));
}

TEST(TrainerTest, SaysWhenTheLossIsNoNumber) {
  const Dataset dataset = ToyDataset(32, {1, 8, 8}, 1);
  TrainSettings settings = ToySettings();
  settings.learning_rate = 1e30;
  Trainer trainer(ToyNetwork(), dataset, settings, HostTarget(1));
  try {
    trainer.Run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("learning rate"));
  }
}

TEST(TrainerTest, RefusesBf16WithoutTheInstructions) {
  const Dataset dataset = ToyDataset(32, {1, 8, 8}, 1);
  TrainSettings settings = ToySettings();
  settings.dtype = DType::kBF16;
  EXPECT_THROW(Trainer(ToyNetwork(), dataset, settings, Target{1, true}), Error);
}

TEST(TrainerTest, LeavesTheGraphItWasGivenAlone) {
  const Dataset dataset = ToyDataset(32, {1, 8, 8}, 1);
  const Graph graph = ToyNetwork();
  const std::vector<Tensor> before = Weights(graph);
  Trainer trainer(graph, dataset, ToySettings(), HostTarget(1));
  trainer.Run();
  EXPECT_TRUE(Weights(graph) == before);
  EXPECT_FALSE(Weights(trainer.TrainedGraph()) == before);
  EXPECT_EQ(trainer.TrainedGraph().nodes().size(), graph.nodes().size());
}

// A student that sees only noise for labels still learns from its teacher.
TEST(FineTuningTest, DistilsATeacher) {
  const Dataset dataset = ToyDataset(256, {1, 8, 8}, 1);
  TrainSettings settings = FineTuneSettings(dataset, 64, 32);
  settings.learning_rate = 0.05;
  const Graph teacher = FineTune(ToyNetwork(), dataset, settings, HostTarget(2));
  const Tensor logits = Logits(teacher, dataset, DType::kF32, HostTarget(2));
  ASSERT_GT(Accuracy(logits, dataset.labels), 0.95);
  Dataset unlabelled = dataset;
  for (size_t i = 0; i < unlabelled.labels.size(); ++i) {
    unlabelled.labels[i] = static_cast<int32_t>(i % 4);
  }
  const Graph student = FineTune(ToyNetwork(), unlabelled, settings, HostTarget(2),
                                 Teacher{logits, {.temperature = 2, .alpha = 1}});
  const Tensor student_logits = Logits(student, dataset, DType::kF32, HostTarget(2));
  EXPECT_GT(Accuracy(student_logits, dataset.labels), 0.9);
}

TEST(FineTuningTest, TakesTheStepsThatWereAskedFor) {
  const Dataset dataset = ToyDataset(100, {1, 8, 8}, 1);
  for (const int64_t steps : {1, 5, 33}) {
    Trainer trainer(ToyNetwork(), dataset, FineTuneSettings(dataset, steps, 16), HostTarget(1));
    EXPECT_EQ(trainer.steps(), steps);
  }
}

// Wrong statistics are put right without a step of training.
TEST(BatchNormEstimationTest, RestoresSpoiltStatistics) {
  const Dataset dataset = ToyDataset(256, {1, 8, 8}, 1);
  TrainSettings settings = FineTuneSettings(dataset, 64, 32);
  settings.learning_rate = 0.05;
  const Graph trained = FineTune(ToyNetwork(), dataset, settings, HostTarget(2));
  std::vector<Parameter> parameters = ParametersOf(trained);
  for (Parameter& parameter : parameters) {
    if (parameter.kind != ParameterKind::kEstimated) continue;
    for (float& value : parameter.values.values<float>()) value = 3 * value + 1;
  }
  const auto accuracy = [&](const Graph& graph) {
    return Accuracy(Logits(graph, dataset, DType::kF32, HostTarget(2)), dataset.labels);
  };
  const Graph spoilt = WithParameters(trained, parameters);
  const Graph restored = EstimateBatchNorm(spoilt, dataset, 4, 64, HostTarget(2));
  EXPECT_LT(accuracy(spoilt), accuracy(trained) - 0.2);
  EXPECT_GT(accuracy(restored), accuracy(trained) - 0.02);
  EXPECT_TRUE(Weights(restored) ==
              Weights(EstimateBatchNorm(spoilt, dataset, 4, 64, HostTarget(1))));
}

TEST(LogitsTest, AreTheSameByAnyNumberOfThreads) {
  const Dataset dataset = ToyDataset(257, {1, 8, 8}, 1);
  const Graph graph = ToyNetwork();
  const Tensor one = Logits(graph, dataset, DType::kF32, HostTarget(1));
  EXPECT_TRUE(one == Logits(graph, dataset, DType::kF32, HostTarget(3)));
  EXPECT_EQ(one.shape(), (Shape{257, 4}));
  EXPECT_THROW(Logits(graph, ToyDataset(9, {3, 8, 8}, 1), DType::kF32, HostTarget(1)), Error);
}

}  // namespace
}  // namespace fettle
