#include "fettle/core/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace fettle {
namespace {

std::string Reason(int error) { return std::generic_category().message(error); }

// A file descriptor, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { Close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int number() const { return number_; }
  bool open() const { return number_ >= 0; }
  // False where the system now fails to write what it had held back.
  bool Close() { return !open() || ::close(std::exchange(number_, -1)) == 0; }

 private:
  int number_;
};

bool WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// A file that did not exist before, beside `path`; its name ends up in `name`. Where it fails, the
// descriptor is closed and errno says why.
Descriptor CreateBeside(const std::filesystem::path& path, std::string* name) {
  for (int attempt = 0;; ++attempt) {
    *name = Text(path.native(), ".", ::getpid(), "-", attempt, ".tmp");
    const int file = ::open(name->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file >= 0 || errno != EEXIST || attempt == 1000) return Descriptor(file);
  }
}

Error CannotWrite(const std::filesystem::path& path, int error) {
  return BadInput(path.native(), ": cannot write it: ", Reason(error));
}

// The same; throws where `path` is a folder or nothing can be created there.
Descriptor OpenBeside(const std::filesystem::path& path, std::string* name) {
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) throw CannotWrite(path, EISDIR);
  Descriptor file = CreateBeside(path, name);
  if (!file.open()) throw CannotWrite(path, errno);
  return file;
}

bool KeepPermissions(const std::filesystem::path& path, int file) {
  struct stat replaced = {};
  if (::lstat(path.c_str(), &replaced) != 0 || !S_ISREG(replaced.st_mode)) return true;
  return ::fchmod(file, replaced.st_mode & 07777) == 0;
}

bool WritePieces(Descriptor* file, std::span<const std::string_view> pieces, FileLife life) {
  for (const std::string_view piece : pieces) {
    if (!WriteAll(file->number(), piece)) return false;
  }
  return (life == FileLife::kTemporary || ::fsync(file->number()) == 0) && file->Close();
}

// So that the rename, too, outlives a power cut. Not every file system can; then it is left be.
void SyncFolder(const std::filesystem::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.open()) ::fsync(file.number());
}

}  // namespace

std::string ReadFile(const std::filesystem::path& path) {
  const auto fail = [&path](const std::string& why) {
    return BadInput(path.native(), ": cannot read it: ", why);
  };
  // Not blocking: the opening of a pipe would wait for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status = {};
  if (!file.open() || ::fstat(file.number(), &status) != 0) throw fail(Reason(errno));
  if (S_ISDIR(status.st_mode)) throw fail(Reason(EISDIR));
  if (!S_ISREG(status.st_mode)) throw fail("not a regular file");

  // To the end, whatever the size said: the system's own files under /proc say 0.
  std::string bytes(static_cast<size_t>(status.st_size) + 1, '\0');
  size_t filled = 0;
  for (ssize_t got = -1; got != 0;) {
    got = ::read(file.number(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno != EINTR) throw fail(Reason(errno));
    if (got > 0) filled += static_cast<size_t>(got);
    if (filled == bytes.size()) bytes.resize(2 * filled + 4096);
  }
  bytes.resize(filled);
  return bytes;
}

void WriteFileAtomically(const std::filesystem::path& path,
                         std::span<const std::string_view> pieces, FileLife life) {
  const auto fail = [&path](int error) { return CannotWrite(path, error); };
  std::string temporary;
  Descriptor file = OpenBeside(path, &temporary);
  if (!KeepPermissions(path, file.number()) || !WritePieces(&file, pieces, life) ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    throw fail(error);
  }
  if (life == FileLife::kTemporary) return;
  SyncFolder(path.has_parent_path() ? path.parent_path() : std::filesystem::path("."));
}

void RequireWritable(const std::filesystem::path& path) {
  std::string temporary;
  const Descriptor file = OpenBeside(path, &temporary);
  ::unlink(temporary.c_str());
}

void WriteFileAtomically(const std::filesystem::path& path, std::string_view bytes, FileLife life) {
  WriteFileAtomically(path, std::array{bytes}, life);
}

}  // namespace fettle
