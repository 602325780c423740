#include "fettle/primitives/own_tile.h"

namespace fettle {
namespace {

// Whether 16 lanes at a time are better than 8, which leave fewer of 24 or of 40 channels over.
bool IsWide(const ChannelView& view, const Target& target) {
  return target.has_avx512 && view.lanes >= 16 &&
         RoundedUp(view.lanes, 16) == RoundedUp(view.lanes, 8);
}

}  // namespace

TileLayer TileLayerOf(const LayerSpec& spec, Layout layout, const Target& target, int64_t rows,
                      int64_t columns) {
  TileLayer layer;
  layer.plane = PlaneOf(std::get<Conv>(spec.op).window, spec.inputs[0].shape, spec.output.shape);
  layer.input = ViewOf(spec.inputs[0].shape, layout);
  layer.output = ViewOf(spec.output.shape, layout);
  layer.rows = rows;
  layer.columns = columns;
  layer.tiles_y = (layer.plane.y.output + rows - 1) / rows;
  layer.tiles_x = (layer.plane.x.output + columns - 1) / columns;
  layer.lanes = IsWide(layer.input, target) ? 16 : 8;
  layer.v_channels = layer.input.groups * RoundedUp(layer.input.lanes, layer.lanes);
  layer.outputs = layer.output.groups * layer.output.lanes;
  // 12 x 2 sums fill 32 registers of 512 bits, 6 x 1 of ours 16 of 256.
  layer.chunk = target.has_avx512 ? kChunkLanes : kVectorLanes;
  layer.m_position = layer.chunk;
  layer.zeros.resize(static_cast<size_t>(layer.input.lanes), 0);
  return layer;
}

void SetBias(std::span<const Tensor* const> weights, TileLayer* layer) {
  if (weights.size() > 1) layer->bias = WidenedValues(*weights[1]);
  layer->bias.resize(static_cast<size_t>(RoundedUp(layer->outputs, kVectorLanes)), 0);
}

}  // namespace fettle
