#include "fettle/search/state_text.h"

#include <cassert>
#include <charconv>

namespace fettle {
namespace {

template <typename Number>
std::optional<Number> Parse(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

}  // namespace

void StateWriter::Add(std::string_view key, std::string_view value) {
  assert(key.find_first_of(" \n") == std::string_view::npos);
  assert(value.find('\n') == std::string_view::npos);
  text_.append(key).append(" ").append(value).append("\n");
}

std::optional<std::string_view> StateReader::Read(std::string_view key) {
  const size_t end = rest_.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest_.substr(0, end);
  if (line.size() <= key.size() || line.substr(0, key.size()) != key || line[key.size()] != ' ') {
    return std::nullopt;
  }
  rest_.remove_prefix(end + 1);
  return line.substr(key.size() + 1);
}

std::optional<uint64_t> StateReader::ReadNumber(std::string_view key) {
  const std::optional<std::string_view> value = Read(key);
  return value.has_value() ? ParseNumber(*value) : std::nullopt;
}

std::vector<std::string_view> SplitFields(std::string_view text) {
  std::vector<std::string_view> fields;
  for (;;) {
    const size_t space = text.find(' ');
    fields.push_back(text.substr(0, space));
    if (space == std::string_view::npos) return fields;
    text.remove_prefix(space + 1);
  }
}

std::string FormatReal(double value) {
  char digits[32];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, result.ptr);
}

std::optional<double> ParseReal(std::string_view text) { return Parse<double>(text); }
std::optional<uint64_t> ParseNumber(std::string_view text) { return Parse<uint64_t>(text); }

}  // namespace fettle
