#include "fettle/device/worker_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "fettle/core/error.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;

std::string Reason(int error) { return std::generic_category().message(error); }

Error CannotStart(const WorkerCommand& command, int error) {
  return {ErrorKind::kDevice,
          Text("cannot start the worker '", command.argv[0], "': ", Reason(error))};
}

// Both ends of a pipe or a socket pair; those not released are closed.
class Ends {
 public:
  ~Ends() {
    for (const int end : ends_) Close(end);
  }
  int* data() { return ends_.data(); }
  int operator[](size_t i) const { return ends_[i]; }
  int Release(size_t i) { return std::exchange(ends_[i], -1); }
  void CloseEnd(size_t i) { Close(Release(i)); }

 private:
  static void Close(int end) {
    if (end >= 0) ::close(end);
  }
  std::array<int, 2> ends_{-1, -1};
};

// Everything the child needs, made before the fork: behind it nothing may be allocated.
struct Child {
  std::vector<char*> argv;  // ends with null
  int socket;
  int null;
  int error_pipe;
  pid_t parent;
  rlim_t memory_limit;
};

[[noreturn]] void Fail(const Child& child) {
  const int error = errno;
  const ssize_t ignored = ::write(child.error_pipe, &error, sizeof error);
  ::_exit(ignored == sizeof error ? 126 : 127);
}

// Only what is safe in the child of a process with threads (signal-safety(7)).
[[noreturn]] void BecomeWorker(const Child& child) {
  if (::setpgid(0, 0) != 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) Fail(child);
  if (::getppid() != child.parent) ::_exit(125);  // the parent ended before it would be told
  sigset_t none;
  ::sigemptyset(&none);
  if (::sigprocmask(SIG_SETMASK, &none, nullptr) != 0) Fail(child);
  if (::dup2(child.socket, STDIN_FILENO) < 0) Fail(child);
  if (::dup2(child.null, STDOUT_FILENO) < 0) Fail(child);
  // Whatever else the parent has open, by its libraries too, is none of the worker's business.
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
  if (child.memory_limit != RLIM_INFINITY) {
    const rlimit limit{child.memory_limit, child.memory_limit};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) Fail(child);
  }
  ::execvp(child.argv[0], child.argv.data());
  Fail(child);
}

// The error with which the child could not become a worker, or 0.
int ReadError(int pipe) {
  int error = 0;
  while (true) {
    const ssize_t count = ::read(pipe, &error, sizeof error);
    if (count < 0 && errno == EINTR) continue;
    return count == sizeof error ? error : 0;
  }
}

std::string EndingOf(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return Text("was killed by signal ", signal, " (", ::strsignal(signal), ")");
  }
  return Text("exited with code ", WEXITSTATUS(status));
}

}  // namespace

WorkerProcess::WorkerProcess(const WorkerCommand& command) {
  assert(!command.argv.empty());
  Ends socket, errors, null;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, socket.data()) != 0 ||
      ::pipe2(errors.data(), O_CLOEXEC) != 0) {
    throw CannotStart(command, errno);
  }
  null.data()[0] = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (null[0] < 0) throw CannotStart(command, errno);

  Child child{{}, socket[1], null[0], errors[1], ::getpid(), RLIM_INFINITY};
  for (const std::string& word : command.argv) {
    child.argv.push_back(const_cast<char*>(word.c_str()));  // execvp only reads it
  }
  child.argv.push_back(nullptr);
  if (command.memory_limit_bytes) {
    child.memory_limit = static_cast<rlim_t>(*command.memory_limit_bytes);
  }
  pid_ = ::fork();
  if (pid_ < 0) throw CannotStart(command, errno);
  if (pid_ == 0) BecomeWorker(child);

  socket.CloseEnd(1);
  errors.CloseEnd(1);
  if (const int error = ReadError(errors[0]); error != 0) {
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    throw CannotStart(command, error);
  }
  channel_.emplace(socket.Release(0));
}

WorkerProcess::~WorkerProcess() { End(milliseconds(200)); }

std::string WorkerProcess::End(milliseconds grace) {
  if (pid_ < 0) return ending_;
  channel_.reset();
  const auto deadline = std::chrono::steady_clock::now() + grace;
  int status = 0;
  bool had_to_be_killed = false;
  while (true) {
    const pid_t ended = ::waitpid(pid_, &status, had_to_be_killed ? 0 : WNOHANG);
    if (ended == pid_) break;
    if (ended < 0 && errno != EINTR) break;  // somebody else has waited for it
    if (had_to_be_killed) continue;
    if (std::chrono::steady_clock::now() >= deadline) {
      ::kill(-pid_, SIGKILL);
      had_to_be_killed = true;
    } else {
      std::this_thread::sleep_for(milliseconds(1));
    }
  }
  ::kill(-pid_, SIGKILL);  // whatever it may have started
  pid_ = -1;
  ending_ = had_to_be_killed ? "had to be killed" : EndingOf(status);
  return ending_;
}

}  // namespace fettle
