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
  // Throws Error (kBadInput) where it cannot be made.
  explicit TemporaryFolder(std::string_view purpose) {
    std::error_code fault;
    path_ = std::filesystem::temp_directory_path(fault) / Text("fettle-", purpose, "-", getpid());
    if (!fault) std::filesystem::create_directories(path_, fault);
    if (!fault) return;
    throw BadInput(path_.string(), ": cannot be made (", fault.message(),
                   "); set TMPDIR to a folder that can be written");
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
