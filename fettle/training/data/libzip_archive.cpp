#include "fettle/training/data/libzip_archive.h"

#include <zip.h>

#include <algorithm>

#include "fettle/training/data/available_memory.h"

namespace fettle {
namespace {

zip_t* Handle(const std::shared_ptr<void>& archive) { return static_cast<zip_t*>(archive.get()); }

}  // namespace

ZipArchive::ZipArchive(const std::string& path) : path_(path) {
  int code = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_RDONLY, &code);
  if (archive == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    throw BadInput(path, ": cannot be read as an .npz archive (", why, ")");
  }
  archive_ =
      std::shared_ptr<void>(archive, [](void* open) { zip_discard(static_cast<zip_t*>(open)); });
}

bool ZipArchive::Has(const std::string& name) const {
  return zip_name_locate(Handle(archive_), name.c_str(), 0) >= 0;
}

std::string ZipArchive::Begin(const std::string& name, size_t most) const {
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen(Handle(archive_), name.c_str(), 0), zip_fclose);
  if (file == nullptr) throw Damaged(name, zip_strerror(Handle(archive_)));
  // Memory grows with what the file really holds, so that a lying size cannot ask for much.
  constexpr size_t kPortion = 1 << 24;
  std::string bytes;
  while (bytes.size() < most) {
    const size_t before = bytes.size();
    bytes.resize(before + std::min(kPortion, most - before));
    const zip_int64_t read = zip_fread(file.get(), bytes.data() + before, bytes.size() - before);
    if (read < 0) throw Damaged(name, zip_file_strerror(file.get()));
    bytes.resize(before + static_cast<size_t>(read));
    if (read == 0) break;
  }
  return bytes;
}

std::string ZipArchive::Read(const std::string& name, uint64_t length) const {
  zip_stat_t stat;
  const bool has_size =
      zip_stat(Handle(archive_), name.c_str(), 0, &stat) == 0 && (stat.valid & ZIP_STAT_SIZE) != 0;
  if (!has_size || stat.size != length) throw Damaged(name, "its size is not what it says");
  RequireMemory(static_cast<int64_t>(std::min<uint64_t>(length, INT64_MAX / 2)) * 2, path_);
  std::string bytes = Begin(name, length + 1);  // one more, so that its checksum is looked at
  if (bytes.size() != length) throw Damaged(name, "its size is not what it says");
  return bytes;
}

Error ZipArchive::Damaged(const std::string& name, const std::string& why) const {
  return BadInput(path_, ": member '", name, "' is damaged (", why, "); write the file again");
}

}  // namespace fettle
