#include "fettle/network/onnx/tensor_proto.h"

#include <onnx/onnx.pb.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>
#include <string>

#include "fettle/core/error.h"
#include "fettle/network/onnx/element_types.h"
#include "fettle/network/onnx/external_data.h"
#include "fettle/network/onnx/names.h"

namespace fettle {
namespace {

static_assert(std::endian::native == std::endian::little, "raw_data is little-endian");

// No tensor of a network has more; keeps every byte count within 64 bits.
constexpr int64_t kMostElements = int64_t{1} << 40;

TensorType DeclaredType(const onnx::TensorProto& proto) {
  const std::optional<DType> dtype = DTypeOfOnnx(proto.data_type());
  if (!dtype) {
    throw BadInput("element type ", OnnxTypeText(proto.data_type()), " is not supported");
  }
  const Shape shape(proto.dims().begin(), proto.dims().end());
  const std::optional<int64_t> count = CheckedElementCount(shape);
  if (!count || *count > kMostElements) throw BadInput("dims ", ShapeText(shape), " make no sense");
  for (int64_t extent : shape) {
    if (extent > kMostElements) throw BadInput("dims ", ShapeText(shape), " make no sense");
  }
  return {*dtype, shape};
}

void RequireAmount(int64_t found, int64_t expected, const TensorType& type, const char* unit) {
  if (found != expected) {
    throw BadInput("holds ", found, " ", unit, ", ", TypeText(type), " needs ", expected);
  }
}

// The list of numbers that holds the elements where raw_data does not, each checked to fit.
template <typename T, typename List>
Tensor FromList(const TensorType& type, const List& list, int64_t least, int64_t most) {
  RequireAmount(list.size(), ElementCount(type), type, "values");
  Tensor tensor(type);
  T* place = tensor.values<T>().data();
  for (const auto value : list) {
    if constexpr (std::is_integral_v<T>) {
      if (value < least || value > most) {
        throw BadInput("value ", value, " in a tensor of ", NameOf(type.dtype));
      }
    }
    *place++ = static_cast<T>(value);
  }
  return tensor;
}

template <typename T, typename List>
Tensor FromList(const TensorType& type, const List& list) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_integral_v<T>) {
    return FromList<T>(type, list, static_cast<int64_t>(Limits::min()),
                       static_cast<int64_t>(Limits::max()));
  }
  return FromList<T>(type, list, 0, 0);
}

Tensor FromTypedFields(const onnx::TensorProto& proto, const TensorType& type) {
  switch (type.dtype) {
    case DType::kF32:
      return FromList<float>(type, proto.float_data());
    case DType::kF64:
      return FromList<double>(type, proto.double_data());
    case DType::kI64:
      return FromList<int64_t>(type, proto.int64_data());
    case DType::kI32:
      return FromList<int32_t>(type, proto.int32_data());
    case DType::kI16:
      return FromList<int16_t>(type, proto.int32_data());
    case DType::kI8:
      return FromList<int8_t>(type, proto.int32_data());
    case DType::kU8:
      return FromList<uint8_t>(type, proto.int32_data());
    case DType::kBool:
      return FromList<uint8_t>(type, proto.int32_data(), 0, 1);
    case DType::kF16:
    case DType::kBF16:
      return FromList<uint16_t>(type, proto.int32_data());
  }
  return Tensor(type);
}

Tensor FromRawData(const std::string& raw, const TensorType& type) {
  RequireAmount(static_cast<int64_t>(raw.size()), ByteSize(type), type, "bytes");
  Tensor tensor(type);
  if (!raw.empty()) std::memcpy(tensor.bytes(), raw.data(), raw.size());
  return tensor;
}

int64_t ParseCount(const std::string& text, const std::string& key) {
  int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [after, fault] = std::from_chars(text.data(), end, value);
  if (fault != std::errc() || after != end || value < 0) {
    throw BadInput("external data with ", key, " ", Quoted(text));
  }
  return value;
}

Tensor FromExternalData(const onnx::TensorProto& proto, const TensorType& type,
                        const std::filesystem::path& folder) {
  ExternalPlace place;
  std::optional<int64_t> length;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") place.location = entry.value();
    if (entry.key() == "offset") place.offset = ParseCount(entry.value(), entry.key());
    if (entry.key() == "length") length = ParseCount(entry.value(), entry.key());
  }
  const ExternalData data(folder, place);
  if (length) RequireAmount(*length, ByteSize(type), type, "bytes of external data");
  if (data.size() < ByteSize(type)) {
    throw BadInput("external data at ", Quoted(place.location), ": ", TypeText(type), " needs ",
                   ByteSize(type), " bytes, the file has ", data.size(), " at offset ",
                   place.offset);
  }
  Tensor tensor(type);
  data.Read({tensor.bytes(), tensor.num_bytes()});
  return tensor;
}

Tensor WidenedTensor(const Tensor& halves) {
  Tensor wide({DType::kF32, halves.shape()});
  const std::span<const uint16_t> from = halves.values<uint16_t>();
  const std::span<float> to = wide.values<float>();
  const bool is_f16 = halves.dtype() == DType::kF16;
  for (size_t i = 0; i < from.size(); ++i) to[i] = is_f16 ? FromF16(from[i]) : FromBF16(from[i]);
  return wide;
}

Tensor AsStored(const onnx::TensorProto& proto, const std::filesystem::path& folder) {
  const TensorType type = DeclaredType(proto);
  if (proto.has_segment()) throw BadInput("tensors in segments are not supported");
  if (proto.data_location() == onnx::TensorProto::EXTERNAL) {
    return FromExternalData(proto, type, folder);
  }
  return proto.has_raw_data() ? FromRawData(proto.raw_data(), type) : FromTypedFields(proto, type);
}

}  // namespace

Tensor DecodeTensor(const onnx::TensorProto& proto, const TensorSource& source) {
  Tensor tensor = AsStored(proto, source.folder);
  if (tensor.dtype() == DType::kBool) {
    for (uint8_t& value : tensor.values<uint8_t>()) value = value != 0;
  }
  const bool is_widened = source.widen_halves && Widened(tensor.dtype()) != tensor.dtype();
  return is_widened ? WidenedTensor(tensor) : tensor;
}

void EncodeTensor(const Tensor& tensor, const std::string& name, onnx::TensorProto* proto) {
  proto->set_name(name);
  proto->set_data_type(OnnxOfDType(tensor.dtype()));
  for (int64_t extent : tensor.shape()) proto->add_dims(extent);
  proto->set_raw_data(reinterpret_cast<const char*>(tensor.bytes()), tensor.num_bytes());
}

}  // namespace fettle
