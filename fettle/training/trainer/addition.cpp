#include <algorithm>
#include <cassert>

#include "fettle/core/error.h"
#include "fettle/primitives/element.h"
#include "fettle/training/trainer/training_op_list.h"
#include "fettle/training/trainer/vector_code.h"

// The sum of activations of one shape, as residual connections make it, with the limits of a ReLU
// behind it applied in the same pass.

namespace fettle {
namespace {

template <typename T>
class Addition : public TrainingOp {
 public:
  explicit Addition(const TrainingOpSpec& spec)
      : dtype_(spec.inputs[0].dtype),
        code_(BestVectorCode(spec.target)),
        clamp_(spec.clamp),
        count_(ElementCount(spec.output)) {}

  DType OutputType() const override { return dtype_; }
  GradientFlow Flow() const override {
    return clamp_ ? GradientFlow::kElementwise : GradientFlow::kPassed;
  }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    const auto input = [&](size_t i) { return reinterpret_cast<const T*>(memory.inputs[i]); };
    T* const sum = reinterpret_cast<T*>(memory.output);
    const size_t last = memory.inputs.size() - 1;
    if (last == 0) std::copy_n(input(0), count_, sum);
    for (size_t i = 1; i < last; ++i) Add(i == 1 ? input(0) : sum, input(i), sum);
    if (last == 0) return Limit(sum);
    AddAndLimit(last == 1 ? input(0) : sum, input(last), sum);
  }

  void Backward(const OpMemory& memory) override {
    const T* const y = reinterpret_cast<const T*>(memory.output);
    const T* const gradient = reinterpret_cast<const T*>(memory.output_gradient);
    T* const to = reinterpret_cast<T*>(memory.input_gradients[0]);
    const Clamp clamp = clamp_.value_or(Clamp());
    const int64_t count = count_;
    RunLoop(code_, [=]() FETTLE_LOOP {
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) {
        const float value = Widen(y[i]), whole = Widen(gradient[i]);
        to[i] = Narrow<T>((value > clamp.low) & (value < clamp.high) ? whole : 0.0f);
      }
    });
  }

 private:
  void Add(const T* a, const T* b, T* sum) const {
    const int64_t count = count_;
    RunLoop(code_, [=]() FETTLE_LOOP {
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) sum[i] = Narrow<T>(Widen(a[i]) + Widen(b[i]));
    });
  }

  void AddAndLimit(const T* a, const T* b, T* sum) const {
    if (!clamp_) return Add(a, b, sum);
    const Clamp clamp = *clamp_;
    const int64_t count = count_;
    RunLoop(code_, [=]() FETTLE_LOOP {
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) {
        sum[i] = Narrow<T>(Clamped(Widen(a[i]) + Widen(b[i]), clamp.low, clamp.high));
      }
    });
  }

  void Limit(T* values) const {
    if (!clamp_) return;
    for (int64_t i = 0; i < count_; ++i) {
      values[i] = Narrow<T>(Clamped(Widen(values[i]), clamp_->low, clamp_->high));
    }
  }

  DType dtype_;
  VectorCode code_;
  std::optional<Clamp> clamp_;
  int64_t count_;
};

}  // namespace

std::unique_ptr<TrainingOp> MakeAddition(const TrainingOpSpec& spec) {
  if (const auto* binary = std::get_if<Binary>(&spec.op);
      binary && binary->kind != BinaryKind::kAdd) {
    throw BadInput("only the addition of two activations can be trained");
  }
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    if (spec.is_parameter[i] || spec.inputs[i] != spec.inputs[0]) {
      throw BadInput("only the addition of activations of one shape can be trained");
    }
  }
  if (spec.inputs[0].dtype == DType::kBF16) return std::make_unique<Addition<BF16>>(spec);
  return std::make_unique<Addition<float>>(spec);
}

}  // namespace fettle
