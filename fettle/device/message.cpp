#include "fettle/device/message.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/device/words.h"

namespace fettle {
namespace {

constexpr std::string_view kMark = "fettle/";
constexpr std::string_view kVersion = "fettle/1";
constexpr size_t kLongestKind = 32;

bool IsKind(std::string_view text) {
  return !text.empty() && text.size() <= kLongestKind &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t number = 0;
  const auto [after, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || after != text.data() + text.size()) return std::nullopt;
  return number;
}

// What a peer sent, fit to be shown in a message of one line.
std::string Shown(std::string_view text) {
  std::string shown(text.substr(0, 40));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '?';
  }
  return shown;
}

template <typename... Parts>
Error Fault(const Parts&... parts) {
  return {ErrorKind::kDevice, Text("the peer sent ", parts...)};
}

struct Header {
  Message message;
  size_t length;
};

Header ParseHeader(std::string_view line) {
  const std::vector<std::string_view> words = Split(line, ' ');
  if (words[0] != kVersion && words[0].starts_with(kMark)) {
    throw Fault("protocol '", Shown(words[0]), "', this is '", kVersion, "'");
  }
  const std::optional<uint64_t> id = words.size() == 4 ? Number(words[1]) : std::nullopt;
  const std::optional<uint64_t> length = words.size() == 4 ? Number(words[3]) : std::nullopt;
  if (words[0] != kVersion || !id || !length || !IsKind(words[2])) {
    throw Fault("no message: '", Shown(line), "'");
  }
  if (*length > kLongestBody) {
    throw Fault("a message of ", *length, " bytes, the longest allowed is ", kLongestBody);
  }
  return {{*id, std::string(words[2]), ""}, static_cast<size_t>(*length)};
}

}  // namespace

std::string Encoded(const Message& message) {
  assert(IsKind(message.kind) && message.body.size() <= kLongestBody);
  std::string text =
      Text(kVersion, " ", message.id, " ", message.kind, " ", message.body.size(), "\n");
  text += message.body;
  return text;
}

void MessageDecoder::Feed(std::string_view bytes) { bytes_ += bytes; }

std::optional<Message> MessageDecoder::Next() {
  const std::string_view start = std::string_view(bytes_).substr(0, kLongestHeader);
  const size_t end = start.find('\n');
  if (end == std::string_view::npos) {
    // Garbage is told as such at once, not when more of it has come.
    const size_t marked = std::min(start.size(), kMark.size());
    if (start.size() == kLongestHeader || start.substr(0, marked) != kMark.substr(0, marked)) {
      throw Fault("no message: '", Shown(start), "'");
    }
    return std::nullopt;
  }
  Header header = ParseHeader(start.substr(0, end));
  if (bytes_.size() - end - 1 < header.length) return std::nullopt;
  header.message.body = bytes_.substr(end + 1, header.length);
  bytes_.erase(0, end + 1 + header.length);
  return std::move(header.message);
}

}  // namespace fettle
