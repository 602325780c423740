#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "fettle/core/error.h"

namespace fettle {

// A zip archive on disk, read member by member.
class ZipArchive {
 public:
  explicit ZipArchive(const std::string& path);  // throws an Error where it is none

  bool Has(const std::string& name) const;

  // The first bytes of a member, at most so many.
  std::string Begin(const std::string& name, size_t most) const;

  // The member's content. Both throw an Error where it is not there or damaged; this one too where
  // it is not so long, or twice of it (for what is made of it) more than half of the memory left.
  std::string Read(const std::string& name, uint64_t length) const;

 private:
  Error Damaged(const std::string& name, const std::string& why) const;

  std::string path_;
  std::shared_ptr<void> archive_;
};

}  // namespace fettle
