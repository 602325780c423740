#include "fettle/database/sqlite/json_columns.h"

#include <nlohmann/json.hpp>

namespace fettle {
namespace {

using Json = nlohmann::json;

// Bytes that are no UTF-8 become the replacement character rather than an exception.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool Holds(const Json& json, const double*) { return json.is_number(); }
bool Holds(const Json& json, const int64_t*) { return json.is_number_integer(); }
bool Holds(const Json& json, const std::string*) { return json.is_string(); }

template <typename T>
bool ParseArray(std::string_view text, std::vector<T>* values) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_array()) return false;
  for (const Json& value : json) {
    if (!Holds(value, static_cast<const T*>(nullptr))) return false;
    values->push_back(value.get<T>());
  }
  return true;
}

}  // namespace

std::string JsonText(const std::vector<double>& numbers) { return Dump(numbers); }
std::string JsonText(const std::vector<int64_t>& numbers) { return Dump(numbers); }
std::string JsonText(const std::vector<std::string>& words) { return Dump(words); }
std::string JsonText(const std::map<std::string, std::string>& words) { return Dump(words); }

bool ParseJson(std::string_view text, std::vector<double>* numbers) {
  return ParseArray(text, numbers);
}

bool ParseJson(std::string_view text, std::vector<int64_t>* numbers) {
  return ParseArray(text, numbers);
}

bool ParseJson(std::string_view text, std::vector<std::string>* words) {
  return ParseArray(text, words);
}

bool ParseJson(std::string_view text, std::map<std::string, std::string>* words) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return false;
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) return false;
    words->emplace(name, value.get<std::string>());
  }
  return true;
}

}  // namespace fettle
