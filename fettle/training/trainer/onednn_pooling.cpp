#include "fettle/core/tensor.h"
#include "fettle/training/trainer/onednn_training.h"
#include "fettle/training/trainer/training_op_list.h"

namespace fettle {
namespace {

using onednn::Memory;

dnnl::algorithm AlgorithmOf(const Pool& pool) {
  if (pool.kind == PoolKind::kMax) return dnnl::algorithm::pooling_max;
  return pool.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                                : dnnl::algorithm::pooling_avg_exclude_padding;
}

struct Geometry {
  explicit Geometry(const TrainingOpSpec& spec) {
    const Pool& pool = std::get<Pool>(spec.op);
    algorithm = AlgorithmOf(pool);
    source = onednn::ActivationDesc(spec.inputs[0]);
    destination = onednn::ActivationDesc({spec.inputs[0].dtype, spec.output});
    kernel = pool.window.kernel;
    strides = pool.window.strides;
    pads_begin = pool.window.pads_begin;
    pads_end = pool.window.pads_end;
    for (size_t axis = 0; axis < kernel.size(); ++axis) {
      pads_end[axis] += pool.overhang.empty() ? 0 : pool.overhang[axis];
      dilations.push_back(pool.window.dilations[axis] - 1);
    }
  }

  dnnl::algorithm algorithm;
  dnnl::memory::desc source, destination;
  dnnl::memory::dims kernel, strides, dilations, pads_begin, pads_end;
};

dnnl::pooling_v2_forward::primitive_desc ForwardDesc(const Geometry& g) {
  const dnnl::pooling_v2_forward::desc desc(dnnl::prop_kind::forward_training, g.algorithm,
                                            g.source, g.destination, g.strides, g.kernel,
                                            g.dilations, g.pads_begin, g.pads_end);
  return {desc, onednn::UserScratch(), onednn::Engine()};
}

dnnl::pooling_v2_backward::primitive_desc BackwardDesc(
    const Geometry& g, const dnnl::pooling_v2_forward::primitive_desc& forward) {
  const dnnl::pooling_v2_backward::desc desc(g.algorithm, g.source, g.destination, g.strides,
                                             g.kernel, g.dilations, g.pads_begin, g.pads_end);
  return {desc, onednn::UserScratch(), onednn::Engine(), forward};
}

class Pooling : public TrainingOp {
 public:
  explicit Pooling(const TrainingOpSpec& spec) : Pooling(spec, Geometry(spec)) {}

  DType OutputType() const override { return dtype_; }
  size_t ScratchBytes() const override {
    return std::max(forward_desc_.scratchpad_desc().get_size(),
                    backward_desc_.scratchpad_desc().get_size());
  }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    dnnl::stream stream(onednn::Engine());
    forward_.execute(
        stream, {{DNNL_ARG_SRC, Memory(forward_desc_.src_desc(), memory.inputs[0])},
                 {DNNL_ARG_DST, Memory(forward_desc_.dst_desc(), memory.output)},
                 {DNNL_ARG_WORKSPACE, Memory(forward_desc_.workspace_desc(), workspace_.bytes())},
                 {DNNL_ARG_SCRATCHPAD, Memory(forward_desc_.scratchpad_desc(), memory.scratch)}});
  }

  void Backward(const OpMemory& memory) override {
    dnnl::stream stream(onednn::Engine());
    backward_.execute(
        stream, {{DNNL_ARG_DIFF_DST, Memory(forward_desc_.dst_desc(), memory.output_gradient)},
                 {DNNL_ARG_DIFF_SRC, Memory(forward_desc_.src_desc(), memory.input_gradients[0])},
                 {DNNL_ARG_WORKSPACE, Memory(forward_desc_.workspace_desc(), workspace_.bytes())},
                 {DNNL_ARG_SCRATCHPAD, Memory(backward_desc_.scratchpad_desc(), memory.scratch)}});
  }

 private:
  Pooling(const TrainingOpSpec& spec, const Geometry& geometry)
      : dtype_(spec.inputs[0].dtype),
        forward_desc_(ForwardDesc(geometry)),
        backward_desc_(BackwardDesc(geometry, forward_desc_)),
        forward_(forward_desc_),
        backward_(backward_desc_),
        workspace_(TensorType{DType::kU8,
                              {static_cast<int64_t>(forward_desc_.workspace_desc().get_size())}}) {}

  DType dtype_;
  dnnl::pooling_v2_forward::primitive_desc forward_desc_;
  dnnl::pooling_v2_backward::primitive_desc backward_desc_;
  dnnl::pooling_v2_forward forward_;
  dnnl::pooling_v2_backward backward_;
  Tensor workspace_;  // which element was the largest
};

}  // namespace

std::unique_ptr<TrainingOp> MakeOnednnPooling(const TrainingOpSpec& spec) {
  const Pool& pool = std::get<Pool>(spec.op);
  const bool overhangs = std::any_of(pool.overhang.begin(), pool.overhang.end(),
                                     [](int64_t overhang) { return overhang > 0; });
  if (pool.kind == PoolKind::kAverage && pool.count_include_pad && overhangs) {
    throw BadInput("an average that counts padding and rounds its size up cannot be trained");
  }
  return std::make_unique<Pooling>(spec);
}

}  // namespace fettle
