#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fettle {

// Lists and maps as the JSON text that columns hold, readable with SQLite's json_each. Numbers
// survive exactly. Parse answers false for any other text.
std::string JsonText(const std::vector<double>& numbers);
std::string JsonText(const std::vector<int64_t>& numbers);
std::string JsonText(const std::vector<std::string>& words);
std::string JsonText(const std::map<std::string, std::string>& words);

bool ParseJson(std::string_view text, std::vector<double>* numbers);
bool ParseJson(std::string_view text, std::vector<int64_t>* numbers);
bool ParseJson(std::string_view text, std::vector<std::string>* words);
bool ParseJson(std::string_view text, std::map<std::string, std::string>* words);

}  // namespace fettle
