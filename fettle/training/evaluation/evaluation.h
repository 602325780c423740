#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "fettle/core/statistics.h"
#include "fettle/runtime/executor.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// How a classifier did on images. Accuracies are shares of 1.
struct Evaluation {
  int64_t samples = 0;
  int64_t classes = 0;
  bool is_labelled = true;
  // Of labelled images only.
  Interval top1;                 // Wilson's
  double top5 = 0;               // equals 1 where there are 5 classes or fewer
  double loss = 0;               // mean cross-entropy of the softmax of the outputs
  std::vector<bool> is_correct;  // one an image
  // Of all.
  std::vector<int32_t> predictions;  // the class with the largest output, the first of equal ones
  std::vector<float> log_probabilities;  // of the softmax of the outputs, [samples, classes]
};

// From the outputs [N,classes] for images with these labels. A model that ends in a softmax has its
// probabilities taken as they are: `is_probability`.
class EvaluationSum {
 public:
  EvaluationSum(bool is_probability, int64_t classes);
  void Add(const float* outputs, std::optional<int32_t> label);
  Evaluation Result() const;

  int64_t correct() const { return correct_; }
  int64_t samples() const { return static_cast<int64_t>(sum_.predictions.size()); }

 private:
  bool is_probability_;
  Evaluation sum_;
  int64_t correct_ = 0, among_five_ = 0;
  double loss_ = 0;
};

struct EvaluationOptions {
  // Hears how many images are done and answers whether to go on; may be empty.
  std::function<bool(int64_t done)> progress;
  // Ends early, and with fewer samples than images, once the accuracy is clearly below this: see
  // IsClearlyBelow. Wants labels, and images in an order that says nothing of their class.
  std::optional<double> floor;
};

// Runs every image of the dataset through the executor, in batches of what its plan takes. Throws
// Error: kInterrupted where `progress` says no, kBadInput where the model is no classifier of these
// images.
Evaluation Evaluate(Executor* executor, const Dataset& dataset,
                    const EvaluationOptions& options = {});

// The same by whatever runs a plan's batches: `run` gets a whole batch of the plan's input (what is
// left of the last one holds images before) and hands back its outputs.
using BatchRunner = std::function<const Tensor&(const Tensor& batch)>;
Evaluation EvaluateBy(const BatchRunner& run, const Plan& plan, const Dataset& dataset,
                      const EvaluationOptions& options = {});

// Whether so many right answers among the first images say that the accuracy on all is below
// `floor`: its upper bound is, at a confidence (4 standard errors of a share at the floor, 3e-5)
// that leaves the risk below 1 % for hundreds of looks.
bool IsClearlyBelow(int64_t correct, int64_t seen, double floor);

// A candidate against the original on the same images.
struct Comparison {
  Interval agreement;  // the share of images on which both say the same; Wilson's
  double kl = 0;       // mean of KL(original || candidate) of their probabilities, in nats
  std::optional<Interval> drop_points;  // of top-1, hundredths, paired; of labelled images only
};
Comparison Compare(const Evaluation& original, const Evaluation& candidate);

// What a network is judged by: its top-1 where there are labels, else its agreement with the
// original; and how much that is less than the original's, in points.
struct Score {
  Interval accuracy, drop_points;
  double loss = 0;  // cross-entropy, or the KL divergence from the original
  Comparison comparison;
};
Score ScoreOf(const Evaluation& original, const Evaluation& candidate);

}  // namespace fettle
