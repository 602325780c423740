#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "fettle/device/message.h"

namespace fettle {

using Deadline = std::chrono::steady_clock::time_point;
inline constexpr Deadline kNever = Deadline::max();

enum class ReceiveStatus : uint8_t { kMessage, kClosed, kTimedOut };

struct Received {
  ReceiveStatus status = ReceiveStatus::kClosed;
  Message message;  // of kMessage
};

// Messages over a connected stream socket, whoever is at its other end.
class MessageChannel {
 public:
  explicit MessageChannel(int socket) : socket_(socket) {}  // which it closes
  ~MessageChannel();
  MessageChannel(MessageChannel&& other) noexcept;
  MessageChannel(const MessageChannel&) = delete;
  MessageChannel& operator=(const MessageChannel&) = delete;

  // False where the peer has gone or does not take it all until the deadline; never a SIGPIPE.
  bool Send(const Message& message, Deadline deadline);

  // kClosed also where the peer goes in the middle of a message. Throws Error (kDevice) where it
  // sends what is no message.
  Received Receive(Deadline deadline);

  // Until the peer has begun a message, or has closed (true), or the deadline has passed (false).
  bool AwaitBeginning(Deadline deadline);

 private:
  int socket_;
  MessageDecoder decoder_;
};

}  // namespace fettle
