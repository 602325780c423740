#include "fettle/training/evaluation/evaluation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// -log of the softmax of the outputs at the label.
double CrossEntropy(const float* outputs, int64_t classes, int32_t label) {
  const double largest = *std::max_element(outputs, outputs + classes);
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(outputs[c]) - largest);
  return std::log(sum) + largest - static_cast<double>(outputs[label]);
}

struct Classifier {
  int64_t batch = 0, classes = 0;
};

Classifier RequireClassifier(const Plan& plan, const Dataset& dataset) {
  if (plan.inputs.size() != 1 || plan.outputs.size() != 1) {
    throw BadInput("the model has ", plan.inputs.size(), " inputs and ", plan.outputs.size(),
                   " outputs; a classifier of images has one of each");
  }
  const TensorType& input = plan.tensors[static_cast<size_t>(plan.inputs[0])].type;
  const TensorType& output = plan.tensors[static_cast<size_t>(plan.outputs[0])].type;
  if (input.dtype != DType::kF32 || output.dtype != DType::kF32 || output.shape.size() != 2 ||
      output.shape[0] != input.shape[0]) {
    throw BadInput("the model takes ", TypeText(input), " and gives ", TypeText(output),
                   "; a classifier takes f32[NxCxHxW] and gives f32[Nxclasses]");
  }
  RequireFits(dataset, input.shape, output.shape[1]);
  return {input.shape[0], output.shape[1]};
}

bool EndsInSoftmax(const Plan& plan) {
  return !plan.steps.empty() && std::ranges::any_of(plan.steps, [&](const PlanStep& step) {
    return step.output == plan.outputs[0] && std::holds_alternative<Softmax>(step.spec.op);
  });
}

}  // namespace

void EvaluationSum::Add(const float* outputs, int64_t classes, int32_t label) {
  const auto best = static_cast<int32_t>(std::max_element(outputs, outputs + classes) - outputs);
  const float of_label = outputs[label];
  const int64_t ahead =
      std::count_if(outputs, outputs + classes, [&](float value) { return value > of_label; });
  sum_.predictions.push_back(best);
  sum_.is_correct.push_back(best == label);
  correct_ += best == label ? 1 : 0;
  among_five_ += ahead < 5 ? 1 : 0;
  loss_ += is_probability_ ? -std::log(std::max(static_cast<double>(of_label), 1e-30))
                           : CrossEntropy(outputs, classes, label);
}

Evaluation EvaluationSum::Result() const {
  Evaluation result = sum_;
  result.samples = static_cast<int64_t>(result.predictions.size());
  if (result.samples == 0) return result;
  const auto samples = static_cast<double>(result.samples);
  result.top1 = WilsonInterval(correct_, result.samples);
  result.top5 = static_cast<double>(among_five_) / samples;
  result.loss = loss_ / samples;
  return result;
}

Evaluation Evaluate(Executor* executor, const Dataset& dataset,
                    const std::function<bool(int64_t)>& progress) {
  const Plan& plan = executor->plan();
  const Classifier classifier = RequireClassifier(plan, dataset);
  EvaluationSum sum(EndsInSoftmax(plan));
  Tensor input(plan.tensors[static_cast<size_t>(plan.inputs[0])].type);
  Tensor output(plan.tensors[static_cast<size_t>(plan.outputs[0])].type);
  const Tensor* const inputs[] = {&input};
  Tensor* const outputs[] = {&output};
  for (int64_t first = 0; first < dataset.size(); first += classifier.batch) {
    const int64_t count = std::min(classifier.batch, dataset.size() - first);
    const Tensor images = Images(dataset, first, count);
    // What is left of the last batch holds the images before; their outputs are not looked at.
    std::memcpy(input.bytes(), images.bytes(), images.num_bytes());
    executor->Run(inputs, outputs);
    for (int64_t i = 0; i < count; ++i) {
      sum.Add(output.values<float>().data() + i * classifier.classes, classifier.classes,
              dataset.labels[static_cast<size_t>(first + i)]);
    }
    if (progress && !progress(first + count)) {
      throw Error(ErrorKind::kInterrupted, "interrupted while evaluating");
    }
  }
  return sum.Result();
}

double Agreement(const Evaluation& a, const Evaluation& b) {
  assert(a.samples == b.samples && a.samples > 0);
  int64_t same = 0;
  for (size_t i = 0; i < a.predictions.size(); ++i) {
    same += a.predictions[i] == b.predictions[i] ? 1 : 0;
  }
  return static_cast<double>(same) / static_cast<double>(a.samples);
}

Interval AccuracyDifference(const Evaluation& original, const Evaluation& candidate) {
  assert(original.samples == candidate.samples);
  int64_t gained = 0, lost = 0;
  for (size_t i = 0; i < original.is_correct.size(); ++i) {
    if (candidate.is_correct[i] && !original.is_correct[i]) ++gained;
    if (!candidate.is_correct[i] && original.is_correct[i]) ++lost;
  }
  return PairedDifference(gained, lost, original.samples);
}

Interval AccuracyDropPoints(const Evaluation& original, const Evaluation& candidate) {
  const Interval share = AccuracyDifference(original, candidate);
  return {-100 * share.value, -100 * share.high, -100 * share.low};
}

}  // namespace fettle
