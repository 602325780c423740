#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "fettle/core/huge_pages.h"
#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_layer_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_tile.h"
#include "fettle/primitives/own_tile_plan.h"
#include "fettle/primitives/own_tile_products.h"

namespace fettle {

// A convolution by transformed tiles, whose idea is told at the head of own_winograd_conv.cpp. Its
// Method has
//
//   Products              what V and the filters are made of, and how they are summed (own_dot.h)
//   kPositions            numbers of a transformed tile
//   kCanStage             whether blocks may be staged (own_tile_plan.h)
//   Outputs(axis)         of a whole tile along an axis of the window
//   TransformFilter(plane, taps)                 std::array<float, kPositions>
//   TransformInputs<kLanes>(layer, x, tile, v)   all channels of a tile
//   TransformOutputs<kLanes>(layer, tile, m, channel, count, epilogue)
//                         `count` outputs from `channel` on, of which m holds the products
template <typename Method>
class TileConv {
 public:
  using Products = typename Method::Products;
  using Element = typename Products::Element;

  TileConv(const LayerSpec& spec, Layout layout, const Target& target,
           std::span<const Tensor* const> weights)
      : target_(target) {
    const WindowPlane plane =
        PlaneOf(std::get<Conv>(spec.op).window, spec.inputs[0].shape, spec.output.shape);
    layer_ = TileLayerOf(spec, layout, target, Method::Outputs(plane.y), Method::Outputs(plane.x));
    layer_.v_stride = kPositions * layer_.v_channels + 64 / static_cast<int64_t>(sizeof(Element));
    TransformFilters(*weights[0]);
    SetBias(weights, &layer_);
    MakePlan();
  }

  size_t WorkspaceBytes() const { return static_cast<size_t>(target_.threads * scratch_bytes_); }
  size_t WeightBytes() const { return filters_.size() + layer_.bias.size() * sizeof(float); }

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
  static constexpr int kPositions = Method::kPositions;

  // Elements of a chunk's filters before those of the next.
  int64_t chunk_filters() const { return layer_.chunk * kPositions * layer_.v_channels; }
  const Element* FiltersOf(int64_t chunk) const {
    return As<Element>(filters_.data()) + chunk * chunk_filters();
  }

  void TransformFilters(const Tensor& weights) {
    const int64_t padded = RoundedUp(layer_.outputs, kVectorLanes);
    ResizeOnHugePages(
        &filters_, static_cast<size_t>(kPositions * layer_.v_channels * padded) * sizeof(Element));
    const std::vector<float> values = WidenedValues(weights);
    const int64_t taps = layer_.plane.y.kernel * layer_.plane.x.kernel;
    const float* from = values.data();
    for (int64_t output = 0; output < layer_.output.channels; ++output) {
      const int64_t chunk = output / layer_.chunk, lane = output % layer_.chunk;
      const int64_t width = layer_.ChunkVectors(chunk) * kVectorLanes;
      Element* to = As<Element>(filters_.data()) + chunk * chunk_filters() + lane * Products::kStep;
      for (int64_t k = 0; k < layer_.input.channels; ++k, from += taps) {
        const auto factors = Method::TransformFilter(layer_.plane, from);
        const int64_t inner = k / Products::kStep * Products::kStep * width + k % Products::kStep;
        for (int64_t position = 0; position < kPositions; ++position) {
          to[position * layer_.v_channels * width + inner] =
              Narrow<Element>(factors[static_cast<size_t>(position)]);
        }
      }
    }
  }

  void MakePlan() {
    TileWork work;
    work.tiles = std::max<int64_t>(layer_.tiles(), 1);
    work.chunks = layer_.chunks();
    work.positions = kPositions;
    work.filter_bytes = static_cast<int64_t>(filters_.size());
    work.v_bytes = layer_.v_stride * static_cast<int64_t>(sizeof(Element));
    work.m_bytes = kPositions * layer_.chunk * static_cast<int64_t>(sizeof(float));
    work.can_stage = Method::kCanStage;
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
      Method::template TransformInputs<kLanes>(layer_, x, tile, v);
    }
  }

  template <int kLanes, typename T>
  inline void Finish(int64_t begin, int64_t end, int64_t chunk, const float* m,
                     const VectorEpilogue<T>& epilogue) const {
    const int64_t channel = chunk * layer_.chunk;
    const int64_t count = std::min(layer_.chunk, layer_.outputs - channel);
    for (int64_t tile = begin; tile < end; ++tile, m += layer_.m_stride) {
      Method::template TransformOutputs<kLanes>(layer_, tile, m, channel, count, epilogue);
    }
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
      const TileProducts products{tiles,           depth,       vectors, layer_.v_stride,
                                  layer_.m_stride, end - begin, 0,       layer_.chunk,
                                  chunk_filters()};
      MultiplyTiles(target_, products, v + position * depth,
                    FiltersOf(begin) + position * depth * vectors * kVectorLanes,
                    m + position * layer_.m_position + begin * layer_.chunk);
    }
  }

  Target target_;
  TileLayer layer_;
  std::vector<std::byte> filters_;  // [chunk][position][inner][lanes][step]
  TilePlan plan_;
  int64_t v_bytes_ = 0, scratch_bytes_ = 0;  // of a thread
};

template <typename Method, typename T>
std::unique_ptr<Kernel> MakeTileKernel(const LayerSpec& spec, Layout layout, const Target& target,
                                       std::span<const Tensor* const> weights) {
  return MakeLayerKernel<T>(std::make_shared<const TileConv<Method>>(spec, layout, target, weights),
                            spec);
}

}  // namespace fettle
