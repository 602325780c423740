#include "fettle/device/prepared_layer.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/primitives/tolerance.h"

namespace fettle {
namespace {

constexpr std::byte kPoison{0xff};  // a NaN of f32 and of bf16

size_t BytesOf(const TensorType& type, Layout layout) {
  return static_cast<size_t>(PhysicalBytes(type, layout));
}

}  // namespace

const std::byte* ArrangedInputs::Get(size_t input, Layout layout) {
  const auto [place, is_new] =
      arranged_.try_emplace({input, layout}, BytesOf(inputs_[input].type(), layout));
  if (is_new) Arrange(inputs_[input], layout, place->second.data());
  return place->second.data();
}

bool ArrangedInputs::IsUnchanged(size_t input, Layout layout) {
  KernelMemory& memory = arranged_.at({input, layout});
  if (memory.IsGuardIntact() && IsArranged(inputs_[input], layout, memory.data())) return true;
  memory.MendGuard();
  Arrange(inputs_[input], layout, memory.data());
  return false;
}

PreparedLayer::PreparedLayer(const LayerSpec& spec, const Implementation& implementation,
                             std::unique_ptr<Kernel> kernel, ArrangedInputs& inputs)
    : spec_(spec),
      implementation_(implementation),
      kernel_(std::move(kernel)),
      shared_(inputs),
      is_in_place_(spec.adds_residual && implementation.in_place_input == spec.inputs.size() - 1 &&
                   implementation.inputs.back() == implementation.output),
      output_(BytesOf(spec.output, implementation.output)),
      workspace_(kernel_->WorkspaceBytes()) {
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    const bool is_output = is_in_place_ && i + 1 == spec.inputs.size();
    inputs_.push_back(is_output ? output_.data() : inputs.Get(i, implementation.inputs[i]));
  }
  Reset();
}

void PreparedLayer::Run() { kernel_->Run(inputs_, output_.data(), workspace_.data()); }

Tensor PreparedLayer::Output() const {
  return Collect(spec_.output, implementation_.output, output_.data());
}

void PreparedLayer::Reset() {
  output_.Fill(kPoison);
  workspace_.Fill(kPoison);
  if (is_in_place_) {
    Arrange(shared_.tensor(spec_.inputs.size() - 1), implementation_.output, output_.data());
  }
}

std::optional<std::string> PreparedLayer::FaultOfMemory() {
  if (!output_.IsGuardIntact()) return "it writes outside its output";
  if (!workspace_.IsGuardIntact()) return "it writes outside its workspace";
  for (size_t i = 0; i + (is_in_place_ ? 1 : 0) < inputs_.size(); ++i) {
    if (!shared_.IsUnchanged(i, implementation_.inputs[i])) return Text("it changes input ", i);
  }
  return std::nullopt;
}

Verdict PreparedLayer::Validate(const Tensor& expected) {
  const double tolerance = ToleranceOf(spec_, implementation_);
  Verdict verdict;
  for (int run = 0; run < 2; ++run) {
    Reset();
    Run();
    if (auto fault = FaultOfMemory()) return {0, *fault};
    const Tensor actual = Output();
    const double error = RelativeError(spec_.output, expected.bytes(), actual.bytes());
    if (!std::isfinite(error)) {
      return {0, "it differs without bound (NaN, infinity or an element not written)"};
    }
    verdict.error = std::max(verdict.error, error);
    if (error > tolerance) {
      verdict.fault =
          Text("it differs by ", error, " of the largest value, allowed is ", tolerance);
      return verdict;
    }
    if (!IsArranged(actual, implementation_.output, output_.data())) {
      verdict.fault = "its padding channels are not zero";
      return verdict;
    }
  }
  return verdict;
}

}  // namespace fettle
