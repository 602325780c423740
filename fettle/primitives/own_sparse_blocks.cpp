#include "fettle/primitives/own_sparse_blocks.h"

#include <algorithm>

namespace fettle {
namespace {

void FindInputs(const ConvShape& shape, const TapPlane& plane, SparseBlock* block) {
  int64_t first = -1, last = 0;
  for (const std::vector<CopyRun>& runs : block->copies) {
    for (const CopyRun& run : runs) {
      if (run.from < 0) continue;
      first = first < 0 ? run.from : std::min(first, run.from);
      last = std::max(last, run.from + (run.count - 1) * plane.step() + 1);
    }
  }
  const int64_t image = shape.in_channels * shape.input_pixels();
  if (first < 0 || last > first / image * image + shape.input_pixels()) return;
  block->input = first;
  block->inputs = last - first;
}

}  // namespace

std::vector<SparseBlock> CutPositions(const ConvShape& shape, const TapPlane& plane, int64_t lanes,
                                      int64_t blocks) {
  const int64_t vectors = (plane.positions() + lanes - 1) / lanes;
  std::vector<SparseBlock> cut;
  for (int64_t i = 0; i < blocks; ++i) {
    const int64_t first = vectors * i / blocks, last = vectors * (i + 1) / blocks;
    const int64_t position = first * lanes, count = (last - first) * lanes;
    SparseBlock block;
    block.vectors = last - first;
    for (int64_t phase = 0; phase < plane.phases(); ++phase) {
      block.copies.push_back(plane.CopyRuns(phase, position, count));
    }
    block.outputs = plane.OutputRuns(position, count);
    block.is_whole = block.outputs.size() == 1 && block.outputs[0].count == count;
    FindInputs(shape, plane, &block);
    cut.push_back(std::move(block));
  }
  return cut;
}

}  // namespace fettle
