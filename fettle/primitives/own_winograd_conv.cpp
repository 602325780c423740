#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <utility>

#include "fettle/core/huge_pages.h"
#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_dot.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_tile_plan.h"
#include "fettle/primitives/own_tile_products.h"
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

template <int kOutputs, typename Products>
class WinogradConv {
 public:
  using Element = typename Products::Element;

  WinogradConv(const LayerSpec& spec, Layout layout, const Target& target,
               std::span<const Tensor* const> weights)
      : target_(target), layer_{TileLayerOf(spec, layout, target, kOutputs, kOutputs), {}} {
    layer_.v_stride = kPositions * layer_.v_channels + 64 / static_cast<int64_t>(sizeof(Element));
    TransformFilters(weights);
    MakePlan();
  }

  size_t WorkspaceBytes() const { return static_cast<size_t>(target_.threads * scratch_bytes_); }
  size_t WeightBytes() const { return layer_.filters.size() + layer_.bias.size() * sizeof(float); }

  template <typename T>
  void Run(const T* x, const Epilogue<T>& finish, std::byte* workspace) const {
    const VectorEpilogue<T> epilogue(finish, target_);
    const int64_t work = layer_.tiles() * kPositions * layer_.v_channels * layer_.outputs / 16;
    ParallelFor(target_, plan_.tasks(), work / plan_.tasks(),
                [&](int64_t begin, int64_t end, int64_t part) {
                  std::byte* scratch = workspace + part * scratch_bytes_;
                  for (int64_t task = begin; task < end; ++task) {
                    const bool has_inputs = task > begin && !plan_.BeginsBlock(task);
                    RunTask(task, has_inputs, x, epilogue, As<Element>(scratch),
                            As<float>(scratch + v_bytes_));
                  }
                });
    ZeroPadding(layer_.output, sizeof(T), reinterpret_cast<std::byte*>(epilogue.output));
  }

 private:
  static constexpr int kTile = kOutputs + 2, kPositions = kTile * kTile;

  // G g G^T in double precision, rounded once.
  static void TransformFilter(const std::array<double, 9>& g, double* u) {
    using Transform = WinogradTransform<kOutputs, double>;
    double half[3][kTile];
    for (int column = 0; column < 3; ++column) {
      const double taps[3] = {g[column], g[3 + column], g[6 + column]};
      Transform::Filter(taps, half[column]);
    }
    for (int i = 0; i < kTile; ++i) {
      const double taps[3] = {half[0][i], half[1][i], half[2][i]};
      Transform::Filter(taps, u + int64_t{i} * kTile);
    }
  }

