#include <algorithm>
#include <array>
#include <complex>
#include <string>
#include <type_traits>
#include <utility>

#include "fettle/core/huge_pages.h"
#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_fft_block.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_tile_plan.h"
#include "fettle/primitives/own_tile_products.h"
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

template <int kSize>
class FftConv {
 public:
  FftConv(const LayerSpec& spec, Layout layout, const Target& target,
          std::span<const Tensor* const> weights)
      : target_(target) {
    const WindowPlane plane =
        PlaneOf(std::get<Conv>(spec.op).window, spec.inputs[0].shape, spec.output.shape);
    static_cast<TileLayer&>(layer_) = TileLayerOf(
        spec, layout, target, kSize - ExtentOf(plane.y) + 1, kSize - ExtentOf(plane.x) + 1);
    layer_.v_stride = kPositions * layer_.v_channels + kVectorLanes;
    layer_.m_stride = kPositions * layer_.m_position + kVectorLanes;
    TransformFilters(weights);
    MakePlan();
  }

  size_t WorkspaceBytes() const {
    return static_cast<size_t>(target_.threads * scratch_floats_) * sizeof(float);
  }
  size_t WeightBytes() const {
    return (layer_.filters.size() + layer_.bias.size()) * sizeof(float);
  }

  template <typename T>
  void Run(const T* x, const Epilogue<T>& finish, float* workspace) const {
    const VectorEpilogue<T> epilogue(finish, target_);
    const int64_t work = layer_.tiles() * kPositions * layer_.v_channels * layer_.outputs / 16;
    ParallelFor(target_, plan_.tasks(), work / plan_.tasks(),
                [&](int64_t begin, int64_t end, int64_t part) {
                  float* scratch = workspace + part * scratch_floats_;
                  for (int64_t task = begin; task < end; ++task) {
                    const bool has_inputs = task > begin && !plan_.BeginsBlock(task);
                    RunTask(task, has_inputs, x, epilogue, scratch, scratch + v_floats_);
                  }
                });
    ZeroPadding(layer_.output, sizeof(T), reinterpret_cast<std::byte*>(epilogue.output));
  }

 private:
  static constexpr int kPositions = FftPositions<kSize>::kCount;

  void TransformFilters(std::span<const Tensor* const> weights) {
    const int64_t padded = RoundedUp(layer_.outputs, kVectorLanes), inputs = layer_.input.channels;
    ResizeOnHugePages(&layer_.filters,
                      static_cast<size_t>(kPositions * layer_.v_channels * padded));
    const std::vector<float> filters = WidenedValues(*weights[0]);
    const int64_t taps = layer_.plane.y.kernel * layer_.plane.x.kernel;
    const float* from = filters.data();
    for (int64_t output = 0; output < layer_.output.channels; ++output) {
      const int64_t chunk = output / layer_.chunk, lane = output % layer_.chunk;
      const int64_t width = layer_.ChunkVectors(chunk) * kVectorLanes;
      float* to =
          layer_.filters.data() + chunk * layer_.chunk * kPositions * layer_.v_channels + lane;
      for (int64_t k = 0; k < inputs; ++k, from += taps) {
        const auto factors = FilterSpectrum<kSize>(layer_.plane, from).Factors();
        for (int64_t position = 0; position < kPositions; ++position) {
          to[(position * layer_.v_channels + k) * width] = factors[static_cast<size_t>(position)];
        }
      }
    }
    SetBias(weights, &layer_);
  }

  void MakePlan() {
    TileWork work;
    work.tiles = std::max<int64_t>(layer_.tiles(), 1);
    work.chunks = layer_.chunks();
    work.positions = kPositions;
    work.filter_bytes = static_cast<int64_t>(layer_.filters.size() * sizeof(float));
    work.v_bytes = layer_.v_stride * static_cast<int64_t>(sizeof(float));
    work.m_bytes = layer_.m_stride * static_cast<int64_t>(sizeof(float));
    plan_ = PlanTiles(work, target_);
    const int64_t block_tiles = (work.tiles + plan_.blocks - 1) / plan_.blocks;
    v_floats_ = RoundedUp(block_tiles * layer_.v_stride, kVectorLanes);
    scratch_floats_ = v_floats_ + RoundedUp(block_tiles * layer_.m_stride, kVectorLanes);
  }

  // Unless `has_inputs`, v is given the block's transformed inputs first.
  template <typename T>
  void RunTask(int64_t task, bool has_inputs, const T* x, const VectorEpilogue<T>& epilogue,
               float* v, float* m) const {
    const int64_t block = task / plan_.parts, part = task % plan_.parts;
    const int64_t begin = layer_.tiles() * block / plan_.blocks;
    const int64_t end = layer_.tiles() * (block + 1) / plan_.blocks;
    if (!has_inputs) {
      WithLanes<F32Products>(target_, layer_.lanes == 16, [&]<int kLanes>() {
        for (int64_t tile = begin; tile < end; ++tile) {
          FftTileInputs<kSize, kLanes>(layer_, x, tile, v + (tile - begin) * layer_.v_stride);
        }
      });
    }
    const int64_t first = layer_.chunks() * part / plan_.parts;
    const int64_t last = layer_.chunks() * (part + 1) / plan_.parts;
    for (int64_t chunk = first; chunk < last; ++chunk) {
      const float* filters =
          layer_.filters.data() + chunk * layer_.chunk * kPositions * layer_.v_channels;
      const int64_t depth = layer_.v_channels, vectors = layer_.ChunkVectors(chunk);
      MultiplyTiles(target_,
                    {end - begin, depth, vectors, layer_.v_stride, layer_.m_stride, kPositions,
                     depth, layer_.m_position, depth * vectors * kVectorLanes},
                    v, filters, m);
      const int64_t channel = chunk * layer_.chunk,
                    count = std::min(layer_.chunk, layer_.outputs - channel);
      WithLanes<F32Products>(target_, HasWideOutputs(layer_, target_), [&]<int kLanes>() {
        for (int64_t tile = begin; tile < end; ++tile) {
          FftTileOutputs<kSize, kLanes>(layer_, tile, m + (tile - begin) * layer_.m_stride, channel,
                                        count, epilogue);
        }
      });
    }
  }

  Target target_;
  FftLayer layer_;
  TilePlan plan_;
  int64_t v_floats_ = 0, scratch_floats_ = 0;  // of a thread
};

template <int kSize, typename T>
std::unique_ptr<Kernel> MakeFftKernel(const LayerSpec& spec, Layout layout, const Target& target,
                                      std::span<const Tensor* const> weights) {
  auto conv = std::make_shared<const FftConv<kSize>>(spec, layout, target, weights);
  return MakeKernel(
      [=](KernelInputs inputs, std::byte* output, std::byte* workspace) {
        conv->Run(As<T>(inputs[0]), EpilogueOf<T>(spec, inputs, output), As<float>(workspace));
      },
      conv->WorkspaceBytes(), conv->WeightBytes());
}

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
        return MakeFftKernel<8, T>(spec, implementation.output, target, weights);
      }
      return MakeFftKernel<16, T>(spec, implementation.output, target, weights);
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnFftConv() { return std::make_unique<OwnFftConv>(); }

}  // namespace fettle
