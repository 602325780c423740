#pragma once

#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <system_error>

#include "fettle/core/error.h"

namespace fettle {

// A folder of this process's that goes when this object goes.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string_view purpose)
      : path_(std::filesystem::temp_directory_path() / Text("fettle-", purpose, "-", getpid())) {
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace fettle
