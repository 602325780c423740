#include "fettle/training/evaluation/calibrate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/threads.h"
#include "fettle/network/macs.h"
#include "fettle/network/variants/weighted_layer.h"
#include "fettle/training/evaluation/activation_tap.h"
#include "fettle/training/evaluation/onednn_second_moments.h"

namespace fettle {
namespace {

constexpr int64_t kPositionsAnImage = 64;
constexpr int64_t kLongestPatch = 4608;  // numbers that are correlated: 3x3 of 512 channels
constexpr int64_t kFewestPositions =
    16;  // of patches; more where so many numbers want more samples
constexpr int64_t kSamplesANumber = 4;

// Of a plane's positions the one for a sample: the plane in as many equal parts as an image has
// samples, one of each, at a place within it that goes on from part to part and image to image (by
// the golden ratio). Always the first would be the same few columns wherever a part's length and
// the plane's width have a common divisor: of 16 parts of 32x32 the leftmost, half of it padding.
int64_t PositionOf(int64_t image, int64_t sample, int64_t samples, int64_t plane) {
  constexpr double kGoldenRatio = 0.6180339887498949;
  const int64_t first = sample * plane / samples, end = (sample + 1) * plane / samples;
  const double turns = kGoldenRatio * static_cast<double>(image * samples + sample);
  return first +
         static_cast<int64_t>(static_cast<double>(end - first) * (turns - std::floor(turns)));
}

// Sums over samples, of values less a shift near their mean, so that nothing cancels.
class MomentSums {
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
        const int64_t position = PositionOf(n, p, positions, plane);
        for (int64_t c = 0; c < channels; ++c) {
          *to++ = from[(n * channels + c) * plane + position];
        }
      }
    }
    AddRows(&samples, rows, channels);
  }

  // Rows may be changed.
  void AddRows(std::vector<float>* rows, int64_t count, int64_t channels) {
    const auto width = static_cast<size_t>(channels);
    if (shift_.empty()) {
      shift_.resize(width);
      for (size_t i = 0; i < rows->size(); ++i) shift_[i % width] += (*rows)[i];
      for (float& shift : shift_) shift /= static_cast<float>(count);
      sums_.resize(width);
      if (width <= static_cast<size_t>(kLongestPatch)) products_.resize(width * width);
    }
    for (size_t i = 0; i < rows->size(); ++i) {
      (*rows)[i] -= shift_[i % width];
      sums_[i % width] += (*rows)[i];
    }
    if (!products_.empty()) AddSecondMoments(*rows, count, channels, &products_);
    samples_ += count;
  }

  // Hands the products over: there may be a gigabyte of them.
  void MoveTo(Moments* statistics) {
    const auto samples = static_cast<double>(samples_);
    const size_t channels = shift_.size();
    statistics->samples = samples_;
    statistics->covariance = std::move(products_);
    for (size_t a = 0; a < channels; ++a) {
      statistics->mean.push_back(shift_[a] + sums_[a] / samples);
      for (size_t b = 0; b < channels && !statistics->covariance.empty(); ++b) {
        double& entry = statistics->covariance[a * channels + b];
        entry = entry / samples - sums_[a] / samples * (sums_[b] / samples);
      }
    }
  }

 private:
  int64_t samples_ = 0;
  std::vector<float> shift_;
  std::vector<double> sums_, products_;
};

// The patches of one convolution.
class PatchSums {
 public:
  PatchSums(WeightedLayer layer, int64_t images) : layer_(std::move(layer)) {
    positions_ = std::clamp(kSamplesANumber * layer_.patch() / std::max<int64_t>(1, images),
                            kFewestPositions, kPositionsAnImage);
  }

  const std::string& name() const { return layer_.name; }

