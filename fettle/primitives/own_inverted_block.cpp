#include "fettle/primitives/own_inverted_block.h"

#include <algorithm>

namespace fettle {
namespace {

constexpr int64_t kPanelsAtOnce = 4;  // that are projected together
constexpr int64_t kBandPixels = 160;  // of outputs; from 80 to 400 make little difference

int64_t Floats(const InvertedBlock& block, int64_t band) {
  const int64_t pixels = band * block.plane.x.output;
  const WindowAxis& y = block.plane.y;
  const int64_t rows = (band - 1) * y.stride + (y.kernel - 1) * y.dilation + 1;
  const int64_t panels = band < y.output ? block.panels : 1;
  return panels * rows * block.ring_width * block.width +
         pixels * (block.depth + block.output_stride());
}

void PlanMemory(const Target& target, bool widens, InvertedBlock* block) {
  const WindowAxis &y = block->plane.y, &x = block->plane.x;
  block->ring_width = (x.output - 1) * x.stride + (x.kernel - 1) * x.dilation + 1;
  block->depth = std::min(kPanelsAtOnce, block->panels) * block->width;
  // Weights pass by once a band: it should have pixels enough to be worth it.
  const int64_t share = (block->output.batch * y.output + target.threads - 1) / target.threads;
  const int64_t wanted = std::max<int64_t>(kBandPixels / x.output, 1);
  int64_t band = std::clamp<int64_t>(std::min(wanted, share), 1, y.output);
  const int64_t room = target.l2_bytes / 2 / static_cast<int64_t>(sizeof(float));
  while (band > 1 && Floats(*block, band) > room) --band;
  block->bands = (y.output + band - 1) / band;
  block->band = band = (y.output + block->bands - 1) / block->bands;
  block->bands = (y.output + band - 1) / band;

  block->ring_rows = (band - 1) * y.stride + (y.kernel - 1) * y.dilation + 1;
  const int64_t ring = block->ring_rows * block->ring_width * block->width;
  block->ring_step = block->bands == 1 ? 0 : ring;
  block->image = block->bands == 1 ? ring : block->panels * ring;
  const int64_t lines = std::min(block->ring_rows, y.input);
  block->filtered_at = block->image + (widens ? lines * x.input * block->inputs : 0);
  block->sums = block->filtered_at + band * x.output * block->depth;
  block->lines_at = RoundedUp(block->sums + band * x.output * block->output_stride(), 16);
  constexpr int64_t kFloatsOfAPointer = sizeof(uintptr_t) / sizeof(float);
  block->total = RoundedUp(block->lines_at + block->plane.y.kernel * kFloatsOfAPointer, 16);
}

std::vector<float> WholePanels(const Tensor& bias, int64_t width) {
  std::vector<float> values = WidenedValues(bias);
  values.resize(static_cast<size_t>(RoundedUp(bias.num_elements(), width)), 0);
  return values;
}

PackedWeights Packed(const Tensor& matrix, const Target& target) {
  const std::vector<float> values = WidenedValues(matrix);
  const int64_t inner = matrix.shape()[1];
  return PackWeights(inner, matrix.shape()[0], matrix.dtype(), target, [&](int64_t k, int64_t n) {
    return values[static_cast<size_t>(n * inner + k)];
  });
}

}  // namespace

InvertedBlock PrepareInvertedBlock(const LayerSpec& spec, Layout layout, const Target& target,
                                   std::span<const Tensor* const> weights) {
  const auto& op = std::get<InvertedResidual>(spec.op);
  InvertedBlock block(spec);
  block.plane = PlaneOf(op.window, spec.inputs[0].shape, spec.output.shape);
  block.input = ViewOf(spec.inputs[0].shape, layout);
  block.output = ViewOf(spec.output.shape, layout);
  const auto last = weights.last(4);
  block.inputs = spec.inputs[0].shape[1];
  block.channels = last[0]->shape()[0];
  block.outputs = spec.output.shape[1];
  block.projection = Packed(*last[2], target);
  block.width = block.projection.width;
  block.panels = (block.channels + block.width - 1) / block.width;
  block.projection_bias = WholePanels(*last[3], block.width);
  block.filter_bias = WholePanels(*last[1], block.width);
  if (op.expands) {
    block.expansion = Packed(*weights[0], target);
    block.expansion_bias = WholePanels(*weights[1], block.width);
  }
  const std::vector<float> filters = WidenedValues(*last[0]);
  const int64_t taps = block.taps();
  block.filters.assign(static_cast<size_t>(block.panels * taps * block.width), 0);
  for (int64_t c = 0; c < block.channels; ++c) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      const int64_t to = (c / block.width * taps + tap) * block.width + c % block.width;
      block.filters[static_cast<size_t>(to)] = filters[static_cast<size_t>(c * taps + tap)];
    }
  }
  block.is_direct = block.output.lanes == block.outputs && block.outputs % 8 == 0 &&
                    spec.output.dtype == DType::kF32 && !block.projected.other;
  PlanMemory(target, block.input.lanes != block.inputs || spec.output.dtype != DType::kF32, &block);
  return block;
}

size_t InvertedBlock::WeightBytes() const {
  const size_t floats =
      filters.size() + filter_bias.size() + expansion_bias.size() + projection_bias.size();
  return expansion.data.size() + projection.data.size() + floats * sizeof(float);
}

}  // namespace fettle
