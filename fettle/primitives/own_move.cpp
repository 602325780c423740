// Primitives that only move elements, of any type, in every layout in which the move stays one of
// whole memory axes.
#include <algorithm>
#include <cstring>

#include "fettle/core/error.h"
#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_gather.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/primitive_families.h"
#include "fettle/primitives/resize_coordinates.h"

namespace fettle {
namespace {

Support RequireMove(const LayerSpec& spec) {
  for (const TensorType& operand : OperandTypes(spec)) {
    if (operand.dtype != spec.output.dtype) return Support::No("a move that changes the type");
  }
  if (!spec.weights.empty()) return Support::No("a constant operand");
  return RequireNoEpilogue(spec);
}

// Whether all the channels of these blocks are there.
bool IsAligned(int64_t channels, Layout layout) { return channels % BlockOf(layout) == 0; }

// The axes of a Gather that leaves all as it is, in memory order of `layout`.
std::vector<GatherAxis> WholeAxes(const Shape& shape, Layout layout) {
  const Shape physical = PhysicalShape(shape, layout);
  const std::vector<int64_t> strides = RowMajorStrides(physical);
  std::vector<GatherAxis> axes;
  for (size_t axis = 0; axis < physical.size(); ++axis) {
    axes.push_back({WholeAxis(physical[axis]), strides[axis]});
  }
  return axes;
}

void ZeroPaddingOf(const TensorType& type, Layout layout, std::byte* data) {
  if (BlockOf(layout) > 1) ZeroPadding(ViewOf(type.shape, layout), SizeOf(type.dtype), data);
}

std::unique_ptr<Kernel> MakeGatherKernel(const LayerSpec& spec, Layout layout, const Target& target,
                                         std::vector<GatherAxis> axes, float fill = 0) {
  const size_t element = SizeOf(spec.output.dtype);
  std::vector<std::byte> fill_bytes(element);
  VisitElement(spec.output.dtype, [&](auto type) {
    const auto value = ConvertElement<decltype(type)>(fill);
    std::memcpy(fill_bytes.data(), &value, element);
  });
  return MakeKernel([=, output_type = spec.output, gather = Gather(std::move(axes), element)](
                        KernelInputs inputs, std::byte* output, std::byte*) {
    gather.Run(target, inputs[0], fill_bytes.data(), output);
    ZeroPaddingOf(output_type, layout, output);
  });
}

class OwnSlice : public Primitive {
 public:
  std::string_view Name() const override { return "own.slice"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    return std::holds_alternative<Slice>(spec.op) ? RequireMove(spec) : Support::No("not a slice");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    const auto& op = std::get<Slice>(spec.op);
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    // Channels can be taken out of a blocked layout from the start of a block on only.
    std::erase_if(all, [&](const Implementation& each) {
      return BlockOf(each.output) > 1 &&
             (op.steps[1] != 1 || !IsAligned(op.starts[1], each.output));
    });
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const auto& op = std::get<Slice>(spec.op);
    const Layout layout = implementation.output;
    std::vector<GatherAxis> axes = WholeAxes(spec.inputs[0].shape, layout);
    const Shape physical = PhysicalShape(spec.output.shape, layout);
    for (size_t axis = 0; axis < spec.output.shape.size(); ++axis) {
      const size_t place = PhysicalAxis(spec.output.shape, layout, axis);
      const int64_t start = axis == 1 ? op.starts[axis] / BlockOf(layout) : op.starts[axis];
      axes[place].sources.clear();
      for (int64_t i = 0; i < physical[place]; ++i) {
        axes[place].sources.push_back(start + i * op.steps[axis]);
      }
    }
    return MakeGatherKernel(spec, layout, target, std::move(axes));
  }
};

class OwnPad : public Primitive {
 public:
  std::string_view Name() const override { return "own.pad"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    return std::holds_alternative<Pad>(spec.op) ? RequireMove(spec) : Support::No("not a pad");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    const auto& op = std::get<Pad>(spec.op);
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    std::erase_if(all, [&](const Implementation& each) {
      return BlockOf(each.output) > 1 && (op.begin[1] != 0 || op.end[1] != 0);
    });
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const auto& op = std::get<Pad>(spec.op);
    const Layout layout = implementation.output;
    const Shape& input = spec.inputs[0].shape;
    std::vector<GatherAxis> axes = WholeAxes(input, layout);
    for (size_t axis = 0; axis < input.size(); ++axis) {
      if (op.begin[axis] == 0 && op.end[axis] == 0) continue;
      std::vector<int64_t>& sources = axes[PhysicalAxis(input, layout, axis)].sources;
      sources.clear();
      for (int64_t i = 0; i < spec.output.shape[axis]; ++i) {
        sources.push_back(SourceOf(op.mode, i - op.begin[axis], input[axis]));
      }
    }
    return MakeGatherKernel(spec, layout, target, std::move(axes), op.value);
  }

