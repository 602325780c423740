#include "fettle/core/npy.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/file.h"

namespace fettle {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they lie");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kHeaderAlignment = 64;  // where NumPy lets the values begin
constexpr size_t kMaxRank = 64;          // NumPy's own limit

struct Row {
  std::string_view descr;
  DType dtype;
};

// The first of a type is the one written.
constexpr Row kRows[] = {
    {"<f4", DType::kF32},  {"<f8", DType::kF64}, {"<f2", DType::kF16}, {"|i1", DType::kI8},
    {"|u1", DType::kU8},   {"<i2", DType::kI16}, {"<i4", DType::kI32}, {"<i8", DType::kI64},
    {"|b1", DType::kBool}, {"<i1", DType::kI8},  {"<u1", DType::kU8},  {"<b1", DType::kBool},
};

struct Header {
  DType dtype = DType::kF32;
  bool fortran_order = false;
  Shape shape;
};

// Reads the header's dictionary, a Python literal: {'descr': '<f4', 'fortran_order': False,
// 'shape': (2, 3), }. It knows the three keys and the literals they take, and nothing else.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, std::string_view name) : rest_(text), name_(name) {}

  Header Parse() {
    Header header;
    std::vector<std::string_view> seen;
    Expect('{');
    while (!Consume('}')) {
      const std::string_view key = String();
      if (std::find(seen.begin(), seen.end(), key) != seen.end()) throw Fail("a key comes twice");
      seen.push_back(key);
      Expect(':');
      if (key == "descr") {
        header.dtype = Type();
      } else if (key == "fortran_order") {
        header.fortran_order = Bool();
      } else if (key == "shape") {
        header.shape = Tuple();
      } else {
        throw Fail("it has a key that is not descr, fortran_order or shape");
      }
      if (!Consume(',') && Next() != '}') throw Fail("expected ',' or '}'");
    }
    if (seen.size() != 3) throw Fail("it needs descr, fortran_order and shape");
    Next();
    if (!rest_.empty()) throw Fail("there is text after the dictionary");
    return header;
  }

 private:
  Error Fail(std::string_view what) const { return BadInput(name_, ": .npy header: ", what); }

  // Skips spaces and answers the character behind them; NUL at the end.
  char Next() {
    const size_t start = rest_.find_first_not_of(" \n\t\r");
    rest_.remove_prefix(std::min(start, rest_.size()));
    return rest_.empty() ? '\0' : rest_.front();
  }

