#include "fettle/training/trainer/trainer.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cmath>
#include <cstring>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/core/shard_threads.h"
#include "fettle/training/trainer/checkpoint.h"
#include "fettle/training/trainer/classifier.h"

namespace fettle {

// A part of each batch.
class Trainer::Shard {
 public:
  Shard(const Trainer& trainer, int64_t index, int64_t images)
      : trainer_(trainer),
        first_(index * images),
        labels_(static_cast<size_t>(images)),
        pass_(trainer.graph_, &trainer.parameters_, images, trainer.settings_.dtype,
              trainer.target_) {
    if (trainer.teacher_) teacher_logits_.resize(pass_.logits().size());
  }

  // Its share of the batch whose images' indices begin there; the sum of their losses.
  double Run(const size_t* batch, int64_t epoch) {
    Load(batch + first_, epoch);
    pass_.Forward(PassMode::kTraining);
    const TrainSettings& settings = trainer_.settings_;
    const double scale = 1 / static_cast<double>(settings.batch);
    const double loss =
        trainer_.teacher_
            ? DistillationLoss(pass_.logits(), labels_, teacher_logits_,
                               trainer_.teacher_->distillation, settings.label_smoothing, scale,
                               pass_.logits_gradient())
            : CrossEntropy(pass_.logits(), labels_, settings.label_smoothing, scale,
                           pass_.logits_gradient());
    pass_.Backward();
    return loss;
  }

  const NetworkPass& pass() const { return pass_; }

 private:
  void Load(const size_t* indices, int64_t epoch) {
    const Dataset& dataset = trainer_.dataset_;
    const auto pixels = static_cast<size_t>(ElementCount(dataset.ImageShape()));
    const size_t classes = pass_.logits().size() / labels_.size();
    for (size_t i = 0; i < labels_.size(); ++i) {
      const size_t index = indices[i];
      labels_[i] = dataset.is_labelled() ? dataset.labels[index] : 0;
      CopyAugmented(dataset, static_cast<int64_t>(index), trainer_.settings_.augmentation,
                    trainer_.settings_.seed, epoch, pass_.input().data() + i * pixels);
      if (!trainer_.teacher_) continue;
      const auto logits = trainer_.teacher_->logits.values<float>();
      std::copy_n(logits.data() + index * classes, classes, teacher_logits_.data() + i * classes);
    }
  }

