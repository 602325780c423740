#include <algorithm>
#include <type_traits>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_inverted_block.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_row_products.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/own_vector.h"
#include "fettle/primitives/primitive_families.h"

// An inverted residual by bands of rows, so that what lies between its convolutions stays in the
// caches.
//
// The channels between, six times those outside in MobileNetV2, are cut into panels of 32 (16
// without AVX-512). For a band of some 160 outputs and one panel after another, the input rows that
// are new are expanded into the panel's ring of rows, the band is filtered from there, and four
// panels together are projected: added to the sums of all outputs of the band, and at the last ones
// stored with residual and activation. So a panel's rows live in the first-level cache and the sums
// and rings in the second; rows that two bands share are kept in the rings, not expanded again
// (except where two threads meet). Where one band is the whole image all panels share one ring.
// Padding is zeros in the rings, so that the filters know no borders. Without an expansion the
// input's rows are copied into the rings, which costs most where channels are few.
//
// One panel or all of them projected at once was a few per cent slower than four; bands of 80 to
// 400 outputs are all the same.
//
// The work stays the same; what is saved is memory traffic. So it wins where the tensors between do
// not stay in the caches, and elsewhere is a matter of whose products are faster. On an Emerald
// Rapids core (2 MB of second-level cache), f32, one thread, against the fastest parts of any
// library, sums of medians that were taken in turns (primitive_benchmark, other work running):
//
//   MobileNetV2, batch 8: 2.1x at 112x112 (16 > 96 > 24, stride 2), 1.25 to 1.4x at 56x56, 1.2 to
//   1.3x at 28x28 and 14x14.
//   MobileNetV2, batch 1: measured alone, where 1.8 MB between two layers are still found in the
//   cache, 0.75 to 1.0x; 1.7x at 112x112 and 1.3x at 56x56 while other processes use the caches.
//   MobileNetV1 (no expansion): 0.85 to 1.0x at either batch. There is one tensor to be saved and
//   three quarters of the work is the projection's, at which oneDNN's kernels are better.
//   End to end, `fettle bench mobilenet_v2.onnx` with and without --no-fusion: at batch 8 three
//   blocks are fused, 1.04 and 1.06x in two runs; at batch 1 none, and rightly. bf16: 0.75
//   to 1.15x; all is computed in f32, and what is saved is half as much.

namespace fettle {
namespace {

constexpr int64_t kPixelsAhead = 24;  // that are fetched

// What a thread knows while it goes from band to band.
template <typename T>
struct Work {
  const Target& target;
  const InvertedBlock& block;
  const T* input;
  Epilogue<T> epilogue;
  float* memory;
  int64_t filled = 0;  // input rows below this are in the ring, as far as it reaches

