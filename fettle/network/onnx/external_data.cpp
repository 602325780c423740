#include "fettle/network/onnx/external_data.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "fettle/core/error.h"
#include "fettle/network/onnx/names.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

void RequirePlainRelative(const fs::path& location, const std::string& text) {
  const bool climbs = std::find(location.begin(), location.end(), "..") != location.end();
  const bool has_nul = text.find('\0') != std::string::npos;
  if (text.empty() || has_nul || location.is_absolute() || climbs) {
    throw BadInput("external data at ", Quoted(text),
                   ": only a relative path inside the model's folder is read");
  }
}

bool IsInside(const fs::path& path, const fs::path& folder) {
  const auto [in_folder, in_path] =
      std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return in_folder == folder.end() && in_path != path.end();
}

}  // namespace

ExternalData::ExternalData(const fs::path& folder, const ExternalPlace& place)
    : offset_(place.offset) {
  const std::string where = "external data at " + Quoted(place.location);
  const fs::path location(place.location);
  RequirePlainRelative(location, place.location);
  if (folder.empty()) throw BadInput(where, ": a model in memory may have none");

  std::error_code fault;
  const fs::path home = fs::canonical(folder, fault);
  if (!fault) path_ = fs::canonical(folder / location, fault);
  if (fault)
    throw BadInput(where, ": cannot be read (", fault.message(), "); is the file missing?");
  if (!IsInside(path_, home))
    throw BadInput(where, ": leads out of the model's folder; copy the file there");
  if (!fs::is_regular_file(path_, fault)) throw BadInput(where, ": is not a regular file");
  const uintmax_t file_size = fs::file_size(path_, fault);
  if (fault) throw BadInput(where, ": cannot be read (", fault.message(), ")");
  if (offset_ < 0 || static_cast<uintmax_t>(offset_) > file_size) {
    throw BadInput(where, ": offset ", offset_, " of a file of ", file_size, " bytes");
  }
  size_ = static_cast<int64_t>(file_size) - offset_;
}

void ExternalData::Read(std::span<std::byte> bytes) const {
  std::ifstream file(path_, std::ios::binary);
  file.seekg(offset_);
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file || file.gcount() != static_cast<std::streamsize>(bytes.size())) {
    throw BadInput(path_.string(), ": cannot read ", bytes.size(), " bytes at ", offset_);
  }
}

}  // namespace fettle
