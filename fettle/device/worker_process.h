#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fettle/device/message_channel.h"

namespace fettle {

// How to start a worker on this machine.
struct WorkerCommand {
  std::vector<std::string> argv;  // the program (looked for in PATH) and its arguments
  // Of its address space: a kernel that would eat the machine's memory fails to allocate instead.
  std::optional<int64_t> memory_limit_bytes;
  std::chrono::nanoseconds start_timeout = std::chrono::seconds(30);  // until it has said hello
};

// A process whose standard input is a socket to us, its standard output nowhere and its standard
// error ours. It is in a process group of its own, so that a terminal's interrupt does not reach
// it, and is killed when the thread that started it ends: start it from one that lives as long.
class WorkerProcess {
 public:
  // Throws Error (kDevice) where it cannot be started.
  explicit WorkerProcess(const WorkerCommand& command);
  ~WorkerProcess();  // ends it
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  MessageChannel& channel() { return *channel_; }

  // Hangs up, waits until it ended by itself or, after `grace`, by a kill of its group. How it
  // ended, in words: "was killed by signal 11 (Segmentation fault)", "exited with code 3",
  // "had to be killed".
  std::string End(std::chrono::milliseconds grace);

 private:
  std::optional<MessageChannel> channel_;
  pid_t pid_ = -1;
  std::string ending_;
};

}  // namespace fettle
