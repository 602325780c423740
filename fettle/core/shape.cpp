#include "fettle/core/shape.h"

#include <cassert>
#include <charconv>

namespace fettle {

std::optional<int64_t> CheckedElementCount(const Shape& shape) {
  int64_t count = 1;
  bool is_empty = false;
  for (int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      is_empty = true;
    } else if (__builtin_mul_overflow(count, extent, &count)) {
      return std::nullopt;
    }
  }
  return is_empty ? 0 : count;
}

int64_t ElementCount(const Shape& shape) {
  const std::optional<int64_t> count = CheckedElementCount(shape);
  assert(count);
  return *count;
}

std::vector<int64_t> RowMajorStrides(const Shape& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;) strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

std::string ShapeText(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (int64_t extent : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(extent);
  }
  return text;
}

std::optional<Shape> ParseShape(std::string_view text) {
  Shape shape;
  if (text == "scalar") return shape;
  const char* place = text.data();
  const char* const end = place + text.size();
  while (true) {
    int64_t extent = 0;
    const auto [after, fault] = std::from_chars(place, end, extent);
    if (fault != std::errc() || extent < 0) return std::nullopt;
    shape.push_back(extent);
    if (after == end) break;
    if (*after != 'x') return std::nullopt;
    place = after + 1;
  }
  // One text a shape: "01" and "+1" are refused.
  if (!CheckedElementCount(shape) || ShapeText(shape) != text) return std::nullopt;
  return shape;
}

int64_t ElementCount(const TensorType& type) { return ElementCount(type.shape); }

int64_t ByteSize(const TensorType& type) {
  return ElementCount(type) * static_cast<int64_t>(SizeOf(type.dtype));
}

std::string TypeText(const TensorType& type) {
  return std::string(NameOf(type.dtype)) + "[" + ShapeText(type.shape) + "]";
}

std::optional<TensorType> ParseType(std::string_view text) {
  const size_t open = text.find('[');
  if (open == std::string_view::npos || text.back() != ']') return std::nullopt;
  const std::optional<DType> dtype = ParseDType(text.substr(0, open));
  const std::optional<Shape> shape = ParseShape(text.substr(open + 1, text.size() - open - 2));
  if (!dtype || !shape) return std::nullopt;
  return TensorType{*dtype, *shape};
}

}  // namespace fettle
