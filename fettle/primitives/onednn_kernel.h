#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fettle/primitives/onednn_primitive.h"

namespace fettle {

// A primitive of oneDNN's with its weights in the format it asks for.
class OnednnKernel : public Kernel {
 public:
  // `place` names it in errors.
  OnednnKernel(std::string place, const LayerSpec& spec,
               const dnnl::primitive_desc_base& description, const dnnl::engine& engine,
               const OnednnArguments& arguments, std::span<const Tensor* const> weights);

  size_t WorkspaceBytes() const override { return workspace_bytes_; }
  size_t WeightBytes() const override { return weight_bytes_; }
  void Run(std::span<const std::byte* const> inputs, std::byte* output,
           std::byte* workspace) const override;

 private:
  dnnl::memory Bind(int argument, const dnnl::memory::desc& desc);
  void BindWeight(int argument, const dnnl::memory::desc& form, const Tensor& values);

  std::string place_;
  dnnl::primitive_desc_base description_;
  dnnl::primitive primitive_;
  dnnl::engine engine_;
  dnnl::stream stream_;
  bool adds_residual_;
  size_t output_bytes_ = 0, workspace_bytes_ = 0, weight_bytes_ = 0;
  // The memory objects name the buffers of the run; Run sets them, hence one thread at a time.
  std::vector<dnnl::memory> inputs_, weights_;
  dnnl::memory output_, workspace_;
  std::vector<dnnl_exec_arg_t> arguments_;
};

}  // namespace fettle