 private:
  static int64_t SourceOf(PadMode mode, int64_t at, int64_t extent) {
    if (at >= 0 && at < extent) return at;
    if (mode == PadMode::kConstant) return -1;
    if (mode == PadMode::kEdge) return at < 0 ? 0 : extent - 1;
    return at < 0 ? -at : 2 * (extent - 1) - at;
  }
};

class OwnTranspose : public Primitive {
 public:
  std::string_view Name() const override { return "own.transpose"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const bool is_one = std::holds_alternative<Transpose>(spec.op);
    return is_one ? RequireMove(spec) : Support::No("not a transpose");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return {InLayout(Name(), spec, Layout::kPlain)};
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation&,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const std::vector<GatherAxis> whole = WholeAxes(spec.inputs[0].shape, Layout::kPlain);
    std::vector<GatherAxis> axes;
    for (int64_t axis : std::get<Transpose>(spec.op).permutation) {
      axes.push_back(whole[static_cast<size_t>(axis)]);
    }
    return MakeGatherKernel(spec, Layout::kPlain, target, std::move(axes));
  }
};

// Nearest neighbours; linear interpolation is own_resize.cpp's.
class OwnResizeNearest : public Primitive {
 public:
  std::string_view Name() const override { return "own.resize_nearest"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* op = std::get_if<Resize>(&spec.op);
    if (op == nullptr || op->mode != ResizeMode::kNearest) {
      return Support::No("not a resize to the nearest");
    }
    return RequireMove(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    std::erase_if(all, [&](const Implementation& each) {
      return BlockOf(each.output) > 1 && Neighbours(spec, 1) != WholeAxis(spec.inputs[0].shape[1]);
    });
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const Layout layout = implementation.output;
    const Shape& input = spec.inputs[0].shape;
    std::vector<GatherAxis> axes = WholeAxes(input, layout);
    for (size_t axis = 0; axis < input.size(); ++axis) {
      if (axis == 1 && BlockOf(layout) > 1) continue;
      axes[PhysicalAxis(input, layout, axis)].sources = Neighbours(spec, axis);
    }
    return MakeGatherKernel(spec, layout, target, std::move(axes));
  }

 private:
  static std::vector<int64_t> Neighbours(const LayerSpec& spec, size_t axis) {
    std::vector<int64_t> sources;
    const auto& op = std::get<Resize>(spec.op);
    for (const ResizeTap& tap : ResizeTaps(op, axis, spec.inputs[0].shape[axis])) {
      sources.push_back(tap.low);
    }
    return sources;
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnSlice() { return std::make_unique<OwnSlice>(); }
std::unique_ptr<Primitive> MakeOwnPad() { return std::make_unique<OwnPad>(); }
std::unique_ptr<Primitive> MakeOwnTranspose() { return std::make_unique<OwnTranspose>(); }
std::unique_ptr<Primitive> MakeOwnResizeNearest() { return std::make_unique<OwnResizeNearest>(); }

}  // namespace fettle
