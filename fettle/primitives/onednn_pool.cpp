#include <algorithm>
#include <variant>

#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// What a pooling of one input gets right in any case.
Support OnePoolInput(const LayerSpec& spec) {
  if (Support support = OnednnSupportWithoutEpilogue(spec); !support) return support;
  if (spec.inputs.size() != 1 || !spec.weights.empty()) return Support::No("not one input");
  if (spec.inputs[0].dtype != spec.output.dtype) return Support::No("output of another type");
  const size_t rank = spec.inputs[0].shape.size();
  if (rank < 3 || rank > 5) {
    return Support::No(Text("input of ", rank, " axes: 3 to 5 are supported"));
  }
  return Support::Yes();
}

std::vector<dnnl::primitive_desc_base> DescribePool(const LayerSpec& spec, const OnednnForm& form,
                                                    dnnl::algorithm algorithm, const Window& window,
                                                    const std::vector<int64_t>& pads_end,
                                                    const dnnl::engine& engine) {
  // Without gaps, for which oneDNN has nothing but its reference implementation.
  const dnnl::pooling_forward::desc desc(dnnl::prop_kind::forward_inference, algorithm,
                                         OnednnDesc(spec.inputs[0], form.inputs[0]),
                                         OnednnDesc(spec.output, form.output), window.strides,
                                         window.kernel, window.pads_begin, pads_end);
  return AllOf(dnnl::pooling_forward::primitive_desc(desc, OnednnAttributes(), engine,
                                                     /*allow_empty=*/true));
}

// Max and average pooling.
class OnednnPool final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.pool"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* pool = std::get_if<Pool>(&spec.op);
    if (pool == nullptr) return Support::No(Text(NameOf(spec.op), " is no pooling"));
    if (Support support = OnePoolInput(spec); !support) return support;
    const Shape &x = spec.inputs[0].shape, &y = spec.output.shape;
    const Window& window = pool->window;
    const size_t axes = x.size() - 2;
    if (Support support = WindowSupport(window, axes); !support) return support;
    if (pool->overhang.size() != axes) return Support::No("overhang of another rank");
    if (y.size() != x.size() || y[0] != x[0] || y[1] != x[1]) {
      return Support::No("output that does not fit the input");
    }
    for (size_t axis = 0; axis < axes; ++axis) {
      if (Support support = AxisSupport(*pool, axis, x[axis + 2], y[axis + 2]); !support) {
        return support;
      }
    }
    return Support::Yes();
  }

 protected:
  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const Pool& pool = std::get<Pool>(spec.op);
    const Window& window = pool.window;
    // As far as the last window reaches, overhang or not: oneDNN refuses more than a window.
    std::vector<int64_t> pads_end;
    for (size_t axis = 0; axis < window.kernel.size(); ++axis) {
      const int64_t end = (spec.output.shape[axis + 2] - 1) * window.strides[axis] +
                          window.kernel[axis] - window.pads_begin[axis];
      pads_end.push_back(std::max<int64_t>(end - spec.inputs[0].shape[axis + 2], 0));
    }
    return DescribePool(spec, form, AlgorithmOf(pool), window, pads_end, engine);
  }

  OnednnArguments Arguments(const LayerSpec&) const override { return {{DNNL_ARG_SRC}, {}, {}}; }

 private:
  static dnnl::algorithm AlgorithmOf(const Pool& pool) {
    if (pool.kind == PoolKind::kMax) return dnnl::algorithm::pooling_max;
    return pool.count_include_pad ? dnnl::algorithm::pooling_avg_include_padding
                                  : dnnl::algorithm::pooling_avg_exclude_padding;
  }

  static Support AxisSupport(const Pool& pool, size_t axis, int64_t input, int64_t output) {
    const Window& window = pool.window;
    const int64_t kernel = window.kernel[axis], stride = window.strides[axis];
    const int64_t begin = window.pads_begin[axis], end = window.pads_end[axis];
    const int64_t overhang = pool.overhang[axis];
    if (overhang < 0 || overhang >= stride) {
      return Support::No("overhang that is no part of a stride");
    }
    if (window.dilations[axis] != 1) {
      return Support::No("dilation: oneDNN has a reference implementation of it only");
    }
    if (overhang > 0 && pool.kind == PoolKind::kAverage && pool.count_include_pad) {
      return Support::No("overhang, which oneDNN would count as padding");
    }
    // Of a window that covers nothing but padding oneDNN makes the lowest number, or 0 / 0.
    const int64_t last = (output - 1) * stride - begin;
    if (begin >= kernel || last >= input)
      return Support::No("a window may lie in the padding only");
    if (output != (input + begin + end + overhang - kernel) / stride + 1) {
      return Support::No("output that does not fit the window");
    }
    return Support::Yes();
  }
};

class OnednnGlobalAveragePool final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.global_average_pool"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<GlobalAveragePool>(spec.op)) {
      return Support::No(Text(NameOf(spec.op), " is no global pooling"));
    }
    if (Support support = OnePoolInput(spec); !support) return support;
    Shape output(spec.inputs[0].shape.size(), 1);
    std::copy_n(spec.inputs[0].shape.begin(), 2, output.begin());
    if (spec.output.shape != output) return Support::No("output that does not fit the input");
    return Support::Yes();
  }

 protected:
  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const Shape& x = spec.inputs[0].shape;
    const std::vector<int64_t> none(x.size() - 2, 0);
    Window window;
    window.kernel.assign(x.begin() + 2, x.end());
    window.strides.assign(x.size() - 2, 1);
    window.pads_begin = none;
    return DescribePool(spec, form, dnnl::algorithm::pooling_avg_exclude_padding, window, none,
                        engine);
  }

  OnednnArguments Arguments(const LayerSpec&) const override { return {{DNNL_ARG_SRC}, {}, {}}; }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnPool() { return std::make_unique<OnednnPool>(); }

std::unique_ptr<Primitive> MakeOnednnGlobalAveragePool() {
  return std::make_unique<OnednnGlobalAveragePool>();
}

}  // namespace fettle
