#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"

namespace fettle {

// A program that was started, and the socket that is both its stdin and its stdout. What it writes
// to stderr is kept to say why it stopped. It ends with this object. A program that stops, is
// silent for too long or cannot be started throws an Error of kind kDevice; from then on it is
// dead, and every further use throws the same. It is in a process group of its own, so that an
// interrupt from the terminal is for us to deal with. Not thread-safe.
class ChildProcess {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  // The command's first word is looked for on PATH; no shell is involved.
  explicit ChildProcess(const std::vector<std::string>& command);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void Send(std::string_view bytes, Deadline deadline);
  void Receive(char* bytes, size_t length, Deadline deadline);

  // Ends the program, and throws what all further uses will throw.
  [[noreturn]] void Fail(const std::string& why);

  pid_t pid() const { return pid_; }

 private:
  int Start(const std::vector<std::string>& command, int socket, int errors);
  void WaitFor(short event, Deadline deadline);
  void ReadErrors();
  [[noreturn]] void Stopped();
  void Kill();

  std::string name_;
  pid_t pid_ = -1;
  int socket_ = -1;
  int errors_ = -1;          // the reading end of its stderr
  std::string error_text_;   // the end of what came from there
  std::string why_stopped_;  // empty while it runs
};

}  // namespace fettle