  // Of the rows that the filters' lines are on at the moment.
  const float** lines() const { return reinterpret_cast<const float**>(memory + block.lines_at); }
};

// Rows of the input [first, last), as f32, channels last; `first` where the memory begins.
template <typename T>
inline const float* WidenedRows(Work<T>* work, int64_t image, int64_t first, int64_t last) {
  const InvertedBlock& block = work->block;
  const int64_t row_pixels = block.plane.x.input;
  const ChannelView& view = block.input;
  const T* from = work->input + image * view.groups * view.space * view.lanes;
  const int64_t pixels = (last - first) * row_pixels;
  if (view.lanes == block.inputs) {
    from += first * row_pixels * view.lanes;
    if constexpr (std::is_same_v<T, float>) return from;
    WidenRow(from, pixels * view.lanes, work->memory + block.image);
    return work->memory + block.image;
  }
  for (int64_t group = 0; group < view.groups; ++group) {
    const T* lanes = from + (group * view.space + first * row_pixels) * view.lanes;
    float* to = work->memory + block.image + group * view.lanes;
    const int64_t count = view.LanesOf(group);
    for (int64_t p = 0; p < pixels; ++p) {
      WidenRow(lanes + p * view.lanes, count, to + p * block.inputs);
    }
  }
  return work->memory + block.image;
}

// The channels of a panel of one input row, padded left and right, in the ring.
template <typename T>
inline void FillRow(const Work<T>& work, const float* x, int64_t panel, float* to) {
  const InvertedBlock& block = work.block;
  const WindowAxis& axis = block.plane.x;
  const int64_t left = std::min(axis.pad_begin, block.ring_width);
  const int64_t count = std::min(axis.input, block.ring_width - left);
  const int64_t lanes = std::min(block.width, block.channels - panel * block.width);
  std::fill_n(to, left * block.width, 0.0f);
  float* const inside = to + left * block.width;
  std::fill(inside + count * block.width, to + block.ring_width * block.width, 0.0f);
  if (!block.expands) {
    const float* from = x + panel * block.width;
    for (int64_t p = 0; p < count; ++p) {
      __builtin_prefetch(from + (p + kPixelsAhead) * block.inputs);
      __builtin_prefetch(from + (p + kPixelsAhead) * block.inputs + kVectorLanes);
      CopyElements<kVectorLanes>(from + p * block.inputs, lanes, inside + p * block.width);
    }
    return;
  }
  const auto* weights = As<T>(block.expansion.data.data());
  const RowProducts<T> products{count,
                                block.inputs,
                                lanes,
                                x,
                                block.inputs,
                                weights + panel * block.inputs * block.width,
                                block.width,
                                block.expansion_bias.data() + panel * block.width,
                                0,
                                inside,
                                block.width};
  MultiplyRows(work.target, products, block.expanded.bounds);
  if (block.expanded.other) ActivateRow(*block.expanded.other, count * block.width, inside);
}

// One panel of `rows` rows of outputs from `first`, filtered, at `to`.
template <typename T>
inline void FilterBand(Work<T>* work, const float* ring, int64_t panel, int64_t first, int64_t rows,
                       float* to) {
  const InvertedBlock& block = work->block;
  const WindowAxis &y = block.plane.y, &x = block.plane.x;
  const int64_t lanes = std::min(block.width, block.channels - panel * block.width);
  const int64_t row_floats = block.ring_width * block.width;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t ky = 0; ky < y.kernel; ++ky) {
      // Counted from the first row of padding, so never negative.
      const int64_t line = (first + row) * y.stride + ky * y.dilation;
      work->lines()[ky] = ring + line % block.ring_rows * row_floats;
    }
    float* values = to + row * x.output * block.depth;
    const RowFilters filters{work->lines(),
                             y.kernel,
                             x.kernel,
                             x.stride,
                             x.dilation,
                             block.filters.data() + panel * block.taps() * block.width,
                             block.width,
                             lanes,
                             block.filter_bias.data() + panel * block.width,
                             x.output,
                             values,
                             block.depth,
                             block.filtered.bounds};
    FilterRow(work->target, filters);
    if (!block.filtered.other) continue;
    for (int64_t p = 0; p < x.output; ++p) {
      ActivateRow(*block.filtered.other, lanes, values + p * block.depth);
    }
  }
}

// sums += the filtered channels from `channel` on, projected; of the first ones, to the bias. Where
// the results need no more than that, the last ones' go to the output: at `pixel` of all images'.
template <typename T>
inline void Project(const Work<T>& work, int64_t channel, int64_t pixel, int64_t pixels) {
  const InvertedBlock& block = work.block;
  const auto* weights = As<T>(block.projection.data.data());
  const int64_t stride = block.output_stride();
  const int64_t depth = std::min(block.depth, block.channels - channel);
  for (int64_t panel = 0; panel < block.projection.panels(); ++panel) {
    const int64_t output = panel * block.width;
    float* sums = work.memory + block.sums + output;
    const float* bias = block.projection_bias.data() + output;
    RowProducts<T> products{pixels,
                            depth,
                            block.outputs - output,
                            work.memory + block.filtered_at,
                            block.depth,
                            weights + (panel * block.channels + channel) * block.width,
                            block.width,
                            channel == 0 ? bias : sums,
                            channel == 0 ? 0 : stride,
                            sums,
                            stride};
    if constexpr (std::is_same_v<T, float>) {
      if (block.is_direct && channel + depth == block.channels) {
        const int64_t offset = pixel * block.outputs + output;
        products.to = work.epilogue.output + offset;
        products.to_stride = block.outputs;
        if (work.epilogue.residual != nullptr) products.residual = work.epilogue.residual + offset;
        MultiplyRows(work.target, products, block.projected.bounds);
        continue;
      }
    }
    MultiplyRows(work.target, products);
  }
}

// The sums of the pixels from `first` of an image on, through the epilogue.
template <typename T>
inline void StoreBand(const Work<T>& work, int64_t image, int64_t first, int64_t pixels) {
  const InvertedBlock& block = work.block;
  const ChannelView& view = block.output;
  const int64_t stride = block.output_stride();
  float* sums = work.memory + block.sums;
  float* rows = work.memory + block.filtered_at;  // done with
  for (int64_t group = 0; group < view.groups; ++group) {
    const int64_t offset = ((image * view.groups + group) * view.space + first) * view.lanes;
    float* from = sums + group * view.lanes;
    float* to = view.groups == 1 ? sums : rows;
    if (to != from || stride != view.lanes) {
      for (int64_t p = 0; p < pixels; ++p) {
        CopyElements<kVectorLanes>(from + p * stride, view.lanes, to + p * view.lanes);
      }
    }
    work.epilogue.Store(to, pixels * view.lanes, offset);
  }
}

