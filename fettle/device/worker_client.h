#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/device/plan_protocol.h"
#include "fettle/device/reply.h"
#include "fettle/device/worker_process.h"
#include "fettle/device/worker_protocol.h"

namespace fettle {

// Asks a worker process, starting it when it is needed and anew when it did not survive: however a
// request ends, the next one finds a sound worker. From one thread at a time.
class WorkerClient {
 public:
  explicit WorkerClient(WorkerCommand command) : command_(std::move(command)) {}

  // Sends a request and waits for its reply, no longer than the timeout. `progress` hears the
  // bodies sent ahead of it; where it throws an Error the worker has talked nonsense. Throws Error
  // (kDevice) only where no worker can be started: one that does not say hello at its start is
  // none.
  using Progress = std::function<void(const std::string& body)>;
  Reply Ask(std::string_view kind, const std::string& body, std::chrono::nanoseconds timeout,
            const Progress& progress = {});

  // Throws Error (kDevice) where there is no answer.
  Description Describe(const DescribeRequest& request);

  // Always a timing for each implementation. Where the worker does not survive, the one it was at
  // gets kCrashed or kTimedOut and the others are asked for again, of a fresh worker; where it
  // cannot be told which one it was, each is asked for alone. `timeout` is for one exchange.
  LayerAnswer MeasureLayer(const LayerRequest& request, std::chrono::nanoseconds timeout);

  // Likewise for plans: always a timing for each.
  PlansAnswer MeasurePlans(const PlansRequest& request, std::chrono::nanoseconds timeout);

  // Enough for a request whose implementations behave, on a slow device too: twice the budgets, the
  // reference's own time, and a minute.
  static std::chrono::nanoseconds TimeoutOf(const LayerRequest& request);

  // What the worker said it is; empty before the first request.
  const std::string& software() const { return software_; }
  int starts() const { return starts_; }

  // Ends the worker; the next request starts another.
  void Stop() { process_.reset(); }

 private:
  void Start();
  Reply Exchange(const Message& request, std::chrono::nanoseconds timeout,
                 const Progress& progress);
  Reply GiveUp(ReplyStatus status, const std::string& what);

  WorkerCommand command_;
  std::unique_ptr<WorkerProcess> process_;
  std::string software_;
  uint64_t last_id_ = 0;
  int starts_ = 0;
};

}  // namespace fettle
