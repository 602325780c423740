#include "fettle/training/data/gzip_file.h"

#include <zlib.h>

#include <algorithm>

#include "fettle/core/error.h"

namespace fettle {
namespace {

gzFile Handle(const std::shared_ptr<void>& file) { return static_cast<gzFile>(file.get()); }

}  // namespace

GzipFile::GzipFile(const std::string& path) : path_(path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    throw BadInput(path, ": cannot be opened; check that it exists and may be read");
  }
  file_ = std::shared_ptr<void>(file, [](void* open) { gzclose_r(static_cast<gzFile>(open)); });
  gzbuffer(file, 1 << 17);
}

size_t GzipFile::ReadSome(std::span<std::byte> bytes) {
  constexpr size_t kMost = 1 << 30;
  const auto count = static_cast<unsigned>(std::min(bytes.size(), kMost));
  const int read = gzread(Handle(file_), bytes.data(), count);
  int status = Z_OK;
  const char* const message = gzerror(Handle(file_), &status);
  if (read < 0 || status == Z_BUF_ERROR || status == Z_DATA_ERROR) {
    throw BadInput(path_, ": damaged or cut short (", message, "); fetch the file again");
  }
  return static_cast<size_t>(read);
}

void GzipFile::Read(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const size_t read = ReadSome(bytes);
    if (read == 0) {
      throw BadInput(path_, ": ends ", bytes.size(), " bytes too early; fetch the file again");
    }
    bytes = bytes.subspan(read);
  }
}

void GzipFile::ExpectEnd() {
  std::byte more{};
  if (ReadSome({&more, 1}) != 0) {
    throw BadInput(path_, ": longer than its header says; fetch the file again");
  }
}

}  // namespace fettle
