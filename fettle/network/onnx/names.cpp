#include "fettle/network/onnx/names.h"

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr size_t kLongestQuoted = 120;

// The length of the well-formed UTF-8 sequence at the start of the text; 0 where there is none.
// Overlong forms, surrogates and what lies beyond U+10FFFF are malformed.
size_t SequenceLength(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  const unsigned char second = byte(1);
  const bool is_overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
  const bool is_surrogate = lead == 0xED && second > 0x9F;
  const bool is_beyond = lead == 0xF4 && second > 0x8F;
  return is_overlong || is_surrogate || is_beyond ? 0 : length;
}

}  // namespace

std::string Printable(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name.size() > kLongestQuoted && i == kLongestQuoted / 2) {
      text += "...";
      i = name.size() - kLongestQuoted / 2;
    }
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte >= 0x20 && byte < 0x7F) {
      text += name[i];
    } else {
      text.append("\\x").append({kDigits[byte >> 4], kDigits[byte & 15]});
    }
  }
  return text;
}

std::string Quoted(std::string_view name) { return Text("'", Printable(name), "'"); }

bool IsSoundName(std::string_view name) {
  while (!name.empty()) {
    const auto byte = static_cast<unsigned char>(name[0]);
    const size_t length = SequenceLength(name);
    if (length == 0 || byte < 0x20 || byte == 0x7F) return false;
    name.remove_prefix(length);
  }
  return true;
}

void RequireSoundName(std::string_view name, std::string_view what) {
  if (!IsSoundName(name)) {
    throw BadInput(what, " ", Quoted(name), " is not UTF-8 without control characters");
  }
}

std::string UniqueNames::Make(std::string_view wanted) {
  std::string name(wanted);
  if (Insert(name)) return name;
  int64_t& count = counts_.try_emplace(name, 1).first->second;
  do {
    name = Text(wanted, "_", ++count);
  } while (!Insert(name));
  return name;
}

}  // namespace fettle
