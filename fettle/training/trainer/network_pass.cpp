#include "fettle/training/trainer/network_pass.h"

#include <cassert>

#include "fettle/network/batch.h"
#include "fettle/primitives/element.h"
#include "fettle/training/trainer/network_pass_builder.h"
#include "fettle/training/trainer/vector_code.h"

namespace fettle {
namespace {

template <typename T>
void Add(VectorCode code, const std::byte* first, const std::byte* second, std::byte* sum,
         int64_t count) {
  const T* const a = reinterpret_cast<const T*>(first);
  const T* const b = reinterpret_cast<const T*>(second);
  T* const to = reinterpret_cast<T*>(sum);
  RunLoop(code, [=]() FETTLE_LOOP {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) to[i] = Narrow<T>(Widen(a[i]) + Widen(b[i]));
  });
}

}  // namespace

NetworkPass::NetworkPass(const Graph& graph, const std::vector<Parameter>* parameters,
                         int64_t batch, DType dtype, const Target& target)
    : batch_(batch), target_(target), parameters_(parameters) {
  assert(batch > 0 && (dtype == DType::kF32 || dtype == DType::kBF16));
  const Graph of_batch = WithBatch(graph, batch);
  Builder(this, of_batch, dtype).Build();
}

NetworkPass::~NetworkPass() = default;

std::span<const float> NetworkPass::logits() const {
  return {reinterpret_cast<const float*>(logits_), static_cast<size_t>(num_logits_)};
}

std::span<float> NetworkPass::logits_gradient() {
  return {reinterpret_cast<float*>(logits_gradient_), static_cast<size_t>(num_logits_)};
}

void NetworkPass::Forward(PassMode mode) {
  ConvertInput();
  for (Step& step : steps_) {
    if (!step.is_view) step.op->Forward(step.memory, mode);
  }
}

void NetworkPass::Backward(const GradientObserver& observer) {
  for (const auto& action : backward_) {
    if (const auto* sum = std::get_if<Accumulation>(&action)) {
      Accumulate(*sum);
    } else {
      Step& step = steps_[std::get<size_t>(action)];
      if (observer) {
        observer({step.name, step.output_type, step.memory.output, step.memory.output_gradient});
      }
      step.op->Backward(step.memory);
    }
  }
  for (const auto& [parameter, spare] : spare_of_) {
    if ((*parameters_)[parameter].kind == ParameterKind::kEstimated) continue;
    std::byte* const to = gradients_[parameter].bytes();
    Accumulate({to, to, spare_gradients_[spare].bytes(), gradients_[parameter].type()});
  }
}

void NetworkPass::Accumulate(const Accumulation& sum) const {
  const VectorCode code = BestVectorCode(target_);
  const int64_t count = ElementCount(sum.type);
  if (sum.type.dtype == DType::kBF16) return Add<BF16>(code, sum.a, sum.b, sum.to, count);
  Add<float>(code, sum.a, sum.b, sum.to, count);
}

void NetworkPass::ConvertInput() {
  if (converted_input_.num_elements() == 0) return;
  const float* const from = input_.values<float>().data();
  BF16* const to = reinterpret_cast<BF16*>(converted_input_.bytes());
  const int64_t count = input_.num_elements();
  RunLoop(BestVectorCode(target_), [=]() FETTLE_LOOP {
#pragma GCC ivdep
    for (int64_t i = 0; i < count; ++i) to[i] = Narrow<BF16>(from[i]);
  });
}

}  // namespace fettle
