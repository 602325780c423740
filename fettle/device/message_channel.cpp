#include "fettle/device/message_channel.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

namespace fettle {
namespace {

// Milliseconds until then, rounded up, as poll wants them: -1 for ever.
int PollTime(Deadline deadline) {
  if (deadline == kNever) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
}

bool HasPassed(Deadline deadline) {
  return deadline != kNever && std::chrono::steady_clock::now() >= deadline;
}

// Whether the socket is ready for the event (or broken, which reading and writing then tell).
bool Await(int socket, short event, Deadline deadline) {
  while (true) {
    pollfd waiting{socket, event, 0};
    const int ready = ::poll(&waiting, 1, PollTime(deadline));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;
    if (HasPassed(deadline)) return false;
  }
}

bool IsTransient(int error) { return error == EINTR || error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

MessageChannel::MessageChannel(MessageChannel&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), decoder_(std::move(other.decoder_)) {}

MessageChannel::~MessageChannel() {
  if (socket_ >= 0) ::close(socket_);
}

bool MessageChannel::Send(const Message& message, Deadline deadline) {
  const std::string bytes = Encoded(message);
  std::string_view rest = bytes;
  while (!rest.empty()) {
    if (!Await(socket_, POLLOUT, deadline)) return false;
    const ssize_t sent = ::send(socket_, rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && !IsTransient(errno)) return false;
    if (sent > 0) rest.remove_prefix(static_cast<size_t>(sent));
    // Also a peer that always takes a little is to be late one day.
    if (!rest.empty() && HasPassed(deadline)) return false;
  }
  return true;
}

Received MessageChannel::Receive(Deadline deadline) {
  std::array<char, 1 << 16> block;
  bool is_late = false;
  while (true) {
    if (std::optional<Message> message = decoder_.Next()) {
      return {ReceiveStatus::kMessage, *std::move(message)};
    }
    if (is_late || !Await(socket_, POLLIN, deadline)) return {ReceiveStatus::kTimedOut, {}};
    const ssize_t count = ::recv(socket_, block.data(), block.size(), MSG_DONTWAIT);
    if (count > 0) {
      decoder_.Feed({block.data(), static_cast<size_t>(count)});
      is_late = HasPassed(deadline);
    } else if (count == 0 || !IsTransient(errno)) {
      return {ReceiveStatus::kClosed, {}};
    }
  }
}

bool MessageChannel::AwaitBeginning(Deadline deadline) {
  return decoder_.HasBegun() || Await(socket_, POLLIN, deadline);
}

}  // namespace fettle
