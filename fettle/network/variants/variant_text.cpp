#include "fettle/network/variants/variant_text.h"

#include <algorithm>
#include <charconv>

#include "fettle/core/error.h"

namespace fettle {
namespace {

template <typename... Parts>
Error BadText(const std::string& text, const Parts&... parts) {
  return {ErrorKind::kUsage, Text("variant '", text, "': ", parts...)};
}

template <typename T>
bool ParseNumber(std::string_view text, T* value) {
  const char* const end = text.data() + text.size();
  const auto [after, fault] = std::from_chars(text.data(), end, *value);
  return fault == std::errc() && after == end;
}

}  // namespace

VariantText::VariantText(std::string_view text) : text_(text) {
  const size_t open = text.find('(');
  if (open == std::string_view::npos || open == 0 || text.back() != ')') {
    throw BadText(text_, "not of the form name(field=value,...)");
  }
  name_ = text.substr(0, open);
  std::string_view rest = text.substr(open + 1, text.size() - open - 2);
  while (!rest.empty()) {
    const size_t end = rest.find(',');
    const std::string_view field = rest.substr(0, end);
    const size_t equals = field.find('=');
    if (equals == std::string_view::npos) throw BadText(text_, "'", field, "' is not field=value");
    fields_.emplace_back(field.substr(0, equals), field.substr(equals + 1));
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
    if (rest.empty()) throw BadText(text_, "a field is missing after the last comma");
  }
}

std::string VariantText::TakeField(std::string_view field) {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&](const auto& entry) { return entry.first == field; });
  if (found == fields_.end()) throw BadText(text_, "needs ", field, "=...");
  std::string value = found->second;
  fields_.erase(found);
  return value;
}

int64_t VariantText::TakeCount(std::string_view field) {
  const std::string value = TakeField(field);
  int64_t count = 0;
  if (!ParseNumber(value, &count) || count < 1) {
    throw BadText(text_, field, "=", value, " is not a count of 1 or more");
  }
  return count;
}

double VariantText::TakeFraction(std::string_view field) {
  const std::string value = TakeField(field);
  double fraction = 0;
  if (!ParseNumber(value, &fraction) || !(fraction > 0 && fraction <= 1)) {
    throw BadText(text_, field, "=", value, " is not a fraction above 0 and up to 1");
  }
  return fraction;
}

void VariantText::Finish() const {
  if (!fields_.empty()) throw BadText(text_, "unknown field '", fields_[0].first, "'");
}

std::string FractionText(double value) {
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

}  // namespace fettle
