#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "fettle/core/statistics.h"
#include "fettle/runtime/executor.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// How a classifier did on labelled images. Accuracies are shares of 1.
struct Evaluation {
  int64_t samples = 0;
  Interval top1;                     // Wilson's
  double top5 = 0;                   // equals 1 where there are 5 classes or fewer
  double loss = 0;                   // mean cross-entropy of the softmax of the outputs
  std::vector<int32_t> predictions;  // the class with the largest output, the first of equal ones
  std::vector<bool> is_correct;      // one an image
};

// From the outputs [N,classes] for images with these labels. A model that ends in a softmax has its
// probabilities taken as they are: `is_probability`.
class EvaluationSum {
 public:
  explicit EvaluationSum(bool is_probability) : is_probability_(is_probability) {}
  void Add(const float* outputs, int64_t classes, int32_t label);
  Evaluation Result() const;

 private:
  bool is_probability_;
  Evaluation sum_;
  int64_t correct_ = 0, among_five_ = 0;
  double loss_ = 0;
};

// Runs every image of the dataset through the executor, in batches of what its plan takes.
// `progress` (may be empty) hears how many are done and answers whether to go on; Interrupted is
// thrown (kind kInterrupted) where it says no. Throws Error (kBadInput) where the model is no
// classifier of these images.
Evaluation Evaluate(Executor* executor, const Dataset& dataset,
                    const std::function<bool(int64_t done)>& progress = {});

// The share of images on which both say the same.
double Agreement(const Evaluation& a, const Evaluation& b);

// How much more often `candidate` is right than `original` on the same images.
Interval AccuracyDifference(const Evaluation& original, const Evaluation& candidate);

// The same as a drop in points, hundredths: positive where the candidate is worse.
Interval AccuracyDropPoints(const Evaluation& original, const Evaluation& candidate);

}  // namespace fettle
