#include <algorithm>
#include <array>
#include <complex>
#include <string>

#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_fft_block.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_tile_conv.h"
#include "fettle/primitives/primitive_families.h"

// Convolution by Fourier transforms (Mathieu, Henaff & LeCun 2014), fused by blocks of tiles.
//
// The image is cut into tiles of 8 x 8 or 16 x 16 inputs that overlap by the kernel less one
// (overlap-save): a product of spectra is a circular convolution, of which those outputs are kept
// that the window does not wrap around for. As in own_winograd_conv.cpp a block of tiles is
// transformed, V[tile][position][channel], multiplied by the filters' spectra at each position,
// M[tile][position][output], and transformed back; V and M of a block stay in the second-level
// cache. A vector holds the same pixel of 8 or 16 channels, so the transforms are plain arithmetic.
//
// The spectrum of S x S real numbers has S^2 / 2 - 2 independent complex numbers and 4 real ones.
// Each complex product is three real ones (Gauss), so a tile costs 1.5 S^2 - 2 products for each
// pair of channels, 94 or 382, whatever the kernel. The larger the kernel, the more it saves.
//
// Measured (primitive_benchmark, f32, one thread of an Emerald Rapids under load, the least of
// interleaved rounds, against the best of the other primitives, in f32 a direct one of oneDNN's
// each time, channels in -> out @ height and width): 5x5 64->192 @27 2.0 times as fast in tiles of
// 8, 16->32 @28 1.7, 32->96 @28 1.4; 7x7 64->64 @56 3.6 in tiles of 16, 32->32 @28 1.6; 11x11
// 32->32 @32 1.7; in bf16, which is widened as it is read, 2.5 and 6.6 for the first of 5x5 and
// 7x7. It loses where tiles are few and the filters, 3.8 or 15 times as large as 5x5 ones were, are
// read for each of them: 5x5 32->128 @14 takes 1.3 times as long as oneDNN's, 48->128 @7 1.9 times;
// and with 3x3 kernels against Winograd, 64->64 @56 1.8 times.
//
// The error in f32 against FP64, relative to the largest output, is 2e-7 (fft_test.cpp: 64 channels
// of 27 x 27, 5x5, inputs and filters uniform in [-1, 1]).

namespace fettle {
namespace {

// Below, what there is to save is no more than Winograd saves; nothing was found to gain.
constexpr int64_t kFewestTaps = 16;

int64_t ExtentOf(const WindowAxis& axis) { return (axis.kernel - 1) * axis.dilation + 1; }

// The conjugate of a filter's spectrum by vertical frequency and then horizontal from 0 to half:
// what the window does is a correlation.
template <int kSize>
class FilterSpectrum {
 public:
  FilterSpectrum(const WindowPlane& plane, const float* taps) {
    const WindowAxis &ya = plane.y, &xa = plane.x;
    for (int64_t y = 0; y < ya.kernel; ++y) {
      for (int64_t k = 0; k <= kSize / 2; ++k) {
        Number sum = 0;
        for (int64_t x = 0; x < xa.kernel; ++x) {
          sum += static_cast<double>(taps[y * xa.kernel + x]) * Turn(k * x * xa.dilation);
        }
        for (int64_t i = 0; i < kSize; ++i) at_[i][k] += sum * Turn(i * y * ya.dilation);
      }
    }
  }

  // The factors at each position (FftPositions), with what the transforms of a tile leave behind:
  // see own_fft_block.h.
  std::array<float, FftPositions<kSize>::kCount> Factors() const {
    using Positions = FftPositions<kSize>;
    constexpr int kHalf = kSize / 2;
    constexpr double kInverse = 1.0 / (kSize * kSize);
    std::array<float, Positions::kCount> factors;
    const auto set = [&](int position, const Number& number, double scale) {
      factors[position] = static_cast<float>(scale * number.real());
      factors[position + 1] = static_cast<float>(scale * (number.imag() - number.real()));
      factors[position + 2] = static_cast<float>(scale * (number.real() + number.imag()));
    };
    for (int x = 1; x < kHalf; ++x) {
      for (int y = 0; y < kSize; ++y) set(Positions::OfMiddle(x, y), at_[y][x], kInverse / 2);
    }
    for (int y = 1; y < kHalf; ++y) {
      set(Positions::OfOuter(y, false), at_[y][0], kInverse / 4);
      set(Positions::OfOuter(y, true), at_[y][kHalf], kInverse / 4);
    }
    for (int i = 0; i < 4; ++i) {
      const Number& number = at_[i / 2 * kHalf][i % 2 * kHalf];
      factors[Positions::kReal + i] = static_cast<float>(kInverse / 2 * number.real());
    }
    return factors;
  }