// A band of an image. `is_first`: of what this thread does of the image.
template <typename T>
inline void ComputeBand(Work<T>* work, int64_t image, int64_t band, bool is_first) {
  const InvertedBlock& block = work->block;
  const WindowAxis& y = block.plane.y;
  const int64_t first = band * block.band, rows = std::min(block.band, y.output - first);
  const int64_t pixels = rows * block.plane.x.output;
  // Of the input with its padding, counted from the first row of that.
  const int64_t top = first * y.stride;
  const int64_t bottom = top + (rows - 1) * y.stride + (y.kernel - 1) * y.dilation + 1;
  const int64_t fresh = is_first ? top : std::max(top, work->filled);
  const int64_t real = std::clamp(fresh - y.pad_begin, int64_t{0}, y.input);
  const int64_t real_end = std::clamp(bottom - y.pad_begin, real, y.input);
  const float* x = WidenedRows(work, image, real, real_end);
  work->filled = bottom;

  const int64_t pixel = first * block.plane.x.output;
  const int64_t row_floats = block.ring_width * block.width;
  for (int64_t panel = 0; panel < block.panels; ++panel) {
    float* ring = work->memory + panel * block.ring_step;
    for (int64_t line = fresh; line < bottom; ++line) {
      float* to = ring + line % block.ring_rows * row_floats;
      const int64_t row = line - y.pad_begin;
      if (row < real || row >= real_end) {
        std::fill_n(to, row_floats, 0.0f);
      } else {
        FillRow(*work, x + (row - real) * block.plane.x.input * block.inputs, panel, to);
      }
    }
    const int64_t channel = panel * block.width, within = channel % block.depth;
    FilterBand(work, ring, panel, first, rows, work->memory + block.filtered_at + within);
    if (within + block.width == block.depth || panel + 1 == block.panels) {
      Project(*work, channel - within, image * block.output.space + pixel, pixels);
    }
  }
  if (!block.is_direct) StoreBand(*work, image, pixel, pixels);
}

// The bands [begin, end) of all images.
template <typename T>
inline void ComputeBands(Work<T>* work, int64_t begin, int64_t end) {
  const int64_t bands = work->block.bands;
  for (int64_t i = begin; i < end; ++i) {
    ComputeBand(work, i / bands, i % bands, i == begin || i % bands == 0);
  }
}

class OwnInvertedResidual : public Primitive {
 public:
  std::string_view Name() const override { return "own.inverted_residual"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* op = std::get_if<InvertedResidual>(&spec.op);
    if (op == nullptr) return Support::No("not an inverted residual");
    if (spec.weights.size() != (op->expands ? 6u : 4u)) {
      return Support::No("weights that are no constants");
    }
    for (size_t i = 0; i < spec.weights.size(); ++i) {
      if (IsMatrix(spec.op, i) && spec.weights[i].dtype != spec.output.dtype) {
        return Support::No("filters of another type than the output");
      }
    }
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec,
                                              const Target& target) const override {
    std::vector<Implementation> all;
    const Layout blocked = target.has_avx512 ? Layout::kBlocked16 : Layout::kBlocked8;
    for (const Layout layout : {Layout::kChannelsLast, blocked}) {
      if (CanAllHave(spec, layout)) all.push_back(InLayout(Name(), spec, layout));
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    InvertedBlock prepared = PrepareInvertedBlock(spec, implementation.output, target, weights);
    const size_t workspace_bytes =
        static_cast<size_t>(target.threads * prepared.total) * sizeof(float);
    const size_t weight_bytes = prepared.WeightBytes();
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel(
          [=, block = std::move(prepared)](KernelInputs inputs, std::byte* output,
                                           std::byte* workspace) {
            const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
            const int64_t work = block.band * block.plane.x.output * block.channels;
            ParallelFor(target, block.output.batch * block.bands, work,
                        [&](int64_t begin, int64_t end, int64_t part) {
                          Work<T> of_part{target, block, As<T>(inputs[0]), epilogue,
                                          As<float>(workspace) + part * block.total};
                          WithIsa(target, [&] { ComputeBands(&of_part, begin, end); });
                        });
            ZeroPadding(block.output, sizeof(T), output);
          },
          workspace_bytes, weight_bytes);
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnInvertedResidual() {
  return std::make_unique<OwnInvertedResidual>();
}

}  // namespace fettle