  bool Consume(char c) {
    if (rest_.empty() || Next() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void Expect(char c) {
    if (!Consume(c)) throw Fail(Text("expected '", c, "'"));
  }

  std::string_view String() {
    const char quote = Next();
    if (quote != '\'' && quote != '"') throw Fail("expected a string");
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) throw Fail("a string does not end");
    const std::string_view content = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return content;
  }

  DType Type() {
    if (Next() == '[') throw Fail("structured arrays are not supported; save one field");
    const std::string_view descr = String();
    for (const Row& row : kRows) {
      if (row.descr == descr) return row.dtype;
    }
    throw Fail(
        "element type is not supported; save it as little-endian float16/32/64, int8/16/32/64, "
        "uint8 or bool");
  }

  bool Bool() {
    Next();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (!rest_.starts_with(word)) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    throw Fail("fortran_order is neither True nor False");
  }

  Shape Tuple() {
    Shape shape;
    Expect('(');
    while (!Consume(')')) {
      if (shape.size() == kMaxRank) throw Fail("the shape has too many axes");
      shape.push_back(Extent());
      // A tuple of one is written (3,): without the comma it would be a number.
      if (!Consume(',') && (Next() != ')' || shape.size() == 1)) throw Fail("expected ','");
    }
    return shape;
  }

  int64_t Extent() {
    Next();
    int64_t extent = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
    if (error != std::errc() || extent < 0) throw Fail("an extent is not a number from 0 up");
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return extent;
  }

  std::string_view rest_;
  std::string_view name_;
};

// Takes the header off the front of `bytes` and leaves the values.
Header TakeHeader(std::string_view* bytes, std::string_view name) {
  const auto truncated = [name] { return BadInput(name, ": truncated in its .npy header"); };
  if (bytes->empty() || !bytes->starts_with(kMagic.substr(0, bytes->size()))) {
    throw BadInput(name, ": not a .npy file");
  }
  if (bytes->size() < kMagic.size() + 2) throw truncated();
  const int major = static_cast<unsigned char>((*bytes)[kMagic.size()]);
  const int minor = static_cast<unsigned char>((*bytes)[kMagic.size() + 1]);
  if (major < 1 || major > 3 || minor != 0) {
    throw BadInput(name, ": .npy version ", major, ".", minor, " is not one of 1.0, 2.0, 3.0");
  }
  bytes->remove_prefix(kMagic.size() + 2);

  const size_t length_bytes = major == 1 ? 2 : 4;
  if (bytes->size() < length_bytes) throw truncated();
  uint32_t length = 0;
  std::memcpy(&length, bytes->data(), length_bytes);
  bytes->remove_prefix(length_bytes);
  if (bytes->size() < length) throw truncated();
  Header header = HeaderParser(bytes->substr(0, length), name).Parse();
  bytes->remove_prefix(length);
  return header;
}

// Copies values that lie with the first axis innermost into row-major order.
void TransposeFortran(const Shape& shape, size_t element_bytes, const char* from, std::byte* to) {
  size_t count = 1;
  for (const int64_t extent : shape) count *= static_cast<size_t>(extent);
  for (size_t i = 0; i < count; ++i) {
    size_t offset = 0, rest = i, stride = count;
    for (size_t axis = shape.size(); axis-- > 0;) {
      const auto extent = static_cast<size_t>(shape[axis]);
      stride /= extent;
      offset += rest % extent * stride;
      rest /= extent;
    }
    std::memcpy(to + i * element_bytes, from + offset * element_bytes, element_bytes);
  }
}

Tensor WidenedBF16(const Tensor& tensor) {
  Tensor wide(TensorType{DType::kF32, tensor.shape()});
  std::transform(tensor.values<uint16_t>().begin(), tensor.values<uint16_t>().end(),
                 wide.values<float>().begin(), FromBF16);
  return wide;
}

std::string HeaderBytes(const TensorType& type) {
  const Row* row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& r) { return r.dtype == type.dtype; });
  assert(row != std::end(kRows));
  std::string shape;
  for (const int64_t extent : type.shape) shape += Text(shape.empty() ? "" : " ", extent, ",");
  if (type.shape.size() > 1) shape.pop_back();
  std::string text =
      Text("{'descr': '", row->descr, "', 'fortran_order': False, 'shape': (", shape, "), }");
  const size_t before = kMagic.size() + 4;
  text.append(kHeaderAlignment - 1 - (before + text.size()) % kHeaderAlignment, ' ');
  text.push_back('\n');
  assert(text.size() <= UINT16_MAX);
  std::string bytes(kMagic);
  bytes +=
      {'\x01', '\x00', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return bytes + text;
}

}  // namespace

NpyHeader ParseNpyHeader(std::string_view bytes, std::string_view name) {
  std::string_view rest = bytes;
  const Header header = TakeHeader(&rest, name);
  NpyHeader result{{header.dtype, header.shape}, header.fortran_order, bytes.size() - rest.size()};
  const std::optional<int64_t> count = CheckedElementCount(header.shape);
  if (!count || *count > INT64_MAX / 64) {
    throw BadInput(name, ": the ", TypeText(result.type), " of its .npy header is too large");
  }
  result.length = result.begin + static_cast<uint64_t>(*count) * SizeOf(header.dtype);
  return result;
}

Tensor ParseNpy(std::string_view bytes, std::string_view name) {
  const NpyHeader header = ParseNpyHeader(bytes, name);
  const std::string_view values = bytes.substr(header.begin);
  if (header.length != bytes.size()) {
    throw BadInput(name, ": ", values.size(), " bytes of values do not make the ",
                   TypeText(header.type), " of its .npy header");
  }
  Tensor tensor(header.type);
  if (header.is_fortran) {
    TransposeFortran(header.type.shape, SizeOf(header.type.dtype), values.data(), tensor.bytes());
  } else if (!values.empty()) {
    std::memcpy(tensor.bytes(), values.data(), values.size());
  }
  if (header.type.dtype == DType::kBool) {
    for (uint8_t& value : tensor.values<uint8_t>()) value = value != 0;
  }
  return tensor;
}

Tensor ReadNpy(const std::filesystem::path& path) {
  return ParseNpy(ReadFile(path), path.native());
}

std::string NpyBytes(const Tensor& tensor) {
  if (tensor.dtype() == DType::kBF16) return NpyBytes(WidenedBF16(tensor));
  return HeaderBytes(tensor.type()).append(AsText({tensor.bytes(), tensor.num_bytes()}));
}

void WriteNpy(const std::filesystem::path& path, const Tensor& tensor) {
  if (tensor.dtype() == DType::kBF16) return WriteNpy(path, WidenedBF16(tensor));
  const std::string header = HeaderBytes(tensor.type());
  const std::string_view pieces[] = {header, AsText({tensor.bytes(), tensor.num_bytes()})};
  WriteFileAtomically(path, pieces);
}

}  // namespace fettle
