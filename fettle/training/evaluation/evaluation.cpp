#include "fettle/training/evaluation/evaluation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr int64_t kLook = 200;  // images between looks at whether to end early
constexpr double kErrors = 4;

// Of the outputs, or of what is a probability already.
void LogSoftmax(const float* outputs, int64_t classes, bool is_probability, float* logs) {
  if (is_probability) {
    for (int64_t c = 0; c < classes; ++c) logs[c] = std::log(std::max(outputs[c], 1e-30f));
    return;
  }
  const double largest = *std::max_element(outputs, outputs + classes);
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) sum += std::exp(static_cast<double>(outputs[c]) - largest);
  const double log_sum = std::log(sum) + largest;
  for (int64_t c = 0; c < classes; ++c) {
    logs[c] = static_cast<float>(static_cast<double>(outputs[c]) - log_sum);
  }
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

EvaluationSum::EvaluationSum(bool is_probability, int64_t classes)
    : is_probability_(is_probability) {
  sum_.classes = classes;
}

void EvaluationSum::Add(const float* outputs, std::optional<int32_t> label) {
  const int64_t classes = sum_.classes;
  const auto best = static_cast<int32_t>(std::max_element(outputs, outputs + classes) - outputs);
  sum_.predictions.push_back(best);
  sum_.log_probabilities.resize(sum_.log_probabilities.size() + static_cast<size_t>(classes));
  float* const logs =
      sum_.log_probabilities.data() + sum_.log_probabilities.size() - static_cast<size_t>(classes);
  LogSoftmax(outputs, classes, is_probability_, logs);
  sum_.is_labelled = label.has_value();
  if (!label) return;
  const float of_label = outputs[*label];
  const int64_t ahead =
      std::count_if(outputs, outputs + classes, [&](float value) { return value > of_label; });
  sum_.is_correct.push_back(best == *label);
  correct_ += best == *label ? 1 : 0;
  among_five_ += ahead < 5 ? 1 : 0;
  loss_ -= logs[*label];
}

Evaluation EvaluationSum::Result() const {
  Evaluation result = sum_;
  result.samples = samples();
  if (result.samples == 0 || !result.is_labelled) return result;
  const auto count = static_cast<double>(result.samples);
  result.top1 = WilsonInterval(correct_, result.samples);
  result.top5 = static_cast<double>(among_five_) / count;
  result.loss = loss_ / count;
  return result;
}

Evaluation EvaluateBy(const BatchRunner& run, const Plan& plan, const Dataset& dataset,
                      const EvaluationOptions& options) {
  const Classifier classifier = RequireClassifier(plan, dataset);
  EvaluationSum sum(EndsInSoftmax(plan), classifier.classes);
  Tensor input(plan.tensors[static_cast<size_t>(plan.inputs[0])].type);
  for (int64_t first = 0; first < dataset.size(); first += classifier.batch) {
    const int64_t count = std::min(classifier.batch, dataset.size() - first);
    const Tensor images = Images(dataset, first, count);
    // What is left of the last batch holds the images before; their outputs are not looked at.
    std::memcpy(input.bytes(), images.bytes(), images.num_bytes());
    const std::span<const float> outputs = run(input).values<float>();
    for (int64_t i = 0; i < count; ++i) {
      std::optional<int32_t> label;
      if (dataset.is_labelled()) label = dataset.labels[static_cast<size_t>(first + i)];
      sum.Add(outputs.data() + i * classifier.classes, label);
    }
    if (options.progress && !options.progress(first + count)) {
      throw Error(ErrorKind::kInterrupted, "interrupted while evaluating");
    }
    const bool is_a_look = options.floor && dataset.is_labelled() && sum.samples() % kLook < count;
    if (is_a_look && IsClearlyBelow(sum.correct(), sum.samples(), *options.floor)) break;
  }
  return sum.Result();
}

Evaluation Evaluate(Executor* executor, const Dataset& dataset, const EvaluationOptions& options) {
  const Plan& plan = executor->plan();
  RequireClassifier(plan, dataset);
  Tensor output(plan.tensors[static_cast<size_t>(plan.outputs[0])].type);
  Tensor* const outputs[] = {&output};
  const auto run = [&](const Tensor& batch) -> const Tensor& {
    const Tensor* const inputs[] = {&batch};
    executor->Run(inputs, outputs);
    return output;
  };
  return EvaluateBy(run, plan, dataset, options);
}

bool IsClearlyBelow(int64_t correct, int64_t seen, double floor) {
  if (seen < kLook || floor <= 0) return false;
  const auto n = static_cast<double>(seen);
  const double error = std::sqrt(std::min(floor, 1.0) * std::max(0.0, 1 - floor) / n);
  // Half an image, for a share is of whole ones.
  return (static_cast<double>(correct) + 0.5) / n < floor - kErrors * error;
}

Comparison Compare(const Evaluation& original, const Evaluation& candidate) {
  assert(original.samples == candidate.samples && original.samples > 0);
  assert(original.classes == candidate.classes);
  Comparison result;
  int64_t same = 0, gained = 0, lost = 0;
  for (size_t i = 0; i < original.predictions.size(); ++i) {
    same += original.predictions[i] == candidate.predictions[i] ? 1 : 0;
  }
  result.agreement = WilsonInterval(same, original.samples);
  double kl = 0;
  for (size_t i = 0; i < original.log_probabilities.size(); ++i) {
    const double log_p = original.log_probabilities[i];
    kl += std::exp(log_p) * (log_p - static_cast<double>(candidate.log_probabilities[i]));
  }
  result.kl = kl / static_cast<double>(original.samples);
  if (!original.is_labelled) return result;
  for (size_t i = 0; i < original.is_correct.size(); ++i) {
    if (candidate.is_correct[i] && !original.is_correct[i]) ++gained;
    if (!candidate.is_correct[i] && original.is_correct[i]) ++lost;
  }
  const Interval share = PairedDifference(gained, lost, original.samples);
  result.drop_points = Interval{-100 * share.value, -100 * share.high, -100 * share.low};
  return result;
}

Score ScoreOf(const Evaluation& original, const Evaluation& candidate) {
  const Comparison comparison = Compare(original, candidate);
  if (comparison.drop_points) {
    return {candidate.top1, *comparison.drop_points, candidate.loss, comparison};
  }
  const Interval& agreement = comparison.agreement;
  const Interval drop = {100 * (1 - agreement.value), 100 * (1 - agreement.high),
                         100 * (1 - agreement.low)};
  return {agreement, drop, comparison.kl, comparison};
}

}  // namespace fettle
