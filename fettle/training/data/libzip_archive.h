#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace fettle {

// A zip archive on disk, read member by member.
class ZipArchive {
 public:
  explicit ZipArchive(const std::string& path);  // throws an Error where it is none

  bool Has(const std::string& name) const;

  // The member's content, or nothing where there is none of the name. Throws an Error where it is
  // damaged, or would fill more than half of the memory that is left.
  std::optional<std::string> Read(const std::string& name) const;

 private:
  std::string path_;
  std::shared_ptr<void> archive_;
};

}  // namespace fettle
