#pragma once

#include <unistd.h>

#include <cstdlib>
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
    const std::filesystem::path parent = std::filesystem::temp_directory_path(fault);
    if (fault) {
      const char* named = std::getenv("TMPDIR");
      throw BadInput(named == nullptr ? "/tmp" : named, ": no folder for temporary files (",
                     fault.message(), "); set TMPDIR to one that can be written");
    }
    path_ = parent / Text("fettle-", purpose, "-", getpid());
    std::filesystem::create_directories(path_, fault);
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
