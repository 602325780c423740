#include <algorithm>
#include <limits>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

constexpr float kLowest = -std::numeric_limits<float>::infinity();
constexpr int64_t kWork = 16;  // of an element, beside an addition

// The tensor as [outer, extent, inner] around the axis.
struct SoftmaxAxis {
  int64_t outer, extent, inner;
};

// A row of which all elements are one distribution. The exponentials are computed twice rather than
// kept: a bf16 output could not hold them.
template <typename T>
inline void SoftmaxRow(int64_t count, int64_t offset, const T* x, const Epilogue<T>& epilogue) {
  x += offset;
  float largest = kLowest, sum = 0;
#pragma omp simd reduction(max : largest)
  for (int64_t i = 0; i < count; ++i) largest = largest < Widen(x[i]) ? Widen(x[i]) : largest;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += FastExp(Widen(x[i]) - largest);
  const float share = 1 / sum;
  alignas(64) float piece[kPiece];
  for (int64_t at = 0; at < count; at += kPiece) {
    const int64_t length = std::min(kPiece, count - at);
    WidenRow(x + at, length, piece);
    MapRow(length, piece, [=](float value) { return FastExp(value - largest) * share; });
    epilogue.Store(piece, length, offset + at);
  }
}

// `count` neighbouring distributions whose elements are `inner` apart.
template <typename T>
inline void SoftmaxLanes(const SoftmaxAxis& axis, int64_t count, int64_t offset, const T* x,
                         const Epilogue<T>& epilogue) {
  alignas(64) float largest[kPiece], sum[kPiece], piece[kPiece];
  std::fill_n(largest, count, kLowest);
  std::fill_n(sum, count, 0.0f);
  for (int64_t k = 0; k < axis.extent; ++k) {
    const T* row = x + offset + k * axis.inner;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      largest[i] = largest[i] < Widen(row[i]) ? Widen(row[i]) : largest[i];
    }
  }
  for (int64_t k = 0; k < axis.extent; ++k) {
    const T* row = x + offset + k * axis.inner;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) sum[i] += FastExp(Widen(row[i]) - largest[i]);
  }
  for (int64_t k = 0; k < axis.extent; ++k) {
    const int64_t at = offset + k * axis.inner;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) piece[i] = FastExp(Widen(x[at + i]) - largest[i]) / sum[i];
    epilogue.Store(piece, count, at);
  }
}

template <typename T>
void ComputeSoftmax(const Target& target, const SoftmaxAxis& axis, const T* x,
                    const Epilogue<T>& epilogue) {
  const int64_t pieces = (axis.inner + kPiece - 1) / kPiece;
  const int64_t work = axis.extent * std::min(axis.inner, kPiece) * kWork;
  ParallelFor(target, axis.outer * pieces, work, [&](int64_t begin, int64_t end, int64_t) {
    WithIsa(target, [&] {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t inner = item % pieces * kPiece;
        const int64_t offset = item / pieces * axis.extent * axis.inner + inner;
        if (axis.inner == 1) {
          SoftmaxRow(axis.extent, offset, x, epilogue);
        } else {
          SoftmaxLanes(axis, std::min(kPiece, axis.inner - inner), offset, x, epilogue);
        }
      }
    });
  });
}

class OwnSoftmax : public Primitive {
 public:
  std::string_view Name() const override { return "own.softmax"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const bool is_one = std::holds_alternative<Softmax>(spec.op);
    return is_one ? RequireOneFloat(spec) : Support::No("not a softmax");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    std::erase_if(all, [](const Implementation& each) { return BlockOf(each.output) > 1; });
    for (Implementation& implementation : all) implementation.in_place_input = 0;
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const Layout layout = implementation.output;
    const Shape physical = PhysicalShape(spec.output.shape, layout);
    const size_t place = PhysicalAxis(spec.output.shape, layout,
                                      static_cast<size_t>(std::get<Softmax>(spec.op).axis));
    const SoftmaxAxis axis{Volume(physical, 0, place), physical[place],
                           Volume(physical, place + 1, physical.size())};
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel([=](KernelInputs inputs, std::byte* output, std::byte*) {
        ComputeSoftmax(target, axis, As<T>(inputs[0]), EpilogueOf<T>(spec, inputs, output));
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnSoftmax() { return std::make_unique<OwnSoftmax>(); }

}  // namespace fettle
