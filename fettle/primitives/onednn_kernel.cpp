#include "fettle/primitives/onednn_kernel.h"

#include <cassert>
#include <cstring>
#include <utility>

#include "fettle/core/huge_pages.h"

namespace fettle {

OnednnKernel::OnednnKernel(std::string place, const LayerSpec& spec,
                           const dnnl::primitive_desc_base& description, const dnnl::engine& engine,
                           const OnednnArguments& arguments, std::span<const Tensor* const> weights)
    : place_(std::move(place)),
      description_(description),
      primitive_(description.get()),
      engine_(engine),
      stream_(engine),
      adds_residual_(spec.adds_residual) {
  assert(arguments.inputs.size() + (adds_residual_ ? 1 : 0) == spec.inputs.size());
  assert(arguments.weights.size() == weights.size());
  for (int argument : arguments.inputs) {
    inputs_.push_back(Bind(argument, description.query_md(dnnl::query::exec_arg_md, argument)));
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    BindWeight(arguments.weights[i], arguments.weight_forms[i], *weights[i]);
  }
  const auto output = description.query_md(dnnl::query::exec_arg_md, DNNL_ARG_DST);
  output_ = Bind(DNNL_ARG_DST, output);
  output_bytes_ = output.get_size();
  const auto workspace = description.query_md(dnnl::query::scratchpad_md);
  workspace_bytes_ = workspace.get_size();
  if (workspace_bytes_ > 0) workspace_ = Bind(DNNL_ARG_SCRATCHPAD, workspace);
}

dnnl::memory OnednnKernel::Bind(int argument, const dnnl::memory::desc& desc) {
  dnnl::memory memory(desc, engine_, DNNL_MEMORY_NONE);
  arguments_.push_back({argument, memory.get()});
  return memory;
}

void OnednnKernel::BindWeight(int argument, const dnnl::memory::desc& form, const Tensor& values) {
  dnnl::memory given(form, engine_, const_cast<std::byte*>(values.bytes()));
  const auto wanted = description_.query_md(dnnl::query::exec_arg_md, argument);
  dnnl::memory packed(wanted, engine_);
  AdviseHugePages(packed.get_data_handle(), wanted.get_size());
  dnnl::reorder(given, packed).execute(stream_, given, packed);
  stream_.wait();
  weight_bytes_ += wanted.get_size();
  arguments_.push_back({argument, packed.get()});
  weights_.push_back(std::move(packed));
}

void OnednnKernel::Run(std::span<const std::byte* const> inputs, std::byte* output,
                       std::byte* workspace) const {
  if (adds_residual_ && inputs.back() != output) {
    std::memcpy(output, inputs.back(), output_bytes_);  // the sum is with what the output holds
  }
  CatchingOnednn(place_, [&] {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      inputs_[i].set_data_handle(const_cast<std::byte*>(inputs[i]));
    }
    output_.set_data_handle(output);
    if (workspace_bytes_ > 0) workspace_.set_data_handle(workspace);
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive_.get(), stream_.get(), static_cast<int>(arguments_.size()),
                               arguments_.data()),
        "could not execute a primitive");
  });
}

}  // namespace fettle
