// The text in which strategies keep their state: lines of a key and its value, read back in the
// same order. Numbers survive to the bit, whatever the locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fettle {

class StateWriter {
 public:
  // A line. The key holds no space, the value no line feed (asserted).
  void Add(std::string_view key, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

class StateReader {
 public:
  // `text` must outlive the reader and what it returns.
  explicit StateReader(std::string_view text) : rest_(text) {}

  // The value of the next line, if the line is there, complete, and has this key.
  std::optional<std::string_view> Read(std::string_view key);
  // The same, as a number.
  std::optional<uint64_t> ReadNumber(std::string_view key);
  bool IsAtEnd() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::vector<std::string_view> SplitFields(std::string_view text);  // at single spaces

std::string FormatReal(double value);  // the shortest text that reads back the same; also "inf"
std::optional<double> ParseReal(std::string_view text);
std::optional<uint64_t> ParseNumber(std::string_view text);  // decimal

}  // namespace fettle
