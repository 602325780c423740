#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace fettle {

// Where a tensor's bytes lie outside the model's file.
struct ExternalPlace {
  std::string location;  // relative to the model's folder
  int64_t offset = 0;
};

// Fills `bytes` from the file. A location may only name a regular file inside `folder`: absolute
// paths, `..` and symbolic links that lead out are refused, as is reading past the end.
class ExternalData {
 public:
  // An empty folder refuses all.
  ExternalData(const std::filesystem::path& folder, const ExternalPlace& place);

  // Of the bytes behind the offset.
  int64_t size() const { return size_; }
  void Read(std::span<std::byte> bytes) const;

 private:
  std::filesystem::path path_;
  int64_t offset_ = 0, size_ = 0;
};

}  // namespace fettle
