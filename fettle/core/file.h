#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "fettle/core/error.h"

namespace fettle {

// The whole content of a regular file. Throws an Error of kind kBadInput that names the file and
// the system's reason: no such file, a directory, no permission.
std::string ReadFile(const std::filesystem::path& path);

// What is kTemporary is removed before long: it may never reach the disk.
enum class FileLife { kLasting, kTemporary };

// Writes a file so that `path` holds either what it held before or all of the bytes, even when the
// disk fills up or, unless it is kTemporary, the machine stops: a file beside it, synced and
// renamed over it. A failure throws an Error of kind kBadInput that names the file and the reason,
// and leaves nothing beside it. The folder must exist. A file that is replaced keeps its
// permissions; a symbolic link is replaced by the file, not followed.
void WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes,
                         FileLife life = FileLife::kLasting);

// The same, of bytes that lie in several pieces.
void WriteFileAtomically(const std::filesystem::path& path,
                         std::span<const std::string_view> pieces,
                         FileLife life = FileLife::kLasting);

// Throws what WriteFileAtomically would, as far as can be told beforehand: for results that take
// hours to come by. Changes nothing.
void RequireWritable(const std::filesystem::path& path);

// Bytes as the characters that files are read and written as.
inline std::string_view AsText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace fettle