  void Add(const Tensor& values) {
    const Shape& shape = values.shape();
    const int64_t height = WindowOutput(layer_.window, 0, shape[2]);
    const int64_t width = WindowOutput(layer_.window, 1, shape[3]);
    const int64_t positions = std::min(height * width, positions_);
    std::vector<float> rows;
    rows.reserve(static_cast<size_t>(shape[0] * positions * layer_.patch()));
    for (int64_t n = 0; n < shape[0]; ++n) {
      for (int64_t p = 0; p < positions; ++p) {
        const int64_t position = PositionOf(n, p, positions, height * width);
        AppendPatch(values, n, position / width, position % width, &rows);
      }
    }
    sums_.AddRows(&rows, shape[0] * positions, layer_.patch());
  }

  void MoveTo(Moments* moments) { sums_.MoveTo(moments); }

 private:
  void AppendPatch(const Tensor& values, int64_t image, int64_t row, int64_t column,
                   std::vector<float>* patch) const {
    const Shape& shape = values.shape();
    const Window& window = layer_.window;
    const float* const from =
        values.values<float>().data() + image * shape[1] * shape[2] * shape[3];
    for (int64_t c = 0; c < shape[1]; ++c) {
      for (int64_t i = 0; i < window.kernel[0]; ++i) {
        const int64_t y = row * window.strides[0] + i * window.dilations[0] - window.pads_begin[0];
        for (int64_t j = 0; j < window.kernel[1]; ++j) {
          const int64_t x =
              column * window.strides[1] + j * window.dilations[1] - window.pads_begin[1];
          const bool is_inside = y >= 0 && y < shape[2] && x >= 0 && x < shape[3];
          patch->push_back(is_inside ? from[(c * shape[2] + y) * shape[3] + x] : 0);
        }
      }
    }
  }

  WeightedLayer layer_;
  int64_t positions_ = 0;
  MomentSums sums_;
};

// The convolutions whose patches are to be looked at, by the value that they read.
std::multimap<ValueId, PatchSums> PatchesToCalibrate(const Graph& graph, int64_t images) {
  std::multimap<ValueId, PatchSums> patches;
  for (WeightedLayer& layer : WeightedLayers(graph)) {
    const auto is_padded = [](const std::vector<int64_t>& pads) {
      return std::ranges::any_of(pads, [](int64_t pad) { return pad != 0; });
    };
    const bool is_plain = layer.taps() == 1 && !is_padded(layer.window.pads_begin) &&
                          !is_padded(layer.window.pads_end);
    if (is_plain || layer.groups != 1 || layer.patch() > kLongestPatch) continue;
    const ValueId input = graph.nodes()[static_cast<size_t>(layer.node)].inputs[0];
    patches.emplace(input, PatchSums(std::move(layer), images));
  }
  return patches;
}

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
  std::vector<MomentSums> moments(values.size());
  std::multimap<ValueId, PatchSums> patches = PatchesToCalibrate(graph, dataset.size());
  while (const auto tensors = tap.Next()) {
    for (size_t i = 0; i < values.size(); ++i) {
      const std::string& name = graph.value(values[i]).name;
      ActivationHistogram& histogram = calibration.values[name].histogram;
      histogram.Add((*tensors)[i].values<float>());
      if (histogram.not_finite() > 0) {
        throw BadInput("the value '", name, "' is not finite on ", dataset.name,
                       "; the model cannot be calibrated");
      }
      moments[i].Add((*tensors)[i]);
      const auto [first, last] = patches.equal_range(values[i]);
      for (auto patch = first; patch != last; ++patch) patch->second.Add((*tensors)[i]);
    }
  }
  for (size_t i = 0; i < values.size(); ++i) {
    moments[i].MoveTo(&calibration.values[graph.value(values[i]).name]);
    const auto [first, last] = patches.equal_range(values[i]);
    for (auto patch = first; patch != last; ++patch) {
      patch->second.MoveTo(&calibration.patches[patch->second.name()]);
    }
  }
  return calibration;
}

}  // namespace fettle
