#include <cassert>
#include <numeric>

#include "fettle/core/error.h"
#include "fettle/primitives/element.h"
#include "fettle/training/trainer/training_op_list.h"
#include "fettle/training/trainer/vector_code.h"

// The mean over all axes behind the channels. Its result is f32 whatever its input is: it is small,
// and the classifier behind it is computed in f32.

namespace fettle {
namespace {

template <typename T>
class SpatialMean : public TrainingOp {
 public:
  explicit SpatialMean(const TrainingOpSpec& spec)
      : code_(BestVectorCode(spec.target)),
        batch_(spec.inputs[0].shape[0]),
        channels_(spec.inputs[0].shape[1]),
        pixels_(ElementCount(spec.inputs[0].shape) / (batch_ * channels_)) {}

  DType OutputType() const override { return DType::kF32; }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    const T* const x = reinterpret_cast<const T*>(memory.inputs[0]);
    float* const y = reinterpret_cast<float*>(memory.output);
    const int64_t batch = batch_, channels = channels_, pixels = pixels_;
    RunLoop(code_, [=]() FETTLE_LOOP {
      const float share = 1 / static_cast<float>(pixels);
      for (int64_t n = 0; n < batch; ++n) {
        float* const sum = y + n * channels;
        for (int64_t c = 0; c < channels; ++c) sum[c] = 0;
        for (int64_t p = 0; p < pixels; ++p) {
          const T* const from = x + (n * pixels + p) * channels;
          for (int64_t c = 0; c < channels; ++c) sum[c] += Widen(from[c]);
        }
        for (int64_t c = 0; c < channels; ++c) sum[c] *= share;
      }
    });
  }

  void Backward(const OpMemory& memory) override {
    const float* const gradient = reinterpret_cast<const float*>(memory.output_gradient);
    T* const to = reinterpret_cast<T*>(memory.input_gradients[0]);
    const int64_t batch = batch_, channels = channels_, pixels = pixels_;
    RunLoop(code_, [=]() FETTLE_LOOP {
      const float share = 1 / static_cast<float>(pixels);
      for (int64_t n = 0; n < batch; ++n) {
        for (int64_t p = 0; p < pixels; ++p) {
          T* const pixel = to + (n * pixels + p) * channels;
          for (int64_t c = 0; c < channels; ++c) {
            pixel[c] = Narrow<T>(gradient[n * channels + c] * share);
          }
        }
      }
    });
  }

 private:
  VectorCode code_;
  int64_t batch_, channels_, pixels_;
};

}  // namespace

std::unique_ptr<TrainingOp> MakeSpatialMean(const TrainingOpSpec& spec) {
  if (const auto* mean = std::get_if<ReduceMean>(&spec.op)) {
    std::vector<int64_t> spatial(spec.inputs[0].shape.size() - 2);
    std::iota(spatial.begin(), spatial.end(), int64_t{2});
    if (mean->axes != spatial) throw BadInput("only the mean over all spatial axes can be trained");
  }
  if (spec.inputs[0].dtype == DType::kBF16) return std::make_unique<SpatialMean<BF16>>(spec);
  return std::make_unique<SpatialMean<float>>(spec);
}

}  // namespace fettle
