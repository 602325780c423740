#include "fettle/training/data/idx_file.h"

#include <algorithm>
#include <array>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/training/data/gzip_file.h"

namespace fettle {
namespace {

constexpr int64_t kMostElements = int64_t{1} << 32;

uint32_t ReadBigEndian(GzipFile* file) {
  std::array<std::byte, 4> bytes{};
  file->Read(bytes);
  uint32_t value = 0;
  for (const std::byte byte : bytes) value = (value << 8) | static_cast<uint32_t>(byte);
  return value;
}

// Memory grows with what the file really holds, so that a lying header cannot ask for much.
std::vector<std::byte> ReadElements(GzipFile* file, int64_t count) {
  constexpr int64_t kPortion = 1 << 24;
  std::vector<std::byte> bytes;
  while (count > 0) {
    const auto portion = static_cast<size_t>(std::min(count, kPortion));
    bytes.resize(bytes.size() + portion);
    file->Read(std::span(bytes).last(portion));
    count -= static_cast<int64_t>(portion);
  }
  return bytes;
}

}  // namespace

Tensor ReadIdxFile(const std::string& path, size_t axes) {
  GzipFile file(path);
  const uint32_t magic = ReadBigEndian(&file);
  const uint32_t expected = 0x0800 + static_cast<uint32_t>(axes);
  if (magic != expected) {
    throw BadInput(path, ": begins with ", magic, " where an IDX file of bytes with ", axes,
                   " axes begins with ", expected, "; is it the right file?");
  }
  Shape shape(axes);
  for (int64_t& extent : shape) extent = ReadBigEndian(&file);
  const auto count = CheckedElementCount(shape);
  if (!count || *count == 0 || *count > kMostElements) {
    throw BadInput(path, ": its header gives the extents ", ShapeText(shape),
                   ", which cannot be; fetch the file again");
  }
  const std::vector<std::byte> bytes = ReadElements(&file, *count);
  file.ExpectEnd();
  Tensor tensor(TensorType{DType::kU8, shape});
  std::copy(bytes.begin(), bytes.end(), tensor.bytes());
  return tensor;
}

}  // namespace fettle
