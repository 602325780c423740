#include "fettle/training/evaluation/calibrate.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/network/macs.h"
#include "fettle/primitives/threads.h"
#include "fettle/training/evaluation/activation_tap.h"
#include "fettle/training/evaluation/onednn_second_moments.h"

namespace fettle {
namespace {

constexpr int64_t kPositionsAnImage = 64;
constexpr size_t kMostCorrelated = 4096;  // channels

// Sums over samples, of values less a shift near their mean, so that nothing cancels.
class Moments {
 public:
  void Add(const Tensor& values) {
    const Shape& shape = values.shape();
    const int64_t channels = shape[1];
    const int64_t plane = values.num_elements() / (shape[0] * channels);
    const int64_t positions = std::min(plane, kPositionsAnImage);
    const int64_t rows = shape[0] * positions;
    std::vector<float> samples(static_cast<size_t>(rows * channels));
    const float* const from = values.values<float>().data();
    float* to = samples.data();
    for (int64_t n = 0; n < shape[0]; ++n) {
      for (int64_t p = 0; p < positions; ++p) {
        const int64_t position = p * plane / positions;
        for (int64_t c = 0; c < channels; ++c) {
          *to++ = from[(n * channels + c) * plane + position];
        }
      }
    }
    AddRows(&samples, rows, channels);
  }

  void WriteTo(ActivationStatistics* statistics) const {
    const auto samples = static_cast<double>(samples_);
    const size_t channels = shift_.size();
    statistics->samples = samples_;
    statistics->covariance = products_;
    for (size_t a = 0; a < channels; ++a) {
      statistics->mean.push_back(shift_[a] + sums_[a] / samples);
      for (size_t b = 0; b < channels && !products_.empty(); ++b) {
        double& entry = statistics->covariance[a * channels + b];
        entry = entry / samples - sums_[a] / samples * (sums_[b] / samples);
      }
    }
  }

 private:
  void AddRows(std::vector<float>* rows, int64_t count, int64_t channels) {
    const auto width = static_cast<size_t>(channels);
    if (shift_.empty()) {
      shift_.resize(width);
      for (size_t i = 0; i < rows->size(); ++i) shift_[i % width] += (*rows)[i];
      for (float& shift : shift_) shift /= static_cast<float>(count);
      sums_.resize(width);
      if (width <= kMostCorrelated) products_.resize(width * width);
    }
    for (size_t i = 0; i < rows->size(); ++i) {
      (*rows)[i] -= shift_[i % width];
      sums_[i % width] += (*rows)[i];
    }
    if (!products_.empty()) AddSecondMoments(*rows, count, channels, &products_);
    samples_ += count;
  }

  int64_t samples_ = 0;
  std::vector<float> shift_;
  std::vector<double> sums_, products_;
};

}  // namespace

std::vector<ValueId> ValuesToCalibrate(const Graph& graph) {
  std::vector<ValueId> values;
  const auto add = [&](ValueId id) {
    const Value& value = graph.value(id);
    const bool has_channels = value.type.shape.size() >= 2 && value.type.dtype == DType::kF32;
    if (value.constant != nullptr || !has_channels) return;
    if (std::ranges::find(values, id) == values.end()) values.push_back(id);
  };
  for (const Node& node : graph.nodes()) {
    if (MacsOf(graph, node) == 0) continue;
    add(node.inputs[0]);
    add(node.outputs[0]);
  }
  return values;
}

Calibration Calibrate(const Graph& graph, const std::vector<ValueId>& values,
                      const Dataset& dataset, const PrimitiveList& primitives,
                      const Target& target) {
  ActivationTap tap(graph, values, dataset, primitives, target);
  const ThreadScope threads(target.threads);  // of the products
  Calibration calibration;
  std::vector<Moments> moments(values.size());
  while (const auto tensors = tap.Next()) {
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string& name = graph.value(values[i]).name;
      ActivationHistogram& histogram = calibration[name].histogram;
      histogram.Add((*tensors)[i].values<float>());
      if (histogram.not_finite() > 0) {
        throw BadInput("the value '", name, "' is not finite on ", dataset.name,
                       "; the model cannot be calibrated");
      }
      moments[i].Add((*tensors)[i]);
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    moments[i].WriteTo(&calibration[graph.value(values[i]).name]);
  }
  return calibration;
}

}  // namespace fettle
