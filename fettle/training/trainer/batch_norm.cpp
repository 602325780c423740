#include <array>
#include <cassert>
#include <limits>

#include "fettle/core/error.h"
#include "fettle/primitives/element.h"
#include "fettle/training/trainer/channel_rows.h"
#include "fettle/training/trainer/training_op_list.h"
#include "fettle/training/trainer/vector_code.h"

// Batch normalisation (Ioffe & Szegedy, 2015) over channels-last memory, with the limits of a ReLU
// or ReLU6 behind it applied in the same passes. oneDNN's takes ten times as long here where the
// channels are no multiple of 16, as pruned networks have them.
//
// With m and v the batch's mean and variance, r = 1 / sqrt(v + epsilon), the forward pass is
// y = clamp(a x + b), a = scale r, b = shift - m a. For the gradient, g is the output's where
// a x + b lies within the limits, otherwise 0; S = sum g, X = sum g (x - m), over n pixels:
//   d shift = S,  d scale = r X,  dx = a (g - S / n - (x - m) r^2 X / n).

namespace fettle {
namespace {

// Sums of two terms for each channel over all pixels; `terms(i, lane, &first, &second)` gives those
// of element i. Partial sums in f32 over a few rows, the whole in f64.
template <typename Terms>
FETTLE_LOOP inline void SumTerms(const ChannelRows& rows, const Terms& terms, double* first,
                                 double* second) {
  constexpr int64_t kRowsAtOnce = 64;
  std::array<float, ChannelRows::kLanes> small_first, small_second;
  std::vector<float> large;
  float* partial_first = small_first.data();
  float* partial_second = small_second.data();
  if (rows.width > ChannelRows::kLanes) {
    large.resize(static_cast<size_t>(2 * rows.width));
    partial_first = large.data();
    partial_second = large.data() + rows.width;
  }
  const int64_t count = rows.NumElements();
  for (int64_t begin = 0; begin < count; begin += kRowsAtOnce * rows.width) {
    const int64_t end = std::min(count, begin + kRowsAtOnce * rows.width);
    std::fill_n(partial_first, rows.width, 0.0f);
    std::fill_n(partial_second, rows.width, 0.0f);
    for (int64_t row = begin; row < end; row += rows.width) {
      const int64_t lanes = std::min(rows.width, end - row);
#pragma GCC ivdep
      for (int64_t j = 0; j < lanes; ++j) {
        float a = 0, b = 0;
        terms(row + j, j, &a, &b);
        partial_first[j] += a;
        partial_second[j] += b;
      }
    }
    for (int64_t repeat = 0; repeat < rows.repeats; ++repeat) {
      for (int64_t c = 0; c < rows.channels; ++c) {
        first[c] += partial_first[repeat * rows.channels + c];
        second[c] += partial_second[repeat * rows.channels + c];
      }
    }
  }
}

template <typename T>
class BatchNormOp : public TrainingOp {
 public:
  explicit BatchNormOp(const TrainingOpSpec& spec)
      : dtype_(spec.inputs[0].dtype),
        epsilon_(std::get<BatchNorm>(spec.op).epsilon),
        code_(BestVectorCode(spec.target)),
        rows_(ElementCount(spec.inputs[0].shape) / spec.inputs[0].shape[1],
              spec.inputs[0].shape[1]) {
    if (spec.clamp) clamp_ = *spec.clamp;
    const auto channels = static_cast<size_t>(rows_.channels);
    for (auto* values : {&mean_, &variance_, &factor_, &offset_}) values->resize(channels);
  }

  DType OutputType() const override { return dtype_; }

  void Forward(const OpMemory& memory, PassMode mode) override {
    const T* const x = reinterpret_cast<const T*>(memory.inputs[0]);
    if (mode == PassMode::kTraining) {
      Estimate(x);
      for (size_t c = 0; c < mean_.size(); ++c) {
        memory.estimates[3][c] = static_cast<float>(mean_[c]);
        memory.estimates[4][c] = static_cast<float>(variance_[c] * UnbiasedFactor());
      }
    } else {
      std::copy_n(Values(memory, 3), mean_.size(), mean_.begin());
      std::copy_n(Values(memory, 4), mean_.size(), variance_.begin());
    }
    for (size_t c = 0; c < mean_.size(); ++c) {
      factor_[c] = Values(memory, 1)[c] * Reciprocal(c);
      offset_[c] = Values(memory, 2)[c] - mean_[c] * factor_[c];
    }
    Apply(x, reinterpret_cast<T*>(memory.output));
  }

  void Backward(const OpMemory& memory) override {
    const T* const x = reinterpret_cast<const T*>(memory.inputs[0]);
    const T* const gradient = reinterpret_cast<const T*>(memory.output_gradient);
    std::vector<double> sum(mean_.size()), moment(mean_.size());
    SumGradient(x, gradient, sum.data(), moment.data());
    for (size_t c = 0; c < mean_.size(); ++c) {
      if (auto* to = reinterpret_cast<float*>(memory.input_gradients[1])) {
        to[c] = static_cast<float>(Reciprocal(c) * moment[c]);
      }
      if (auto* to = reinterpret_cast<float*>(memory.input_gradients[2])) {
        to[c] = static_cast<float>(sum[c]);
      }
    }
    if (memory.input_gradients[0] != nullptr) {
      WriteGradient(x, gradient, sum, moment, reinterpret_cast<T*>(memory.input_gradients[0]));
    }
  }

 private:
  static const float* Values(const OpMemory& memory, size_t input) {
    return reinterpret_cast<const float*>(memory.inputs[input]);
  }
  double Reciprocal(size_t channel) const { return 1 / std::sqrt(variance_[channel] + epsilon_); }
  // Of the population's variance, as running statistics keep it.
  double UnbiasedFactor() const {
    return rows_.pixels > 1 ? static_cast<double>(rows_.pixels) / (rows_.pixels - 1.0) : 1.0;
  }

