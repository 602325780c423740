#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// What a sigmoid of one element costs beside an addition.
constexpr int64_t kWork = 4;

template <typename T>
void Activate(const Target& target, const Activation& op, int64_t count, const T* x,
              const Epilogue<T>& epilogue) {
  const int64_t pieces = (count + kPiece - 1) / kPiece;
  ParallelFor(target, pieces, kPiece * kWork, [&](int64_t begin, int64_t end, int64_t) {
    WithIsa(target, [&] {
      float piece[kPiece];
      for (int64_t at = begin * kPiece; at < end * kPiece && at < count; at += kPiece) {
        const int64_t length = std::min(kPiece, count - at);
        WidenRow(x + at, length, piece);
        ActivateRow(op, length, piece);
        epilogue.Store(piece, length, at);
      }
    });
  });
}

// Element by element over the memory as it lies, in any layout; padding is made zero again behind.
class OwnActivation : public Primitive {
 public:
  std::string_view Name() const override { return "own.activation"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Activation>(spec.op)) return Support::No("not an activation");
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    for (Implementation& implementation : all) implementation.in_place_input = 0;
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel([=, layout = implementation.output](KernelInputs inputs, std::byte* output,
                                                            std::byte*) {
        const int64_t count = PhysicalBytes(spec.output, layout) / static_cast<int64_t>(sizeof(T));
        const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
        Activate(target, std::get<Activation>(spec.op), count, As<T>(inputs[0]), epilogue);
        if (BlockOf(layout) > 1) ZeroPadding(ViewOf(spec.output.shape, layout), sizeof(T), output);
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnActivation() { return std::make_unique<OwnActivation>(); }

}  // namespace fettle