  const Trainer& trainer_;
  int64_t first_;
  std::vector<int32_t> labels_;
  std::vector<float> teacher_logits_;
  NetworkPass pass_;
};

namespace {

// A dataset smaller than a batch is one batch; the settings' shards still divide it.
TrainSettings Fitted(TrainSettings settings, const Dataset& dataset) {
  CheckSettings(settings);
  if (dataset.size() < settings.batch) {
    settings.batch = dataset.size() / settings.shards * settings.shards;
  }
  if (settings.batch == 0) {
    throw BadInput(dataset.name, ": ", dataset.size(), " images are too few for ", settings.shards,
                   " shards");
  }
  return settings;
}

void CheckTarget(const TrainSettings& settings, const Target& target) {
  if (settings.dtype == DType::kBF16 && !target.has_avx512_bf16) {
    throw Error(ErrorKind::kUsage,
                "training in bf16 needs a processor with AVX512-BF16; train in f32");
  }
}

std::vector<Tensor> ValuesOf(const std::vector<Parameter>& parameters) {
  std::vector<Tensor> values;
  for (const Parameter& parameter : parameters) values.push_back(parameter.values);
  return values;
}

}  // namespace

Trainer::Trainer(Graph graph, const Dataset& dataset, const TrainSettings& settings,
                 const Target& target, std::optional<Teacher> teacher)
    : graph_(std::move(graph)),
      dataset_(dataset),
      settings_(Fitted(settings, dataset)),
      target_(target),
      teacher_(std::move(teacher)),
      steps_an_epoch_(dataset.size() / settings_.batch),
      parameters_(ParametersOf(graph_)),
      optimiser_(settings_, parameters_) {
  CheckTarget(settings_, target_);
  steps_ =
      std::max<int64_t>(1, std::llround(settings_.epochs * static_cast<double>(steps_an_epoch_)));
  warmup_steps_ = std::min<int64_t>(
      steps_ / 2, static_cast<int64_t>(std::llround(settings_.warmup_epochs *
                                                    static_cast<double>(steps_an_epoch_))));
  if (settings_.weight_averaging > 0) averages_ = ValuesOf(parameters_);
  gradients_ = ValuesOf(parameters_);
  RequireClassifierOf(graph_, dataset_);
  assert(!teacher_ || teacher_->logits.shape()[0] == dataset_.size());
  RequireTaught();
  shards_.resize(static_cast<size_t>(settings_.shards));
  ForEachShard(settings_.shards, 1, [this](int64_t i) {
    shards_[static_cast<size_t>(i)] =
        std::make_unique<Shard>(*this, i, settings_.batch / settings_.shards);
  });
}

// Without labels there is nothing to learn but what a teacher says.
void Trainer::RequireTaught() const {
  if (dataset_.is_labelled() || (teacher_ && teacher_->distillation.alpha == 1)) return;
  throw BadInput(dataset_.name,
                 ": has no labels to train on; give labelled data, or distil from a teacher alone");
}

Trainer::~Trainer() = default;

bool Trainer::Run(const TrainCallback& callback) { return RunTo(steps_, callback); }

bool Trainer::RunEpoch(const TrainCallback& callback) {
  const int64_t next = (step_ / steps_an_epoch_ + 1) * steps_an_epoch_;
  return RunTo(std::min(next, steps_), callback);
}

bool Trainer::RunTo(int64_t last, const TrainCallback& callback) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  const int64_t first = step_;
  while (step_ < last) {
    TrainProgress progress;
    progress.learning_rate = LearningRate(settings_, step_, steps_, warmup_steps_);
    const int64_t step_of_epoch = step_ % steps_an_epoch_;
    if (step_of_epoch == 0) epoch_loss_ = 0;
    epoch_loss_ += Step();
    progress.step = step_;
    progress.steps = steps_;
    progress.steps_an_epoch = steps_an_epoch_;
    progress.loss = epoch_loss_ / static_cast<double>((step_of_epoch + 1) * settings_.batch);
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    const auto done = static_cast<double>(step_ - first);
    progress.images_per_second = done * static_cast<double>(settings_.batch) / seconds;
    progress.seconds_left = seconds / done * static_cast<double>(steps_ - step_);
    if (callback && !callback(progress)) return step_ == last;
  }
  return true;
}

double Trainer::Step() {
  const int64_t epoch = step_ / steps_an_epoch_;
  const size_t* const batch = Order(epoch).data() + step_ % steps_an_epoch_ * settings_.batch;
  std::vector<double> losses(shards_.size());
  ForEachShard(settings_.shards, target_.threads, [&](int64_t i) {
    losses[static_cast<size_t>(i)] = shards_[static_cast<size_t>(i)]->Run(batch, epoch);
  });
  double loss = 0;
  for (const double part : losses) loss += part;
  if (!std::isfinite(loss)) {
    throw BadInput("the training came apart at step ", step_, ": its loss is ", loss,
                   "; lower the learning rate or make the warm-up longer");
  }
  ReduceGradients();
  optimiser_.Step(LearningRate(settings_, step_, steps_, warmup_steps_), gradients_, &parameters_);
  ++step_;
  if (!averages_.empty()) AverageWeights();
  return loss;
}

// Gradients are added up, always in the same order; estimates are averaged.
void Trainer::ReduceGradients() {
  const float share = 1 / static_cast<float>(shards_.size());
  for (size_t p = 0; p < gradients_.size(); ++p) {
    const std::span<float> sum = gradients_[p].values<float>();
    const float factor = parameters_[p].kind == ParameterKind::kEstimated ? share : 1;
    std::fill(sum.begin(), sum.end(), 0.0f);
    for (const auto& shard : shards_) {
      const std::span<const float> part = shard->pass().gradients()[p].values<float>();
      for (size_t i = 0; i < sum.size(); ++i) sum[i] += factor * part[i];
    }
  }
}

