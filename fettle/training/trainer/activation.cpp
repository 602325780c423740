#include <cassert>

#include "fettle/primitives/element.h"
#include "fettle/training/trainer/training_op_list.h"
#include "fettle/training/trainer/vector_code.h"

namespace fettle {
namespace {

float Logistic(float x) { return 1 / (1 + std::exp(-x)); }

// One kind: its value and its derivative at x.
struct Relu {
  float Value(float x) const { return x < 0 ? 0 : x; }
  float Slope(float x) const { return x > 0 ? 1.0f : 0.0f; }
};
struct Clip {
  float low, high;
  float Value(float x) const { return Clamped(x, low, high); }
  float Slope(float x) const { return (x > low) & (x < high) ? 1.0f : 0.0f; }
};
struct LeakyRelu {
  float alpha;
  float Value(float x) const { return x < 0 ? alpha * x : x; }
  float Slope(float x) const { return x > 0 ? 1.0f : alpha; }
};
struct Sigmoid {
  float Value(float x) const { return Logistic(x); }
  float Slope(float x) const { return Logistic(x) * (1 - Logistic(x)); }
};
struct HardSigmoid {
  float alpha, beta;
  float Value(float x) const { return Clamped(alpha * x + beta, 0, 1); }
  float Slope(float x) const {
    const float y = alpha * x + beta;
    return (y > 0) & (y < 1) ? alpha : 0.0f;
  }
};
struct HardSwish {
  float Value(float x) const { return x * Clamped(x / 6 + 0.5f, 0, 1); }
  float Slope(float x) const { return x < -3 ? 0.0f : x > 3 ? 1.0f : x / 3 + 0.5f; }
};
struct Tanh {
  float Value(float x) const { return std::tanh(x); }
  float Slope(float x) const { return 1 - std::tanh(x) * std::tanh(x); }
};

template <typename T, typename Kind>
class ActivationOp : public TrainingOp {
 public:
  ActivationOp(const TrainingOpSpec& spec, Kind kind)
      : dtype_(spec.inputs[0].dtype),
        code_(BestVectorCode(spec.target)),
        kind_(kind),
        count_(ElementCount(spec.output)) {}

  DType OutputType() const override { return dtype_; }
  GradientFlow Flow() const override { return GradientFlow::kElementwise; }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    const T* const x = reinterpret_cast<const T*>(memory.inputs[0]);
    T* const y = reinterpret_cast<T*>(memory.output);
    const Kind kind = kind_;
    const int64_t count = count_;
    RunLoop(code_, [=]() FETTLE_LOOP {
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) y[i] = Narrow<T>(kind.Value(Widen(x[i])));
    });
  }

  void Backward(const OpMemory& memory) override {
    const T* const x = reinterpret_cast<const T*>(memory.inputs[0]);
    const T* const gradient = reinterpret_cast<const T*>(memory.output_gradient);
    T* const to = reinterpret_cast<T*>(memory.input_gradients[0]);
    const Kind kind = kind_;
    const int64_t count = count_;
    RunLoop(code_, [=]() FETTLE_LOOP {
#pragma GCC ivdep
      for (int64_t i = 0; i < count; ++i) {
        to[i] = Narrow<T>(Widen(gradient[i]) * kind.Slope(Widen(x[i])));
      }
    });
  }

 private:
  DType dtype_;
  VectorCode code_;
  Kind kind_;
  int64_t count_;
};

template <typename Kind>
std::unique_ptr<TrainingOp> Make(const TrainingOpSpec& spec, Kind kind) {
  if (spec.inputs[0].dtype == DType::kBF16) {
    return std::make_unique<ActivationOp<BF16, Kind>>(spec, kind);
  }
  return std::make_unique<ActivationOp<float, Kind>>(spec, kind);
}

}  // namespace

std::unique_ptr<TrainingOp> MakeActivation(const TrainingOpSpec& spec) {
  const auto& activation = std::get<Activation>(spec.op);
  const float alpha = activation.alpha, beta = activation.beta;
  switch (activation.kind) {
    case ActivationKind::kRelu:
      return Make(spec, Relu{});
    case ActivationKind::kClip:
      return Make(spec, Clip{alpha, beta});
    case ActivationKind::kLeakyRelu:
      return Make(spec, LeakyRelu{alpha});
    case ActivationKind::kSigmoid:
      return Make(spec, Sigmoid{});
    case ActivationKind::kHardSigmoid:
      return Make(spec, HardSigmoid{alpha, beta});
    case ActivationKind::kHardSwish:
      return Make(spec, HardSwish{});
    case ActivationKind::kTanh:
      return Make(spec, Tanh{});
  }
  assert(false);
  return nullptr;
}

}  // namespace fettle
