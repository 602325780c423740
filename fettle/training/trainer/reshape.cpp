#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/primitives/element.h"
#include "fettle/training/trainer/training_op_list.h"
#include "fettle/training/trainer/vector_code.h"

// Reshape to [N,features] (a classifier's flatten), and what changes no element's place. The
// features stand in the order of channels first, as the weights behind them expect. The result is
// f32, as the classifier is.

namespace fettle {
namespace {

class View : public TrainingOp {
 public:
  explicit View(DType dtype) : dtype_(dtype) {}
  DType OutputType() const override { return dtype_; }
  GradientFlow Flow() const override { return GradientFlow::kPassed; }
  bool IsView() const override { return true; }
  void Forward(const OpMemory& /*memory*/, PassMode /*mode*/) override {}
  void Backward(const OpMemory& /*memory*/) override {}

 private:
  DType dtype_;
};

template <typename T>
class Flatten : public TrainingOp {
 public:
  explicit Flatten(const TrainingOpSpec& spec)
      : batch_(spec.inputs[0].shape[0]),
        channels_(spec.inputs[0].shape[1]),
        pixels_(ElementCount(spec.inputs[0].shape) / (batch_ * channels_)) {}

  DType OutputType() const override { return DType::kF32; }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    const T* from = reinterpret_cast<const T*>(memory.inputs[0]);
    float* const to = reinterpret_cast<float*>(memory.output);
    ForEach([&](int64_t place) { to[place] = Widen(*from++); });
  }

  void Backward(const OpMemory& memory) override {
    const float* const from = reinterpret_cast<const float*>(memory.output_gradient);
    T* to = reinterpret_cast<T*>(memory.input_gradients[0]);
    ForEach([&](int64_t place) { *to++ = Narrow<T>(from[place]); });
  }

 private:
  // Calls `visit` with the place, channels first, of each element in the order of channels last.
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (int64_t n = 0; n < batch_; ++n) {
      for (int64_t p = 0; p < pixels_; ++p) {
        for (int64_t c = 0; c < channels_; ++c) visit((n * channels_ + c) * pixels_ + p);
      }
    }
  }

  int64_t batch_, channels_, pixels_;
};

// Extents other than 1, which is all that matters to the order of elements.
Shape Essence(const Shape& shape) {
  Shape result;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(result),
               [](int64_t extent) { return extent != 1; });
  return result;
}

}  // namespace

std::unique_ptr<TrainingOp> MakeReshape(const TrainingOpSpec& spec) {
  const TensorType& input = spec.inputs[0];
  const bool same = Essence(input.shape) == Essence(spec.output);
  const bool flat = spec.output.size() == 2 && spec.output[0] == input.shape[0];
  // Where [N,C,1,1] becomes [N,C] in f32, memory is the same.
  if (input.shape == spec.output ||
      (same && flat && input.dtype == DType::kF32 && input.shape[1] == spec.output[1])) {
    return std::make_unique<View>(input.dtype);
  }
  if (!flat) {
    throw BadInput("only a reshape to [batch, features] can be trained, not from ",
                   ShapeText(input.shape), " to ", ShapeText(spec.output));
  }
  if (input.dtype == DType::kBF16) return std::make_unique<Flatten<BF16>>(spec);
  return std::make_unique<Flatten<float>>(spec);
}

}  // namespace fettle