  // Sums are of differences from the first pixel, so that no large means cancel.
  void Estimate(const T* x) {
    const auto channels = static_cast<size_t>(rows_.channels);
    std::vector<double> start(channels);
    for (size_t c = 0; c < channels; ++c) start[c] = Widen(x[c]);
    const std::vector<float> lanes = rows_.Repeated<double>(start);
    std::vector<double> sum(channels), squares(channels);
    const ChannelRows rows = rows_;
    const float* const shift = lanes.data();
    double *const sum_to = sum.data(), *const squares_to = squares.data();
    RunLoop(code_, [=]() FETTLE_LOOP {
      const auto terms = [=](int64_t i, int64_t lane, float* a, float* b) FETTLE_LOOP {
        const float difference = Widen(x[i]) - shift[lane];
        *a = difference;
        *b = difference * difference;
      };
      SumTerms(rows, terms, sum_to, squares_to);
    });
    const auto pixels = static_cast<double>(rows_.pixels);
    for (size_t c = 0; c < channels; ++c) {
      const double difference = sum[c] / pixels;
      mean_[c] = start[c] + difference;
      variance_[c] = std::max(0.0, squares[c] / pixels - difference * difference);
    }
  }

  void Apply(const T* x, T* y) const {
    const std::vector<float> factors = rows_.Repeated<double>(factor_);
    const std::vector<float> offsets = rows_.Repeated<double>(offset_);
    const float *const a = factors.data(), *const b = offsets.data();
    const float low = clamp_.low, high = clamp_.high;
    const int64_t count = rows_.NumElements(), width = rows_.width;
    RunLoop(code_, [=]() FETTLE_LOOP {
      for (int64_t row = 0; row < count; row += width) {
        const int64_t lanes = std::min(width, count - row);
#pragma GCC ivdep
        for (int64_t j = 0; j < lanes; ++j) {
          y[row + j] = Narrow<T>(Clamped(Widen(x[row + j]) * a[j] + b[j], low, high));
        }
      }
    });
  }

  void SumGradient(const T* x, const T* gradient, double* sum, double* moment) const {
    const std::vector<float> factors = rows_.Repeated<double>(factor_);
    const std::vector<float> offsets = rows_.Repeated<double>(offset_);
    const std::vector<float> means = rows_.Repeated<double>(mean_);
    const float *const a = factors.data(), *const b = offsets.data(), *const m = means.data();
    const float low = clamp_.low, high = clamp_.high;
    const ChannelRows rows = rows_;
    RunLoop(code_, [=]() FETTLE_LOOP {
      const auto terms = [=](int64_t i, int64_t lane, float* first, float* second) FETTLE_LOOP {
        const float value = Widen(x[i]);
        const float y = value * a[lane] + b[lane];
        const float whole = Widen(gradient[i]);
        const float g = (y > low) & (y < high) ? whole : 0.0f;
        *first = g;
        *second = g * (value - m[lane]);
      };
      SumTerms(rows, terms, sum, moment);
    });
  }

  // dx = a g + p x + q.
  void WriteGradient(const T* x, const T* gradient, const std::vector<double>& sum,
                     const std::vector<double>& moment, T* to) const {
    std::vector<double> slope(mean_.size()), constant(mean_.size());
    const auto pixels = static_cast<double>(rows_.pixels);
    for (size_t c = 0; c < mean_.size(); ++c) {
      slope[c] = -factor_[c] * Reciprocal(c) * Reciprocal(c) * moment[c] / pixels;
      constant[c] = -factor_[c] * sum[c] / pixels - mean_[c] * slope[c];
    }
    const std::vector<float> factors = rows_.Repeated<double>(factor_);
    const std::vector<float> offsets = rows_.Repeated<double>(offset_);
    const std::vector<float> slopes = rows_.Repeated<double>(slope);
    const std::vector<float> constants = rows_.Repeated<double>(constant);
    const float *const a = factors.data(), *const b = offsets.data();
    const float *const p = slopes.data(), *const q = constants.data();
    const float low = clamp_.low, high = clamp_.high;
    const int64_t count = rows_.NumElements(), width = rows_.width;
    RunLoop(code_, [=]() FETTLE_LOOP {
      for (int64_t row = 0; row < count; row += width) {
        const int64_t lanes = std::min(width, count - row);
#pragma GCC ivdep
        for (int64_t j = 0; j < lanes; ++j) {
          const float value = Widen(x[row + j]);
          const float y = value * a[j] + b[j];
          const float whole = Widen(gradient[row + j]);
          const float g = (y > low) & (y < high) ? whole : 0.0f;
          to[row + j] = Narrow<T>(a[j] * g + (p[j] * value + q[j]));
        }
      }
    });
  }

  DType dtype_;
  float epsilon_;
  VectorCode code_;
  ChannelRows rows_;
  Clamp clamp_{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
  std::vector<double> mean_, variance_, factor_, offset_;  // of the last Forward, a channel each
};

}  // namespace

std::unique_ptr<TrainingOp> MakeBatchNorm(const TrainingOpSpec& spec) {
  for (size_t i = 1; i < spec.inputs.size(); ++i) {
    if (!spec.is_parameter[i]) throw BadInput("scales that are computed cannot be trained");
  }
  if (spec.inputs[0].dtype == DType::kBF16) return std::make_unique<BatchNormOp<BF16>>(spec);
  return std::make_unique<BatchNormOp<float>>(spec);
}

}  // namespace fettle
