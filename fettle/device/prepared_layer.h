#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/device/contender.h"
#include "fettle/device/kernel_memory.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// A layer's inputs in every layout asked for, made once and shared by all who only read them.
class ArrangedInputs {
 public:
  // `inputs` outlive it.
  explicit ArrangedInputs(const std::vector<Tensor>& inputs) : inputs_(inputs) {}

  const std::byte* Get(size_t input, Layout layout);
  const Tensor& tensor(size_t input) const { return inputs_[input]; }

  // Whether it still holds what it should; where not, it is made anew.
  bool IsUnchanged(size_t input, Layout layout);

 private:
  const std::vector<Tensor>& inputs_;
  std::map<std::pair<size_t, Layout>, KernelMemory> arranged_;
};

// What a kernel's output is worth.
struct Verdict {
  double error = 0;   // RelativeError (primitives/tolerance.h), 0 where it is not finite
  std::string fault;  // why it is wrong, in words; empty where it is right
};

// A kernel with the memory to run in. A residual that the kernel takes as its output's memory is
// given as such, as an executor would: run again and again it then grows, which changes no time.
class PreparedLayer : public Contender {
 public:
  // All outlive it. Each of the implementation's layouts must be one the tensor can have.
  PreparedLayer(const LayerSpec& spec, const Implementation& implementation,
                std::unique_ptr<Kernel> kernel, ArrangedInputs& inputs);

  void Run() override;

  // Runs the kernel twice, from memory full of NaN, and compares with what the reference computed:
  // the values within ToleranceOf, the padding zero, nothing written but output and workspace.
  Verdict Validate(const Tensor& expected);

  // What the last run computed.
  Tensor Output() const;

 private:
  void Reset();
  std::optional<std::string> FaultOfMemory();

  const LayerSpec& spec_;
  const Implementation& implementation_;
  std::unique_ptr<Kernel> kernel_;
  ArrangedInputs& shared_;
  bool is_in_place_;  // the residual
  std::vector<const std::byte*> inputs_;
  KernelMemory output_;
  KernelMemory workspace_;
};

}  // namespace fettle