  void TransformFilters(std::span<const Tensor* const> weights) {
    const int64_t padded = RoundedUp(layer_.outputs, kVectorLanes);
    ResizeOnHugePages(
        &layer_.filters,
        static_cast<size_t>(kPositions * layer_.v_channels * padded) * sizeof(Element));
    const std::vector<float> filters = WidenedValues(*weights[0]);
    const int64_t inputs = layer_.input.channels;
    const float* from = filters.data();
    for (int64_t output = 0; output < layer_.output.channels; ++output) {
      const int64_t chunk = output / layer_.chunk, lane = output % layer_.chunk;
      const int64_t width = layer_.ChunkVectors(chunk) * kVectorLanes;
      Element* to = As<Element>(layer_.filters.data()) +
                    chunk * layer_.chunk * kPositions * layer_.v_channels + lane * Products::kStep;
      for (int64_t k = 0; k < inputs; ++k, from += 9) {
        std::array<double, 9> filter;
        std::copy_n(from, 9, filter.begin());
        double transformed[kPositions];
        TransformFilter(filter, transformed);
        const int64_t inner = k / Products::kStep * Products::kStep * width + k % Products::kStep;
        for (int position = 0; position < kPositions; ++position) {
          to[position * layer_.v_channels * width + inner] =
              Narrow<Element>(static_cast<float>(transformed[position]));
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
    work.filter_bytes = static_cast<int64_t>(layer_.filters.size());
    work.v_bytes = layer_.v_stride * static_cast<int64_t>(sizeof(Element));
    work.m_bytes = kPositions * layer_.chunk * static_cast<int64_t>(sizeof(float));
    work.can_stage = true;
    plan_ = PlanTiles(work, target_);
    if (plan_.is_staged) layer_.m_position = RoundedUp(layer_.outputs, layer_.chunk);
    layer_.m_stride = kPositions * layer_.m_position + kVectorLanes;
    const int64_t block_tiles = (work.tiles + plan_.blocks - 1) / plan_.blocks;
    v_bytes_ = RoundedUp(block_tiles * work.v_bytes, 64);
    scratch_bytes_ =
        v_bytes_ +
        RoundedUp(block_tiles * layer_.m_stride * static_cast<int64_t>(sizeof(float)), 64);
  }

  // Unless `has_inputs`, v is given the block's transformed inputs first.
  template <typename T>
  void RunTask(int64_t task, bool has_inputs, const T* x, const VectorEpilogue<T>& epilogue,
               Element* v, float* m) const {
    const int64_t block = task / plan_.parts, part = task % plan_.parts;
    const int64_t begin = layer_.tiles() * block / plan_.blocks;
    const int64_t end = layer_.tiles() * (block + 1) / plan_.blocks;
    if (!has_inputs) {
      WithLanes<Products>(target_, layer_.lanes == 16,
                          [&]<int kLanes>() { Transform<kLanes>(begin, end, x, v); });
    }
    const int64_t first = layer_.chunks() * part / plan_.parts;
    const int64_t last = layer_.chunks() * (part + 1) / plan_.parts;
    if (plan_.is_staged) {
      for (int64_t position = 0; position < kPositions; ++position) {
        MultiplyAt(position, first, last, end - begin, v, m);
      }
    }
    for (int64_t chunk = first; chunk < last; ++chunk) {
      const float* sums = m;
      if (plan_.is_staged) {
        sums += chunk * layer_.chunk;
      } else {
        MultiplyChunk(chunk, end - begin, v, m);
      }
      WithLanes<Products>(target_, HasWideOutputs(layer_, target_),
                          [&]<int kLanes>() { Finish<kLanes>(begin, end, chunk, sums, epilogue); });
    }
  }

  template <int kLanes, typename T>
  inline void Transform(int64_t begin, int64_t end, const T* x, Element* v) const {
    for (int64_t tile = begin; tile < end; ++tile, v += layer_.v_stride) {
      TransformTile<kOutputs, kLanes, Products>(layer_, x, tile, v);
    }
  }

  const Element* FiltersOf(int64_t chunk) const {
    return As<Element>(layer_.filters.data()) +
           chunk * layer_.chunk * kPositions * layer_.v_channels;
  }

  // Of a chunk of outputs, all positions.
  void MultiplyChunk(int64_t chunk, int64_t tiles, const Element* v, float* m) const {
    const int64_t depth = layer_.v_channels, vectors = layer_.ChunkVectors(chunk);
    const TileProducts products{tiles,
                                depth,
                                vectors,
                                layer_.v_stride,
                                layer_.m_stride,
                                kPositions,
                                depth,
                                layer_.m_position,
                                depth * vectors * kVectorLanes};
    MultiplyTiles(target_, products, v, FiltersOf(chunk), m);
  }

  // At one position, the chunks [first, last) of outputs; the last of all may be a narrower one.
  void MultiplyAt(int64_t position, int64_t first, int64_t last, int64_t tiles, const Element* v,
                  float* m) const {
    const int64_t depth = layer_.v_channels, narrow = layer_.outputs / layer_.chunk;
    for (const auto& [begin, end] :
         {std::pair(first, std::min(last, narrow)), std::pair(std::max(first, narrow), last)}) {
      if (begin >= end) continue;
      const int64_t vectors = layer_.ChunkVectors(begin);
      const TileProducts products{tiles,
                                  depth,
                                  vectors,
                                  layer_.v_stride,
                                  layer_.m_stride,
                                  end - begin,
                                  0,
                                  layer_.chunk,
                                  layer_.chunk * kPositions * depth};
      MultiplyTiles(target_, products, v + position * depth,
                    FiltersOf(begin) + position * depth * vectors * kVectorLanes,
                    m + position * layer_.m_position + begin * layer_.chunk);
    }
  }

  template <int kLanes, typename T>
  inline void Finish(int64_t begin, int64_t end, int64_t chunk, const float* m,
                     const VectorEpilogue<T>& epilogue) const {
    const int64_t channel = chunk * layer_.chunk,
                  count = std::min(layer_.chunk, layer_.outputs - channel);
    for (int64_t tile = begin; tile < end; ++tile, m += layer_.m_stride) {
      TransformOutputs<kOutputs, kLanes, Products>(layer_, tile, m, channel, count, epilogue);
    }
  }

  Target target_;
  WinogradLayer layer_;
  TilePlan plan_;
  int64_t v_bytes_ = 0, scratch_bytes_ = 0;  // of a thread
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

template <int kOutputs, typename T, typename Products>
std::unique_ptr<Kernel> MakeWinogradKernel(const LayerSpec& spec, Layout layout,
                                           const Target& target,
                                           std::span<const Tensor* const> weights) {
  auto conv =
      std::make_shared<const WinogradConv<kOutputs, Products>>(spec, layout, target, weights);
  return MakeKernel(
      [=](KernelInputs inputs, std::byte* output, std::byte* workspace) {
        conv->Run(As<T>(inputs[0]), EpilogueOf<T>(spec, inputs, output), workspace);
      },
      conv->WorkspaceBytes(), conv->WeightBytes());
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
#if defined(__x86_64__)
        if constexpr (std::is_same_v<T, BF16> && outputs != 6) {
          if (target.has_avx512_bf16 && !IsWidened(implementation.name)) {
            return MakeWinogradKernel<outputs, T, BF16Dots>(spec, implementation.output, target,
                                                            weights);
          }
        }
#endif
        return MakeWinogradKernel<outputs, T, F32Products>(spec, implementation.output, target,
                                                           weights);
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnWinogradConv() { return std::make_unique<OwnWinogradConv>(); }

}  // namespace fettle
