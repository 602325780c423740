#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "fettle/primitives/element.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/primitive.h"

// What the primitives "own.*" have in common.

namespace fettle {

constexpr Layout kAllLayouts[] = {Layout::kPlain, Layout::kChannelsLast, Layout::kBlocked8,
                                  Layout::kBlocked16};

inline int64_t RoundedUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

using KernelInputs = std::span<const std::byte* const>;
using KernelFunction =
    std::function<void(KernelInputs inputs, std::byte* output, std::byte* workspace)>;

// A kernel that is a function with what it has captured.
inline std::unique_ptr<Kernel> MakeKernel(KernelFunction run, size_t workspace_bytes = 0,
                                          size_t weight_bytes = 0) {
  class FunctionKernel : public Kernel {
   public:
    FunctionKernel(KernelFunction run, size_t workspace_bytes, size_t weight_bytes)
        : run_(std::move(run)), workspace_bytes_(workspace_bytes), weight_bytes_(weight_bytes) {}
    size_t WorkspaceBytes() const override { return workspace_bytes_; }
    size_t WeightBytes() const override { return weight_bytes_; }
    void Run(KernelInputs inputs, std::byte* output, std::byte* workspace) const override {
      run_(inputs, output, workspace);
    }

   private:
    KernelFunction run_;
    size_t workspace_bytes_, weight_bytes_;
  };
  return std::make_unique<FunctionKernel>(std::move(run), workspace_bytes, weight_bytes);
}

// All of the layer in one layout.
inline Implementation InLayout(std::string_view name, const LayerSpec& spec, Layout layout) {
  return {std::string(name), 1, std::vector<Layout>(spec.inputs.size(), layout), layout,
          std::nullopt};
}

inline bool CanAllHave(const LayerSpec& spec, Layout layout) {
  for (const TensorType& input : spec.inputs) {
    if (!CanHave(input.shape, layout)) return false;
  }
  return CanHave(spec.output.shape, layout);
}

// Implementations in every layout that all of the layer can have.
inline std::vector<Implementation> InEveryLayout(std::string_view name, const LayerSpec& spec) {
  std::vector<Implementation> all;
  for (Layout layout : kAllLayouts) {
    if (CanAllHave(spec, layout)) all.push_back(InLayout(name, spec, layout));
  }
  return all;
}

// No where inputs and output are not all f32 or all bf16. Weights may be either.
Support RequireOneFloat(const LayerSpec& spec);

// No where it is no convolution, or one whose filters or bias are computed.
Support RequireConstantConv(const LayerSpec& spec);

// No where there is a residual or an activation to fuse.
Support RequireNoEpilogue(const LayerSpec& spec);

// Calls visit(float()) or visit(BF16()).
template <typename Visit>
auto VisitFloat(DType dtype, const Visit& visit) {
  return dtype == DType::kF32 ? visit(float()) : visit(BF16());
}

// A weight's values widened to f32.
std::vector<float> WidenedValues(const Tensor& weight);

template <typename T>
const T* As(const std::byte* data) {
  return reinterpret_cast<const T*>(data);
}
template <typename T>
T* As(std::byte* data) {
  return reinterpret_cast<T*>(data);
}

}  // namespace fettle
