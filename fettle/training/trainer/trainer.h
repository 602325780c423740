#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/training/data/dataset.h"
#include "fettle/training/trainer/loss.h"
#include "fettle/training/trainer/network_pass.h"
#include "fettle/training/trainer/optimiser.h"
#include "fettle/training/trainer/train_settings.h"

namespace fettle {

struct TrainProgress {
  int64_t step = 0, steps = 0;  // done, and in all
  int64_t steps_an_epoch = 0;
  double loss = 0;  // mean over the images since the epoch began
  double learning_rate = 0;
  double images_per_second = 0;  // since Run was called
  double seconds_left = 0;       // at that pace
};

// Called after each step; false stops the training there.
using TrainCallback = std::function<bool(const TrainProgress&)>;

// The teacher's logits for each image of the dataset, [N,classes].
struct Teacher {
  Tensor logits;
  Distillation distillation;
};

// Trains a classifier: any graph of the operators of training_op_list.h. The result depends on the
// graph, the dataset, the settings and the processor's instruction sets, not on the number of
// threads.
class Trainer {
 public:
  // The dataset must outlive this. `target.threads` shards are worked on at once. An optional
  // teacher is distilled from. Throws an Error where the dataset does not fit, an operator cannot
  // be trained (the node named), or the processor lacks bf16.
  Trainer(Graph graph, const Dataset& dataset, const TrainSettings& settings, const Target& target,
          std::optional<Teacher> teacher = std::nullopt);
  ~Trainer();

  // Trains up to the end of the epoch that the next step belongs to, or up to the end. Says whether
  // it came that far. Throws an Error where the loss is no longer finite.
  bool RunEpoch(const TrainCallback& callback = {});
  // Up to the end.
  bool Run(const TrainCallback& callback = {});

  int64_t step() const { return step_; }  // steps done
  int64_t steps() const { return steps_; }
  int64_t steps_an_epoch() const { return steps_an_epoch_; }

  // The network as trained so far; averaged weights where the settings ask for them.
  Graph TrainedGraph() const;

  // Everything that the rest of the training depends on, and back: a training that is restored in a
  // trainer made in the same way goes on bit by bit as the saved one would have. The file is
  // written under another name and then renamed. Both throw an Error that names the file; Restore
  // where it is damaged, too new, or of another training, and then changes nothing.
  void SaveCheckpoint(const std::string& path) const;
  void RestoreCheckpoint(const std::string& path);

 private:
  class Shard;

  void RequireTaught() const;
  bool RunTo(int64_t last, const TrainCallback& callback);
  double Step();  // the sum of the losses of its images
  void ReduceGradients();
  void AverageWeights();
  const std::vector<size_t>& Order(int64_t epoch);
  std::string Description() const;

  Graph graph_;
  const Dataset& dataset_;
  TrainSettings settings_;
  Target target_;
  std::optional<Teacher> teacher_;
  int64_t step_ = 0, steps_ = 0, steps_an_epoch_ = 0, warmup_steps_ = 0;
  double epoch_loss_ = 0;
  std::vector<Parameter> parameters_;
  std::vector<Tensor> averages_, gradients_;
  Optimiser optimiser_;
  std::vector<std::unique_ptr<Shard>> shards_;
  int64_t order_epoch_ = -1;
  std::vector<size_t> order_;  // in which the epoch's images come
};

// The logits [N,classes] of a graph for every image of a dataset, in inference form. Throws an
// Error where the dataset does not fit or an operator is not one of training_op_list.h.
Tensor Logits(const Graph& graph, const Dataset& dataset, DType dtype, const Target& target);

// The share of images whose largest logit is the label's.
double Accuracy(const Tensor& logits, const std::vector<int32_t>& labels);

}  // namespace fettle
