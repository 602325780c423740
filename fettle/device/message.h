#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fettle {

// What goes over the wire between whoever asks for measurements and the worker that makes them, in
// both directions (docs/worker_protocol.md):
//
//   fettle/1 ID KIND LENGTH <line feed> LENGTH bytes of body
//
// The 1 is the protocol's version. A reply bears the id of its request.
struct Message {
  uint64_t id = 0;
  std::string kind;  // 1 to 32 of a-z and _
  std::string body;

  friend bool operator==(const Message&, const Message&) = default;
};

inline constexpr size_t kLongestHeader = 96;
inline constexpr size_t kLongestBody = size_t{16} << 20;

// Asserts that the kind and the body are within bounds.
std::string Encoded(const Message& message);

// Takes messages out of a stream of bytes that a peer, perhaps a hostile one, sends. Holds no more
// memory than was sent.
class MessageDecoder {
 public:
  void Feed(std::string_view bytes);

  // The next whole message, or nothing until more is fed. Throws Error (kDevice) where what came is
  // no message, is of another version or too long; the stream is then of no further use.
  std::optional<Message> Next();

  // Some of a message has come, but not all of it.
  bool HasBegun() const { return !bytes_.empty(); }

 private:
  std::string bytes_;
};

}  // namespace fettle
