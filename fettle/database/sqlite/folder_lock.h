#pragma once

#include <filesystem>

namespace fettle {

// Held by one process at a time for each folder, without a file of its own; for the moments in
// which a database is made, brought up to date or salvaged. On a file system without such locks it
// holds nobody back.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace fettle
