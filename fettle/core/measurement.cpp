#include "fettle/core/measurement.h"

#include <cassert>
#include <charconv>
#include <cmath>
#include <iterator>
#include <type_traits>
#include <utility>

namespace fettle {
namespace {

constexpr std::string_view kStatusNames[] = {
    "ok", "unstable", "not_applicable", "wrong_result", "timed_out", "crashed", "failed"};
constexpr std::string_view kModeNames[] = {"hot", "cold", "in_network"};

template <typename Enum, size_t size>
std::string_view NameIn(const std::string_view (&names)[size], Enum value) {
  const auto index = static_cast<size_t>(value);
  assert(index < size);
  return names[index];
}

template <typename Enum, size_t size>
std::optional<Enum> FindIn(const std::string_view (&names)[size], std::string_view name) {
  for (size_t i = 0; i < size; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

// The shortest digits that read back as the same number.
template <typename Number>
std::string Digits(Number value) {
  char digits[32];
  return {digits, std::to_chars(digits, std::end(digits), value).ptr};
}

template <typename Number>
bool ParseNumber(std::string_view text, Number* value) {
  const auto [after, fault] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return fault == std::errc() && after == text.data() + text.size();
}

template <typename Number>
bool ParseNotNegative(std::string_view text, Number* value) {
  if (!ParseNumber(text, value) || !(*value >= 0)) return false;
  if constexpr (std::is_floating_point_v<Number>) return std::isfinite(*value);
  return true;
}

std::string ListText(const std::vector<double>& values) {
  std::string text;
  for (const double value : values) {
    if (!text.empty()) text += ',';
    text += Digits(value);
  }
  return text;
}

bool ParseList(std::string_view text, std::vector<double>* values) {
  while (true) {
    const size_t end = text.find(',');
    double value = 0;
    if (!ParseNotNegative(text.substr(0, end), &value)) return false;
    values->push_back(value);
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

std::string Escaped(std::string_view words) {
  std::string line;
  for (const char c : words) {
    if (c == '\\') {
      line += "\\\\";
    } else if (c == '\n') {
      line += "\\n";
    } else {
      line += c;
    }
  }
  return line;
}

bool ParseEscaped(std::string_view line, std::string* words) {
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\n') return false;
    if (line[i] != '\\') {
      *words += line[i];
      continue;
    }
    if (++i == line.size() || (line[i] != '\\' && line[i] != 'n')) return false;
    *words += line[i] == 'n' ? '\n' : '\\';
  }
  return true;
}

// Takes "name=value" and the space behind it off the text's front; nothing where the text begins
// otherwise.
std::optional<std::string_view> TakeWord(std::string_view name, std::string_view* text) {
  if (!text->starts_with(name) || text->substr(name.size(), 1) != "=") return std::nullopt;
  text->remove_prefix(name.size() + 1);
  const std::string_view value = text->substr(0, text->find(' '));
  text->remove_prefix(value.size());
  if (text->size() > 1) text->remove_prefix(1);
  return value;
}

template <typename Number>
bool TakeNumber(std::string_view name, std::string_view* text, Number* value) {
  const auto word = TakeWord(name, text);
  return word && ParseNotNegative(*word, value);
}

bool TakeStates(std::string_view* text, Measurement* measurement) {
  const auto status_word = TakeWord("status", text);
  const auto status = status_word ? ParseMeasurementStatus(*status_word) : std::nullopt;
  const auto mode_word = TakeWord("mode", text);
  const auto mode = mode_word ? ParseCacheMode(*mode_word) : std::nullopt;
  if (!status || !mode) return false;
  measurement->status = *status;
  measurement->mode = *mode;
  return true;
}

bool TakeLatency(std::string_view* text, Measurement* measurement) {
  const auto word = TakeWord("latency", text);
  if (!word) return true;
  std::vector<double> numbers;
  if (!ParseList(*word, &numbers) || numbers.size() != 3) return false;
  measurement->latency_ms = Interval{numbers[0], numbers[1], numbers[2]};
  return true;
}

bool TakeSamples(std::string_view* text, Measurement* measurement) {
  const auto word = TakeWord("samples", text);
  return !word || ParseList(*word, &measurement->samples_ms);
}

}  // namespace

std::string_view NameOf(MeasurementStatus status) { return NameIn(kStatusNames, status); }

std::optional<MeasurementStatus> ParseMeasurementStatus(std::string_view name) {
  return FindIn<MeasurementStatus>(kStatusNames, name);
}

std::string_view NameOf(CacheMode mode) { return NameIn(kModeNames, mode); }

std::optional<CacheMode> ParseCacheMode(std::string_view name) {
  return FindIn<CacheMode>(kModeNames, name);
}

std::string MeasurementText(const Measurement& measurement) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text.append(text.empty() ? "" : " ").append(name).append("=").append(value);
  };
  add("status", NameOf(measurement.status));
  add("mode", NameOf(measurement.mode));
  add("cpu_ms", Digits(measurement.cpu_ms));
  add("dropped", Digits(measurement.dropped_rounds));
  add("drift", Digits(measurement.reference_drift));
  add("error", Digits(measurement.error));
  add("workspace", Digits(measurement.workspace_bytes));
  add("weights", Digits(measurement.weight_bytes));
  if (const auto& latency = measurement.latency_ms) {
    add("latency", ListText({latency->value, latency->low, latency->high}));
  }
  if (!measurement.samples_ms.empty()) add("samples", ListText(measurement.samples_ms));
  if (!measurement.detail.empty()) add("detail", Escaped(measurement.detail));
  return text;
}

std::optional<Measurement> ParseMeasurement(std::string_view text) {
  Measurement measurement;
  // The error alone may be infinite or not a number: that of a wrong result.
  const auto take_error = [&] {
    const auto word = TakeWord("error", &text);
    return word && ParseNumber(*word, &measurement.error);
  };
  if (!TakeStates(&text, &measurement) || !TakeNumber("cpu_ms", &text, &measurement.cpu_ms) ||
      !TakeNumber("dropped", &text, &measurement.dropped_rounds) ||
      !TakeNumber("drift", &text, &measurement.reference_drift) || !take_error() ||
      !TakeNumber("workspace", &text, &measurement.workspace_bytes) ||
      !TakeNumber("weights", &text, &measurement.weight_bytes) ||
      !TakeLatency(&text, &measurement) || !TakeSamples(&text, &measurement)) {
    return std::nullopt;
  }
  if (text.starts_with("detail=")) {
    if (text.size() == 7 || !ParseEscaped(text.substr(7), &measurement.detail)) return std::nullopt;
    return measurement;
  }
  if (!text.empty()) return std::nullopt;
  return measurement;
}

}  // namespace fettle
