#pragma once

#include <cstdint>
#include <string>

#include "fettle/device/worker_protocol.h"

namespace fettle {

// What became of a request to a worker.
enum class ReplyStatus : uint8_t {
  kAnswer,
  kError,     // the worker said that it cannot, and goes on
  kCrashed,   // it died or talked nonsense
  kTimedOut,  // it said nothing more, and was killed
};

struct Reply {
  ReplyStatus status = ReplyStatus::kCrashed;
  std::string body;    // of kAnswer
  WorkerError error;   // of kError
  std::string detail;  // of the others, in words
};

}  // namespace fettle
