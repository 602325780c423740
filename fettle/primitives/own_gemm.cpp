#include "fettle/primitives/own_gemm.h"

#include <cstring>

#include "fettle/core/huge_pages.h"

namespace fettle {
namespace {

constexpr int64_t kMostBlockRows = 96;

}  // namespace

PackedWeights PackWeights(int64_t inner, int64_t columns, DType dtype, const Target& target,
                          const std::function<float(int64_t, int64_t)>& value) {
  PackedWeights packed;
  packed.inner = inner;
  packed.columns = columns;
  packed.dtype = dtype;
  // 32 registers hold a tile of 12 x 2 vectors of 512 bits; 16 of 256 bits one of 6 x 1 of ours.
  packed.width = target.has_avx512 ? 2 * kVectorLanes : kVectorLanes;
  const int64_t elements = packed.panels() * inner * packed.width;
  ResizeOnHugePages(&packed.data, static_cast<size_t>(elements) * SizeOf(dtype));
  VisitFloat(dtype, [&](auto type) {
    auto* to = As<decltype(type)>(packed.data.data());
    for (int64_t n = 0; n < columns; ++n) {
      for (int64_t k = 0; k < inner; ++k) {
        to[(n / packed.width * inner + k) * packed.width + n % packed.width] =
            Narrow<decltype(type)>(value(k, n));
      }
    }
  });
  return packed;
}

GemmPlan PlanGemm(int64_t rows, const PackedWeights& weights, const Target& target) {
  GemmPlan plan;
  plan.rows = rows;
  const int64_t tile_rows = weights.width == 2 * kVectorLanes ? 12 : 6;
  const int64_t share = (rows + target.threads - 1) / target.threads;
  plan.block_rows = std::min(RoundedUp(share, tile_rows), kMostBlockRows);
  plan.block_rows = std::clamp<int64_t>(plan.block_rows, 1, std::max<int64_t>(rows, 1));
  plan.row_blocks = (rows + plan.block_rows - 1) / plan.block_rows;
  // Too few blocks for the threads: the columns are shared out as well.
  const int64_t wanted =
      (target.threads + plan.row_blocks - 1) / std::max<int64_t>(plan.row_blocks, 1);
  plan.part_panels =
      std::max<int64_t>((weights.panels() + wanted - 1) / std::max<int64_t>(wanted, 1), 1);
  plan.column_parts = (weights.panels() + plan.part_panels - 1) / plan.part_panels;
  const int64_t floats = plan.block_rows * (kDepth + plan.part_panels * weights.width);
  plan.workspace_bytes = static_cast<size_t>(target.threads * floats) * sizeof(float);
  return plan;
}

}  // namespace fettle
