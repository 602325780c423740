#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_vector.h"

// A matrix product for our convolutions and inner products, computed in f32 whatever the operands
// are stored as: rows of inputs, made as they are needed, times weights packed beforehand. Blocked
// after Goto & van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 2008:
// a block of rows x kDepth stays in the second-level cache while panels of weights go by, and a
// tile of the result stays in registers.

namespace fettle {

// Weights of inner x columns, in panels of `width` columns: [panel][inner][width], the last panel
// padded with zeros. bf16 stays bf16 and is widened in registers.
struct PackedWeights {
  int64_t inner = 0, columns = 0;
  int width = kVectorLanes;
  DType dtype = DType::kF32;
  std::vector<std::byte> data;

  int64_t panels() const { return (columns + width - 1) / width; }
};

// `value(k, n)` gives the weights; they are rounded to `dtype`, which changes nothing where they
// come from a tensor of that type.
PackedWeights PackWeights(int64_t inner, int64_t columns, DType dtype, const Target& target,
                          const std::function<float(int64_t, int64_t)>& value);

// How a product is cut into tasks, of which each thread takes some.
struct GemmPlan {
  int64_t rows = 0, row_blocks = 1, block_rows = 1;  // a block is a multiple of the tile's rows
  int64_t column_parts = 1, part_panels = 1;
  size_t workspace_bytes = 0;
};

constexpr int64_t kDepth = 256;

GemmPlan PlanGemm(int64_t rows, const PackedWeights& weights, const Target& target);

// result += block * panel over `depth` columns of the block; a tile of kRows x (kVectors vectors).
template <int kRows, int kVectors, typename W>
inline void MultiplyTile(const float* block, const W* panel, int64_t depth, float* result,
                         int64_t result_stride) {
  constexpr int kWidth = kVectors * kVectorLanes;
  Vector<kVectorLanes> sums[kRows][kVectors];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) {
      LoadVector<kVectorLanes>(result + i * result_stride + int64_t{j} * kVectorLanes, &sums[i][j]);
    }
  }
  for (int64_t k = 0; k < depth; ++k, panel += kWidth) {
    Vector<kVectorLanes> weights[kVectors];
    for (int j = 0; j < kVectors; ++j) {
      LoadVector<kVectorLanes>(panel + j * kVectorLanes, &weights[j]);
    }
    for (int i = 0; i < kRows; ++i) {
      const float input = block[i * kDepth + k];
      for (int j = 0; j < kVectors; ++j) sums[i][j] += input * weights[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVectors; ++j) {
      StoreVector<kVectorLanes>(sums[i][j], result + i * result_stride + int64_t{j} * kVectorLanes);
    }
  }
}

// All rows of a block with one panel: full tiles, then single rows.
template <int kRows, int kVectors, typename W>
inline void MultiplyPanel(int64_t rows, const float* block, const W* panel, int64_t depth,
                          float* result, int64_t result_stride) {
  int64_t row = 0;
  for (; row + kRows <= rows; row += kRows) {
    MultiplyTile<kRows, kVectors>(block + row * kDepth, panel, depth, result + row * result_stride,
                                  result_stride);
  }
  for (; row < rows; ++row) {
    MultiplyTile<1, kVectors>(block + row * kDepth, panel, depth, result + row * result_stride,
                              result_stride);
  }
}

// Runs a plan. make_row(row, first, count, to) writes `count` inputs of a row from `first` on;
// finish(row, column, count, values) takes a row's results, and may spoil them.
template <typename W, typename MakeRow, typename Finish>
void RunGemm(const Target& target, const GemmPlan& plan, const PackedWeights& weights,
             std::byte* workspace, const MakeRow& make_row, const Finish& finish) {
  const int64_t stride = plan.part_panels * weights.width;  // of the result
  const int64_t floats = plan.block_rows * (kDepth + stride);
  const int64_t work = plan.block_rows * weights.inner * stride / kVectorLanes;
  const auto run_task = [&](int64_t task, float* block) {
    float* result = block + plan.block_rows * kDepth;
    const int64_t first_row = task / plan.column_parts * plan.block_rows;
    const int64_t rows = std::min(plan.block_rows, plan.rows - first_row);
    const int64_t first_panel = task % plan.column_parts * plan.part_panels;
    const int64_t panels = std::min(plan.part_panels, weights.panels() - first_panel);
    std::fill_n(result, rows * stride, 0.0f);
    for (int64_t k = 0; k < weights.inner; k += kDepth) {
      const int64_t depth = std::min(kDepth, weights.inner - k);
      for (int64_t row = 0; row < rows; ++row) {
        make_row(first_row + row, k, depth, block + row * kDepth);
      }
      for (int64_t panel = 0; panel < panels; ++panel) {
        const W* from = As<W>(weights.data.data()) +
                        ((first_panel + panel) * weights.inner + k) * weights.width;
        float* to = result + panel * weights.width;
        if (weights.width == 2 * kVectorLanes) {
          MultiplyPanel<12, 2>(rows, block, from, depth, to, stride);
        } else {
          MultiplyPanel<6, 1>(rows, block, from, depth, to, stride);
        }
      }
    }
    const int64_t column = first_panel * weights.width;
    const int64_t columns = std::min(panels * weights.width, weights.columns - column);
    for (int64_t row = 0; row < rows; ++row) {
      finish(first_row + row, column, columns, result + row * stride);
    }
  };
  ParallelFor(target, plan.row_blocks * plan.column_parts, work,
              [&](int64_t begin, int64_t end, int64_t part) {
                WithIsa(target, [&] {
                  for (int64_t task = begin; task < end; ++task) {
                    run_task(task, As<float>(workspace) + part * floats);
                  }
                });
              });
}

}  // namespace fettle
