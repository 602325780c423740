#include "fettle/training/data/libzip_archive.h"

#include <zip.h>

#include <algorithm>

#include "fettle/core/error.h"
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

std::optional<std::string> ZipArchive::Read(const std::string& name) const {
  zip_stat_t stat;
  if (zip_stat(Handle(archive_), name.c_str(), 0, &stat) != 0) return std::nullopt;
  const auto damaged = [&](const std::string& why) {
    throw BadInput(path_, ": member '", name, "' is damaged (", why, "); write the file again");
  };
  if ((stat.valid & ZIP_STAT_SIZE) == 0) damaged("its size is not known");
  RequireMemory(static_cast<int64_t>(std::min<zip_uint64_t>(stat.size, INT64_MAX)), path_);
  const std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(
      zip_fopen(Handle(archive_), name.c_str(), 0), zip_fclose);
  if (file == nullptr) damaged(zip_strerror(Handle(archive_)));
  // Memory grows with what the file really holds, so that a lying size cannot ask for much.
  constexpr size_t kPortion = 1 << 24;
  std::string bytes;
  while (true) {
    const size_t before = bytes.size();
    bytes.resize(before + std::min<size_t>(kPortion, stat.size - before + 1));
    const zip_int64_t read = zip_fread(file.get(), bytes.data() + before, bytes.size() - before);
    if (read < 0) damaged(zip_file_strerror(file.get()));
    bytes.resize(before + static_cast<size_t>(read));
    if (read == 0) break;
    if (bytes.size() > stat.size) damaged("it is longer than its size");
  }
  if (bytes.size() != stat.size) damaged("it is shorter than its size");
  return bytes;
}

}  // namespace fettle