 private:
  using Number = std::complex<double>;

  static Number Turn(int64_t steps) {
    const auto sixteenths = static_cast<size_t>(steps % kSize * (16 / kSize));
    return {kCosines[sixteenths], kCosines[(sixteenths + 12) % 16]};
  }

  Number at_[kSize][kSize / 2 + 1] = {};
};

// Tiles of kSize x kSize inputs for TileConv.
template <int kSize>
struct FftMethod {
  using Products = F32Products;
  static constexpr int kPositions = FftPositions<kSize>::kCount;
  static constexpr bool kCanStage = false;

  static int64_t Outputs(const WindowAxis& axis) { return kSize - ExtentOf(axis) + 1; }

  static std::array<float, kPositions> TransformFilter(const WindowPlane& plane,
                                                       const float* taps) {
    return FilterSpectrum<kSize>(plane, taps).Factors();
  }

  template <int kLanes, typename T>
  static inline void TransformInputs(const TileLayer& layer, const T* x, int64_t tile, float* v) {
    FftTileInputs<kSize, kLanes>(layer, x, tile, v);
  }

  template <int kLanes, typename T>
  static inline void TransformOutputs(const TileLayer& layer, int64_t tile, const float* m,
                                      int64_t channel, int64_t count,
                                      const VectorEpilogue<T>& epilogue) {
    FftTileOutputs<kSize, kLanes>(layer, tile, m, channel, count, epilogue);
  }
};

class OwnFftConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.fft_conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (Support constant = RequireConstantConv(spec); !constant) return constant;
    if (Support fits = ConvShapeSupport(spec); !fits) return fits;
    if (spec.output.shape.size() != 4) return Support::No("not two spatial axes");
    const Conv& op = std::get<Conv>(spec.op);
    if (op.groups != 1) return Support::No("groups");
    const WindowPlane plane = PlaneOf(op.window, spec.inputs[0].shape, spec.output.shape);
    if (plane.y.stride != 1 || plane.x.stride != 1) return Support::No("a stride");
    if (plane.y.kernel * plane.x.kernel < kFewestTaps) {
      return Support::No(
          "fewer than 16 taps, which Winograd or a direct convolution is better for");
    }
    if (std::max(ExtentOf(plane.y), ExtentOf(plane.x)) >= 16) {
      return Support::No("a kernel not smaller than a tile of 16");
    }
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec,
                                              const Target& target) const override {
    std::vector<Implementation> all;
    const WindowPlane plane =
        PlaneOf(std::get<Conv>(spec.op).window, spec.inputs[0].shape, spec.output.shape);
    const Layout blocked = target.has_avx512 ? Layout::kBlocked16 : Layout::kBlocked8;
    for (const int size : {8, 16}) {
      if (std::max(ExtentOf(plane.y), ExtentOf(plane.x)) >= size) continue;
      for (const Layout layout : {Layout::kChannelsLast, blocked}) {
        all.push_back(InLayout(std::string(Name()) + ":" + std::to_string(size), spec, layout));
        all.back().version = 2;
      }
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      if (implementation.name.ends_with(":8")) {
        return MakeTileKernel<FftMethod<8>, T>(spec, implementation.output, target, weights);
      }
      return MakeTileKernel<FftMethod<16>, T>(spec, implementation.output, target, weights);
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnFftConv() { return std::make_unique<OwnFftConv>(); }

}  // namespace fettle
