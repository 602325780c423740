#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "fettle/primitives/element.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/reference_operators.h"

namespace fettle {
namespace {

// For each element of an output axis the offset of its source, of an input of that stride; -1 for
// an element that has none.
using SourceOffsets = std::vector<std::vector<int64_t>>;

SourceOffsets SourcesOf(const Slice& op, const Shape& from, const Shape& to) {
  const std::vector<int64_t> strides = RowMajorStrides(from);
  SourceOffsets sources(to.size());
  for (size_t axis = 0; axis < to.size(); ++axis) {
    for (int64_t i = 0; i < to[axis]; ++i) {
      sources[axis].push_back((op.starts[axis] + i * op.steps[axis]) * strides[axis]);
    }
  }
  return sources;
}

SourceOffsets SourcesOf(const Transpose& op, const Shape& from, const Shape& to) {
  const std::vector<int64_t> strides = RowMajorStrides(from);
  SourceOffsets sources(to.size());
  for (size_t axis = 0; axis < to.size(); ++axis) {
    const int64_t stride = strides[static_cast<size_t>(op.permutation[axis])];
    for (int64_t i = 0; i < to[axis]; ++i) sources[axis].push_back(i * stride);
  }
  return sources;
}

SourceOffsets SourcesOf(const Pad& op, const Shape& from, const Shape& to) {
  const std::vector<int64_t> strides = RowMajorStrides(from);
  SourceOffsets sources(to.size());
  for (size_t axis = 0; axis < to.size(); ++axis) {
    const int64_t last = from[axis] - 1;
    for (int64_t i = 0; i < to[axis]; ++i) {
      int64_t source = i - op.begin[axis];
      if (op.mode == PadMode::kEdge) {
        source = std::clamp<int64_t>(source, 0, last);
      } else if (op.mode == PadMode::kReflect) {
        source = std::abs(source);
        if (source > last) source = 2 * last - source;
      }
      const bool is_inside = source >= 0 && source <= last;
      sources[axis].push_back(is_inside ? source * strides[axis] : -1);
    }
  }
  return sources;
}

void Gather(const SourceOffsets& sources, const Shape& shape, size_t element, const std::byte* x,
            const std::byte* fill, std::byte* y) {
  for (int64_t i = 0; i < ElementCount(shape); ++i, y += element) {
    int64_t rest = i, offset = 0;
    for (size_t axis = shape.size(); axis-- > 0; rest /= shape[axis]) {
      const int64_t part = sources[axis][static_cast<size_t>(rest % shape[axis])];
      offset = part < 0 || offset < 0 ? -1 : offset + part;
    }
    std::memcpy(y, offset < 0 ? fill : x + static_cast<size_t>(offset) * element, element);
  }
}

void Concatenate(const Concat& op, std::span<const TensorType> types,
                 std::span<const std::byte* const> operands, const Shape& shape,
                 std::byte* output) {
  const auto axis = static_cast<size_t>(op.axis);
  const size_t element = SizeOf(types[0].dtype);
  for (int64_t i = 0; i < Volume(shape, 0, axis); ++i) {
    for (size_t k = 0; k < operands.size(); ++k) {
      const Shape& from = types[k].shape;
      const size_t bytes = static_cast<size_t>(Volume(from, axis, from.size())) * element;
      if (bytes == 0) continue;
      std::memcpy(output, operands[k] + static_cast<size_t>(i) * bytes, bytes);
      output += bytes;
    }
  }
}

}  // namespace

void ReferenceMove(const Op& op, std::span<const TensorType> types,
                   std::span<const std::byte* const> operands, const TensorType& output_type,
                   std::byte* output) {
  const Shape& shape = output_type.shape;
  const size_t element = SizeOf(output_type.dtype);
  std::byte fill[8] = {};
  if (ElementCount(shape) == 0) return;
  if (const auto* concat = std::get_if<Concat>(&op)) {
    Concatenate(*concat, types, operands, shape, output);
  } else if (const auto* slice = std::get_if<Slice>(&op)) {
    Gather(SourcesOf(*slice, types[0].shape, shape), shape, element, operands[0], fill, output);
  } else if (const auto* transpose = std::get_if<Transpose>(&op)) {
    Gather(SourcesOf(*transpose, types[0].shape, shape), shape, element, operands[0], fill, output);
  } else if (const auto* pad = std::get_if<Pad>(&op)) {
    const auto* value = reinterpret_cast<const std::byte*>(&pad->value);
    ReferenceCast({DType::kF32, {}}, value, output_type.dtype, fill);
    Gather(SourcesOf(*pad, types[0].shape, shape), shape, element, operands[0], fill, output);
  } else {
    std::memcpy(output, operands[0], static_cast<size_t>(ByteSize(output_type)));
  }
}

void ReferenceCast(const TensorType& from, const std::byte* input, DType to, std::byte* output) {
  const auto count = static_cast<size_t>(ElementCount(from));
  VisitElement(from.dtype, [&](auto source) {
    VisitElement(to, [&](auto target) {
      const auto* x = reinterpret_cast<const decltype(source)*>(input);
      auto* y = reinterpret_cast<decltype(target)*>(output);
      for (size_t i = 0; i < count; ++i) y[i] = ConvertElement<decltype(target)>(x[i]);
    });
  });
}

void ReferenceReorder(const TensorType& from, Layout from_layout, const std::byte* input, DType to,
                      Layout to_layout, std::byte* output) {
  std::memset(output, 0, static_cast<size_t>(PhysicalBytes({to, from.shape}, to_layout)));
  Shape indices(from.shape.size(), 0);
  for (int64_t i = 0; i < ElementCount(from); ++i) {
    int64_t rest = i;
    for (size_t axis = indices.size(); axis-- > 0; rest /= from.shape[axis]) {
      indices[axis] = rest % from.shape[axis];
    }
    const auto source = static_cast<size_t>(PhysicalOffset(from.shape, from_layout, indices));
    const auto target = static_cast<size_t>(PhysicalOffset(from.shape, to_layout, indices));
    ReferenceCast({from.dtype, {}}, input + source * SizeOf(from.dtype), to,
                  output + target * SizeOf(to));
  }
}

}  // namespace fettle
