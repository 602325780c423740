#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace fettle {

// Reads a file from its start, whether it is gzip's or plain.
class GzipFile {
 public:
  explicit GzipFile(const std::string& path);  // throws an Error where it cannot be opened

  // Fills the whole span; throws an Error where the file is damaged or ends before.
  void Read(std::span<std::byte> bytes);

  // Throws an Error unless everything has been read.
  void ExpectEnd();

  const std::string& path() const { return path_; }

 private:
  // What is left of a request; 0 at the file's end.
  size_t ReadSome(std::span<std::byte> bytes);

  std::string path_;
  std::shared_ptr<void> file_;
};

}  // namespace fettle
