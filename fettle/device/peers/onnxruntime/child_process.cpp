#include "fettle/device/peers/onnxruntime/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <system_error>
#include <utility>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX has it declared by users

namespace fettle {
namespace {

constexpr size_t kErrorTextLength = 1000;
constexpr std::chrono::seconds kLastWords{2};

std::string Reason(int error) { return std::generic_category().message(error); }

void CloseAt(int* file) {
  if (*file >= 0) ::close(std::exchange(*file, -1));
}

bool IsClosedThere(int error) { return error == EPIPE || error == ECONNRESET; }

bool IsTransient(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& command) : name_(command.front()) {
  int sockets[2];
  int errors[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) Fail(Reason(errno));
  socket_ = sockets[0];
  int theirs = sockets[1];
  if (::pipe2(errors, O_CLOEXEC) != 0) {
    const int error = errno;
    CloseAt(&theirs);
    Fail(Reason(error));
  }
  errors_ = errors[0];
  ::fcntl(errors_, F_SETFL, O_NONBLOCK);
  const int error = Start(command, theirs, errors[1]);
  CloseAt(&theirs);
  CloseAt(&errors[1]);
  if (error != 0) Fail(Reason(error));
}

ChildProcess::~ChildProcess() { Kill(); }

// Sets the process id, or answers why it could not.
int ChildProcess::Start(const std::vector<std::string>& command, int socket, int errors) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);

  posix_spawn_file_actions_t files;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawn_file_actions_adddup2(&files, socket, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, socket, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  pid_t pid = -1;
  const int error =
      ::posix_spawnp(&pid, arguments[0], &files, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&files);
  if (error == 0) pid_ = pid;
  return error;
}

// A program that has closed its socket may have answered before: Receive reads that, then the end.
void ChildProcess::Send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    WaitFor(POLLOUT, deadline);
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && IsClosedThere(errno)) return;
    if (sent < 0 && !IsTransient(errno)) Stopped();
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

void ChildProcess::Receive(char* bytes, size_t length, Deadline deadline) {
  while (length > 0) {
    WaitFor(POLLIN, deadline);
    const ssize_t got = ::recv(socket_, bytes, length, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && !IsTransient(errno))) Stopped();
    if (got > 0) {
      bytes += got;
      length -= static_cast<size_t>(got);
    }
  }
}

// Until the socket is ready. Reads stderr meanwhile: a full pipe would stop the program.
void ChildProcess::WaitFor(short event, Deadline deadline) {
  if (!why_stopped_.empty()) Fail(why_stopped_);
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) Fail("it did not answer in time");
    pollfd files[] = {{socket_, event, 0}, {errors_, POLLIN, 0}};
    const int most = 1'000'000;
    ::poll(files, 2, static_cast<int>(std::min<int64_t>(left.count(), most)));
    if (files[1].revents != 0) ReadErrors();
    if (files[0].revents != 0) return;
  }
}

void ChildProcess::ReadErrors() {
  char buffer[4096];
  const ssize_t got = ::read(errors_, buffer, sizeof buffer);
  if (got > 0) error_text_.append(buffer, static_cast<size_t>(got));
  if (error_text_.size() > kErrorTextLength) {
    error_text_.erase(0, error_text_.size() - kErrorTextLength);
  }
  if (got == 0 || (got < 0 && !IsTransient(errno))) CloseAt(&errors_);
}

// The program has closed its socket; perhaps it still says why.
void ChildProcess::Stopped() {
  const Deadline deadline = std::chrono::steady_clock::now() + kLastWords;
  while (errors_ >= 0 && std::chrono::steady_clock::now() < deadline) {
    pollfd file = {errors_, POLLIN, 0};
    if (::poll(&file, 1, 100) > 0) ReadErrors();
  }
  Fail("it stopped");
}

void ChildProcess::Fail(const std::string& why) {
  if (why_stopped_.empty()) {
    Kill();
    const std::string said = OneLine(error_text_);
    why_stopped_ = said.empty() ? why : Text(why, ": ", said);
  }
  throw Error(ErrorKind::kDevice, Text(name_, ": ", why_stopped_));
}

void ChildProcess::Kill() {
  CloseAt(&socket_);
  CloseAt(&errors_);
  if (pid_ < 0) return;
  ::kill(-pid_, SIGKILL);  // its group: whatever it has started, too
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

}  // namespace fettle
