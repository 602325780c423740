// Primitives whose elements keep their order in memory: concatenations, reshapes, copies, casts.
#include <algorithm>
#include <cstring>
#include <type_traits>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// An element operation of ParallelFor's count is worth so many bytes of a plain copy.
constexpr int64_t kBytesAnOperation = 8;

class OwnConcat : public Primitive {
 public:
  std::string_view Name() const override { return "own.concat"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Concat>(spec.op)) return Support::No("not a concatenation");
    if (!spec.weights.empty()) return Support::No("a constant operand");
    for (const TensorType& input : spec.inputs) {
      if (input.dtype != spec.output.dtype) return Support::No("a move that changes the type");
    }
    return RequireNoEpilogue(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    if (std::get<Concat>(spec.op).axis != 1) return all;
    // In a blocked layout only the last part may end within a block.
    std::erase_if(all, [&](const Implementation& each) {
      return std::any_of(spec.inputs.begin(), spec.inputs.end() - 1, [&](const TensorType& type) {
        return type.shape[1] % BlockOf(each.output) != 0;
      });
    });
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const Layout layout = implementation.output;
    const Shape& output_shape = spec.output.shape;
    const size_t axis =
        PhysicalAxis(output_shape, layout, static_cast<size_t>(std::get<Concat>(spec.op).axis));
    const int64_t rows = Volume(PhysicalShape(output_shape, layout), 0, axis);
    const auto element = static_cast<int64_t>(SizeOf(spec.output.dtype));
    std::vector<size_t> bytes;  // of each input, a row
    size_t total = 0;
    for (const TensorType& input : spec.inputs) {
      const Shape physical = PhysicalShape(input.shape, layout);
      bytes.push_back(static_cast<size_t>(Volume(physical, axis, physical.size()) * element));
      total += bytes.back();
    }
    return MakeKernel([=](KernelInputs inputs, std::byte* output, std::byte*) {
      const int64_t work = static_cast<int64_t>(total) / kBytesAnOperation;
      ParallelFor(target, rows, work, [&](int64_t begin, int64_t end, int64_t) {
        std::byte* to = output + static_cast<size_t>(begin) * total;
        for (int64_t row = begin; row < end; ++row) {
          for (size_t i = 0; i < bytes.size(); ++i) {
            if (bytes[i] == 0) continue;
            std::memcpy(to, inputs[i] + static_cast<size_t>(row) * bytes[i], bytes[i]);
            to += bytes[i];
          }
        }
      });
    });
  }
};

// Whether the elements of a tensor in this layout lie row-major, without padding.
bool LiesPlain(const Shape& shape, Layout layout) {
  if (layout == Layout::kPlain) return true;
  if (!CanHave(shape, layout)) return false;
  const ChannelView view = ViewOf(shape, layout);
  return !view.is_padded() && (view.space == 1 || view.lanes == 1);
}

// Reshape, which needs the row-major order, and identity, which does not. In place there is nothing
// to do.
class OwnReshape : public Primitive {
 public:
  std::string_view Name() const override { return "own.reshape"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Reshape>(spec.op) && !std::holds_alternative<Identity>(spec.op)) {
      return Support::No("neither a reshape nor an identity");
    }
    if (spec.inputs.empty()) return Support::No("a constant operand");
    if (spec.inputs[0].dtype != spec.output.dtype) return Support::No("a change of type");
    return RequireNoEpilogue(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all;
    for (Layout from : kAllLayouts) {
      for (Layout to : kAllLayouts) {
        if (!CanTurn(spec, from, to)) continue;
        all.push_back({std::string(Name()), 1, {from}, to, 0});
      }
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const int64_t bytes = PhysicalBytes(spec.output, implementation.output);
    return MakeKernel([=](KernelInputs inputs, std::byte* output, std::byte*) {
      if (inputs[0] == output) return;
      ParallelFor(target, bytes / 64 + 1, 64 / kBytesAnOperation,
                  [&](int64_t begin, int64_t end, int64_t) {
                    const int64_t last = std::min(end * 64, bytes);
                    if (begin * 64 >= last) return;
                    std::memcpy(output + begin * 64, inputs[0] + begin * 64,
                                static_cast<size_t>(last - begin * 64));
                  });
    });
  }

 private:
  // Whether the output's memory is the input's, byte for byte.
  static bool CanTurn(const LayerSpec& spec, Layout from, Layout to) {
    const Shape& x = spec.inputs[0].shape;
    const Shape& y = spec.output.shape;
    if (!CanHave(x, from) || !CanHave(y, to)) return false;
    return (x == y && from == to) || (LiesPlain(x, from) && LiesPlain(y, to));
  }
};

// To f32 or bf16, from either and from the integers; in any layout, as the memory lies.
class OwnCast : public Primitive {
 public:
  std::string_view Name() const override { return "own.cast"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Cast>(spec.op)) return Support::No("not a cast");
    if (!IsFloat(spec.output.dtype)) return Support::No("a cast to an integer, f16 or f64");
    if (spec.inputs.empty()) return Support::No("a constant operand");
    const DType from = spec.inputs[0].dtype;
    if (from == DType::kF16 || from == DType::kF64) return Support::No("a cast from f16 or f64");
    return RequireNoEpilogue(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return InEveryLayout(Name(), spec);
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const int64_t bytes = PhysicalBytes(spec.output, implementation.output);
    const int64_t count = bytes / static_cast<int64_t>(SizeOf(spec.output.dtype));
    return MakeKernel([=](KernelInputs inputs, std::byte* output, std::byte*) {
      ParallelFor(target, count, 1, [&](int64_t begin, int64_t end, int64_t) {
        VisitElement(spec.inputs[0].dtype, [&](auto from) {
          VisitFloat(spec.output.dtype, [&](auto to) {
            WithIsa(target, [&] {
              Convert(As<decltype(from)>(inputs[0]) + begin, end - begin,
                      As<decltype(to)>(output) + begin);
            });
          });
        });
      });
    });
  }

 private:
  template <typename From, typename To>
  static void Convert(const From* from, int64_t count, To* to) {
    for (int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<From, float> || std::is_same_v<From, BF16>) {
        to[i] = Narrow<To>(Widen(from[i]));
      } else {
        to[i] = ConvertElement<To>(from[i]);
      }
    }
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnConcat() { return std::make_unique<OwnConcat>(); }
std::unique_ptr<Primitive> MakeOwnReshape() { return std::make_unique<OwnReshape>(); }
std::unique_ptr<Primitive> MakeOwnCast() { return std::make_unique<OwnCast>(); }

}  // namespace fettle
