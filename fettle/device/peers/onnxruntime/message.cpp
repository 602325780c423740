#include "fettle/device/peers/onnxruntime/message.h"

#include <bit>
#include <cstring>

#include "fettle/core/file.h"

namespace fettle {

static_assert(std::endian::native == std::endian::little, "numbers are sent as they lie");

MessageWriter& MessageWriter::U32(uint32_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  return *this;
}

MessageWriter& MessageWriter::I64(int64_t value) {
  bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  return *this;
}

MessageWriter& MessageWriter::Text(std::string_view text) {
  U32(static_cast<uint32_t>(text.size()));
  bytes_.append(text);
  return *this;
}

MessageWriter& MessageWriter::Values(std::string_view name, const Tensor& tensor) {
  Text(name).Text(NameOf(tensor.dtype())).U32(static_cast<uint32_t>(tensor.shape().size()));
  for (const int64_t extent : tensor.shape()) I64(extent);
  I64(static_cast<int64_t>(tensor.num_bytes()));
  bytes_.append(AsText({tensor.bytes(), tensor.num_bytes()}));
  return *this;
}

std::optional<std::string_view> MessageReader::Take(size_t length) {
  if (length > rest_.size()) return std::nullopt;
  const std::string_view taken = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return taken;
}

template <typename T>
std::optional<T> MessageReader::Number() {
  const std::optional<std::string_view> bytes = Take(sizeof(T));
  if (!bytes) return std::nullopt;
  T value;
  std::memcpy(&value, bytes->data(), sizeof value);
  return value;
}

std::optional<uint32_t> MessageReader::U32() { return Number<uint32_t>(); }
std::optional<int64_t> MessageReader::I64() { return Number<int64_t>(); }
std::optional<double> MessageReader::F64() { return Number<double>(); }

std::optional<std::string> MessageReader::Text() {
  const std::optional<uint32_t> length = U32();
  const std::optional<std::string_view> bytes = length ? Take(*length) : std::nullopt;
  if (!bytes) return std::nullopt;
  return std::string(*bytes);
}

std::optional<std::vector<std::string>> MessageReader::Texts() {
  const std::optional<uint32_t> count = U32();
  if (!count) return std::nullopt;
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < *count; ++i) {
    std::optional<std::string> text = Text();
    if (!text) return std::nullopt;
    texts.push_back(*std::move(text));
  }
  return texts;
}

std::optional<Shape> MessageReader::Extents() {
  const std::optional<uint32_t> rank = U32();
  if (!rank) return std::nullopt;
  Shape shape;
  for (uint32_t axis = 0; axis < *rank; ++axis) {
    const std::optional<int64_t> extent = I64();
    if (!extent) return std::nullopt;
    shape.push_back(*extent);
  }
  return CheckedElementCount(shape) ? std::optional(shape) : std::nullopt;
}

std::optional<Tensor> MessageReader::Values() {
  if (!Text()) return std::nullopt;
  const std::optional<std::string> dtype_name = Text();
  if (!dtype_name) return std::nullopt;
  const std::optional<DType> dtype = ParseDType(*dtype_name);
  const std::optional<Shape> shape = Extents();
  const std::optional<int64_t> length = I64();
  if (!dtype || !shape || !length) return std::nullopt;
  const std::optional<std::string_view> bytes = Take(static_cast<size_t>(*length));
  if (!bytes || bytes->size() % SizeOf(*dtype) != 0 ||
      static_cast<size_t>(ElementCount(*shape)) != bytes->size() / SizeOf(*dtype)) {
    return std::nullopt;
  }
  Tensor tensor(TensorType{*dtype, *shape});
  if (!bytes->empty()) std::memcpy(tensor.bytes(), bytes->data(), bytes->size());
  return tensor;
}

std::optional<std::vector<double>> MessageReader::Doubles() {
  const std::optional<uint32_t> count = U32();
  if (!count) return std::nullopt;
  std::vector<double> values;
  for (uint32_t i = 0; i < *count; ++i) {
    const std::optional<double> value = F64();
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace fettle
