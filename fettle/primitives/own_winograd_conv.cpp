#include <algorithm>
#include <array>
#include <string>
#include <type_traits>

#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_dot.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_tile_conv.h"
#include "fettle/primitives/own_winograd_block.h"
#include "fettle/primitives/primitive_families.h"

// Winograd's convolution F(m x m, 3 x 3), fused by blocks of tiles.
//
// The image is cut into tiles of m x m outputs. For a block of some ten tiles the inputs are
// transformed, V[tile][position][channel]; at each of the (m + 2)^2 positions they are multiplied
// by the transformed filters, M[tile][position][output]; and M is transformed into outputs, with
// bias, residual and activation on the way out. V and M of a block fit in the first- or
// second-level cache, which is the point: who transforms the whole image first sends 36 values
// through memory for each 16 outputs, and loses there what was saved in products.
//
// The filters, (m + 2)^2 / 9 times as large as they were, are the other half of the traffic. Where
// they do not stay in the second-level cache they come from beyond it once a block, so that blocks
// are as large as that cache holds, and the next panel of filters is fetched while one is
// multiplied (own_tile_products.cpp). Where V of enough tiles to outlast that no longer fits either
// (512 channels at 28x28), the work is staged: V of a large block, then one position after another,
// whose filters are read once a block, then all its outputs. own_tile_plan.cpp decides.
//
// It wins where channels are many enough for the products to outweigh the transforms (from 16 on),
// and the image large enough to fill its tiles: on an Emerald Rapids core, against oneDNN's direct
// convolution, 3.0x at 64 channels of 56x56, 3.2x at 128 of 28x28, 1.6 to 1.9x at 256 of
// 14x14, 1.2x at 512 of 7x7 (F(2,3)), where the filters come from memory. F(6,3) needs 0.79 of
// F(4,3)'s products and twice its transforms: as fast at 64 channels of 56x56, a few per cent
// faster from there on, slower on images that leave its tiles empty. (primitive_benchmark LAYER 1 2
// own.winograd.)
//
// In bf16, on a processor with its dot products, V and the filters are rounded to bf16 and sums are
// f32; beside them, and on any other processor, bf16 is widened as it is read and all is f32 until
// the output. Which of the two is faster is the processor's: Zen 4 has twice as many dot products a
// second as products of f32, Emerald Rapids half as many.

namespace fettle {
namespace {

// F(m x m, 3 x 3) for TileConv.
template <int kOutputs, typename ProductsOfIt>
struct WinogradMethod {
  using Products = ProductsOfIt;
  static constexpr int kTile = kOutputs + 2, kPositions = kTile * kTile;
  static constexpr bool kCanStage = true;

  static int64_t Outputs(const WindowAxis&) { return kOutputs; }

  // G g G^T in double precision, rounded once.
  static std::array<float, kPositions> TransformFilter(const WindowPlane&, const float* g) {
    using Transform = WinogradTransform<kOutputs, double>;
    double half[3][kTile];
    for (int column = 0; column < 3; ++column) {
      const double taps[3] = {g[column], g[3 + column], g[6 + column]};
      Transform::Filter(taps, half[column]);
    }
    std::array<float, kPositions> u;
    for (int i = 0; i < kTile; ++i) {
      const double taps[3] = {half[0][i], half[1][i], half[2][i]};
      double row[kTile];
      Transform::Filter(taps, row);
      std::copy_n(row, kTile, u.begin() + int64_t{i} * kTile);
    }
    return u;
  }

  template <int kLanes, typename T>
  static inline void TransformInputs(const TileLayer& layer, const T* x, int64_t tile,
                                     typename Products::Element* v) {
    TransformTile<kOutputs, kLanes, Products>(layer, x, tile, v);
  }

  template <int kLanes, typename T>
  static inline void TransformOutputs(const TileLayer& layer, int64_t tile, const float* m,
                                      int64_t channel, int64_t count,
                                      const VectorEpilogue<T>& epilogue) {
    TransformProducts<kOutputs, kLanes, Products>(layer, tile, m, channel, count, epilogue);
  }
};

// F(m, 3) by the names of its implementations: own.winograd_conv:4x3, in bf16 on a processor with
// dot products of it also :4x3:widened, which computes in f32 all the same.
bool IsWidened(std::string_view name) { return name.ends_with(":widened"); }

// Calls visit(std::integral_constant<int, m>()) for the m that stands in the implementation's name.
template <typename Visit>
auto VisitOutputs(std::string_view name, const Visit& visit) {
  if (name.find(":2x3") != name.npos) return visit(std::integral_constant<int, 2>());
  if (name.find(":4x3") != name.npos) return visit(std::integral_constant<int, 4>());
  return visit(std::integral_constant<int, 6>());
}

// The errors of V and filters rounded to bf16, some hundredths of the largest sum, would be the
// better part of what an activation leaves that cuts its values off.
bool CutsOff(const std::optional<Activation>& activation) {
  if (!activation) return false;
  const ActivationKind kind = activation->kind;
  return kind == ActivationKind::kClip || kind == ActivationKind::kSigmoid ||
         kind == ActivationKind::kHardSigmoid || kind == ActivationKind::kTanh;
}

class OwnWinogradConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.winograd_conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (Support constant = RequireConstantConv(spec); !constant) return constant;
    if (Support fits = ConvShapeSupport(spec); !fits) return fits;
    if (spec.output.shape.size() != 4) return Support::No("not two spatial axes");
    const Conv& op = std::get<Conv>(spec.op);
    if (op.groups != 1) return Support::No("groups");
    const WindowPlane plane = PlaneOf(op.window, spec.inputs[0].shape, spec.output.shape);
    for (const WindowAxis& axis : {plane.y, plane.x}) {
      if (axis.kernel != 3) return Support::No("a kernel other than 3x3");
      if (axis.stride != 1 || axis.dilation != 1) return Support::No("a stride or dilation");
    }
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec,
                                              const Target& target) const override {
    std::vector<std::string> forms = {":2x3", ":4x3", ":6x3"};
    if (spec.output.dtype == DType::kBF16 && target.has_avx512_bf16) {
      for (std::string& form : forms) form += ":widened";
      // Of F(6, 3) rounding V and the filters to bf16 would leave too little.
      if (!CutsOff(spec.activation)) forms.insert(forms.end(), {":2x3", ":4x3"});
    }
    const Layout blocked = target.has_avx512 ? Layout::kBlocked16 : Layout::kBlocked8;
    std::vector<Implementation> all;
    for (const std::string& form : forms) {
      for (const Layout layout : {Layout::kChannelsLast, blocked}) {
        all.push_back(InLayout(std::string(Name()) + form, spec, layout));
        all.back().version = 3;
      }
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return VisitOutputs(implementation.name, [&](auto outputs) {
      return VisitFloat(spec.output.dtype, [&](auto type) {
        using T = decltype(type);
        const Layout layout = implementation.output;
#if defined(__x86_64__)
        if constexpr (std::is_same_v<T, BF16> && outputs != 6) {
          if (target.has_avx512_bf16 && !IsWidened(implementation.name)) {
            return MakeTileKernel<WinogradMethod<outputs, BF16Dots>, T>(spec, layout, target,
                                                                        weights);
          }
        }
#endif
        return MakeTileKernel<WinogradMethod<outputs, F32Products>, T>(spec, layout, target,
                                                                       weights);
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnWinogradConv() { return std::make_unique<OwnWinogradConv>(); }

}  // namespace fettle