void Trainer::AverageWeights() {
  // Early on the average forgets faster, lest it remember how it began.
  const auto steps = static_cast<double>(step_);
  const auto kept =
      static_cast<float>(std::min(settings_.weight_averaging, (1 + steps) / (10 + steps)));
  for (size_t p = 0; p < averages_.size(); ++p) {
    const std::span<float> average = averages_[p].values<float>();
    const std::span<const float> values = parameters_[p].values.values<float>();
    for (size_t i = 0; i < average.size(); ++i) {
      average[i] = kept * average[i] + (1 - kept) * values[i];
    }
  }
}

const std::vector<size_t>& Trainer::Order(int64_t epoch) {
  if (epoch != order_epoch_) {
    Random random = Random(settings_.seed).Fork("order").Fork(static_cast<uint64_t>(epoch));
    order_ = random.Permutation(static_cast<size_t>(dataset_.size()));
    order_epoch_ = epoch;
  }
  return order_;
}

Graph Trainer::TrainedGraph() const {
  if (averages_.empty()) return WithParameters(graph_, parameters_);
  std::vector<Parameter> averaged = parameters_;
  for (size_t p = 0; p < averaged.size(); ++p) averaged[p].values = averages_[p];
  return WithParameters(graph_, averaged);
}

std::string Trainer::Description() const {
  const TrainSettings& s = settings_;
  std::string text =
      Text(dataset_.name, " images=", dataset_.size(), " epochs=", s.epochs, " batch=", s.batch,
           " rate=", s.learning_rate, " momentum=", s.momentum, " decay=", s.weight_decay,
           " warmup=", s.warmup_epochs, " smoothing=", s.label_smoothing,
           " average=", s.average_momentum, " averaging=", s.weight_averaging,
           " flip=", s.augmentation.flip, " shift=", s.augmentation.shift,
           " erase=", s.augmentation.erase_probability, " seed=", s.seed, " ", NameOf(s.dtype),
           " shards=", s.shards);
  if (teacher_) {
    text +=
        Text(" teacher=", teacher_->distillation.temperature, ",", teacher_->distillation.alpha);
  }
  for (const Parameter& parameter : parameters_) {
    text += Text(" ", parameter.name, ":", ShapeText(parameter.values.shape()));
  }
  return text;
}

void Trainer::SaveCheckpoint(const std::string& path) const {
  Checkpoint checkpoint{Description(), step_, epoch_loss_, ValuesOf(parameters_)};
  for (const auto* more : {&optimiser_.velocities(), &averages_}) {
    checkpoint.tensors.insert(checkpoint.tensors.end(), more->begin(), more->end());
  }
  WriteCheckpoint(path, checkpoint);
}

void Trainer::RestoreCheckpoint(const std::string& path) {
  const Checkpoint checkpoint = ReadCheckpoint(path);
  if (checkpoint.description != Description()) {
    throw BadInput(path, ": belongs to another training (model, data or settings differ)");
  }
  std::vector<Tensor*> places;
  for (Parameter& parameter : parameters_) places.push_back(&parameter.values);
  for (Tensor& velocity : optimiser_.velocities()) places.push_back(&velocity);
  for (Tensor& average : averages_) places.push_back(&average);
  bool fits = checkpoint.tensors.size() == places.size() && checkpoint.step >= 0 &&
              checkpoint.step <= steps_;
  for (size_t i = 0; fits && i < places.size(); ++i) {
    fits = checkpoint.tensors[i].num_bytes() == places[i]->num_bytes();
  }
  if (!fits) throw BadInput(path, ": damaged; start again without it");
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i]->num_bytes() == 0) continue;
    std::memcpy(places[i]->bytes(), checkpoint.tensors[i].bytes(), places[i]->num_bytes());
  }
  step_ = checkpoint.step;
  epoch_loss_ = checkpoint.epoch_loss;
}

}  // namespace fettle
