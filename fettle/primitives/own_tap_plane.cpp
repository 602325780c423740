#include "fettle/primitives/own_tap_plane.h"

#include <algorithm>

namespace fettle {
namespace {

// Where a tap looks along one axis: at element `phase` + stride * (output + shift).
struct TapPlace {
  int64_t phase, shift;
};

TapPlace PlaceOf(const WindowAxis& axis, int64_t tap) {
  const int64_t offset = axis.Offset(tap);
  const int64_t phase = (offset % axis.stride + axis.stride) % axis.stride;
  return {phase, (offset - phase) / axis.stride};
}

// How many elements of an axis belong to a phase.
int64_t Extent(const WindowAxis& axis, int64_t phase) {
  return phase >= axis.input ? 0 : (axis.input - phase + axis.stride - 1) / axis.stride;
}

// Pixels that are read where they are written have no rows.
WindowPlane WithoutRows(const ConvShape& shape) {
  WindowPlane plane = shape.plane;
  if (!shape.is_pointwise()) return plane;
  plane.x.input = plane.x.output = shape.output_pixels();
  plane.y.input = plane.y.output = 1;
  return plane;
}

}  // namespace

TapPlane::Axis TapPlane::AxisOf(const WindowAxis& axis) {
  int64_t zeros = 0, data = 0;
  for (int64_t tap = 0; tap < axis.kernel; ++tap) {
    const TapPlace place = PlaceOf(axis, tap);
    const int64_t extent = Extent(axis, place.phase);
    zeros = std::max({zeros, -place.shift, axis.output + place.shift - extent});
    data = std::max(data, extent);
  }
  return {zeros, std::max(axis.output, zeros + data)};
}

TapPlane::TapPlane(const ConvShape& shape, int64_t lanes)
    : plane_(WithoutRows(shape)),
      batch_(shape.batch),
      input_image_(shape.in_channels * shape.input_pixels()),
      output_image_(shape.out_channels * shape.output_pixels()),
      y_(AxisOf(plane_.y)),
      x_(AxisOf(plane_.x)) {
  const int64_t rounded = (x_.pitch + lanes - 1) / lanes * lanes;
  const bool is_cheap = 5 * rounded <= 6 * x_.pitch;
  if (plane_.y.kernel > 1 && is_cheap) x_.pitch = rounded;
  for (int64_t ky = 0; ky < plane_.y.kernel; ++ky) {
    for (int64_t kx = 0; kx < plane_.x.kernel; ++kx) {
      const TapPlace y = PlaceOf(plane_.y, ky), x = PlaceOf(plane_.x, kx);
      const auto found = std::ranges::find_if(
          phases_, [&](const Phase& phase) { return phase.y == y.phase && phase.x == x.phase; });
      const int64_t phase = found - phases_.begin();
      if (found == phases_.end()) phases_.push_back({y.phase, x.phase});
      const int64_t offset = (y.shift + y_.zeros) * x_.pitch + x.shift + x_.zeros;
      taps_.push_back({phase, offset});
      reach_ = std::max(reach_, offset);
    }
  }
  const int64_t last_image = (batch_ - 1) * y_.pitch;
  positions_ = (last_image + plane_.y.output - 1) * x_.pitch + plane_.x.output;
}

// A piece of one row of the line, cut where zeros begin and end.
void TapPlane::AddRow(int64_t row, int64_t column, const Phase& phase, CopyRun run,
                      std::vector<CopyRun>* runs) const {
  const int64_t image = row / y_.pitch, line = row % y_.pitch - y_.zeros;
  const bool is_inside = image < batch_ && line >= 0 && line < Extent(plane_.y, phase.y);
  const int64_t begin = x_.zeros, end = is_inside ? begin + Extent(plane_.x, phase.x) : begin;
  const int64_t input_line = line * plane_.y.stride + phase.y;
  const auto add = [&](int64_t until, bool is_zero) {
    const int64_t count = std::min<int64_t>(until - column, run.count);
    if (count <= 0) return;
    const int64_t from = image * input_image_ + input_line * plane_.x.input +
                         (column - x_.zeros) * plane_.x.stride + phase.x;
    const bool continues = is_zero && !runs->empty() && runs->back().from < 0;
    if (continues) {
      runs->back().count += static_cast<int32_t>(count);
    } else {
      runs->push_back({is_zero ? -1 : from, run.to, static_cast<int32_t>(count)});
    }
    column += count;
    run.to += static_cast<int32_t>(count);
    run.count -= static_cast<int32_t>(count);
  };
  add(begin, true);
  add(end, false);
  add(x_.pitch, true);
}

std::vector<CopyRun> TapPlane::CopyRuns(int64_t phase, int64_t first, int64_t count) const {
  std::vector<CopyRun> runs;
  const int64_t end = first + count + reach_;
  for (int64_t at = first; at < end;) {
    const int64_t column = at % x_.pitch, length = std::min(x_.pitch - column, end - at);
    AddRow(at / x_.pitch, column, phases_[static_cast<size_t>(phase)],
           {0, static_cast<int32_t>(at - first), static_cast<int32_t>(length)}, &runs);
    at += length;
  }
  return runs;
}

std::vector<OutputRun> TapPlane::OutputRuns(int64_t first, int64_t count) const {
  std::vector<OutputRun> runs;
  const int64_t end = std::min(first + count, positions_);
  for (int64_t at = first; at < end;) {
    const int64_t row = at / x_.pitch, column = at % x_.pitch;
    const int64_t image = row / y_.pitch, line = row % y_.pitch;
    const int64_t length = std::min(x_.pitch - column, end - at);
    const int64_t outputs = std::min(plane_.x.output - column, length);
    if (line < plane_.y.output && outputs > 0) {
      runs.push_back({image * output_image_ + line * plane_.x.output + column,
                      static_cast<int32_t>(at - first), static_cast<int32_t>(outputs)});
    }
    at += length;
  }
  return runs;
}

}  // namespace fettle
