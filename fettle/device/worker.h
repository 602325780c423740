#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/device/message_channel.h"
#include "fettle/device/request_handler.h"

namespace fettle {

// How patient a worker is with its peer.
struct WorkerPatience {
  std::chrono::nanoseconds message = std::chrono::seconds(10);  // from its first byte to its last
  std::chrono::nanoseconds reply = std::chrono::seconds(10);    // until the peer took one
};

// Answers the peer's requests, one after another, until it asks to quit or closes its end. Beside
// the handlers' kinds it answers "hello" with `software` ("fettle 0.1.0"), and with an error what
// it does not know. Throws Error (kDevice) where the peer sends what is no message, stops in the
// middle of one or does not take its replies.
void ServeRequests(MessageChannel& peer,
                   const std::vector<std::unique_ptr<RequestHandler>>& handlers,
                   const std::string& software, const WorkerPatience& patience = {});

}  // namespace fettle
