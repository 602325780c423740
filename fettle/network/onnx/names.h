#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace fettle {

// For messages: what is not printable ASCII as \xNN, and the middle of a very long name left out,
// so that a message stays one readable line whatever the file says.
std::string Printable(std::string_view name);
std::string Quoted(std::string_view name);  // 'name', likewise

// Whether it is well-formed UTF-8 without control characters: what we take as a name.
bool IsSoundName(std::string_view name);

// Throws an Error unless it is; `what` begins the message ("metadata key", "node name").
void RequireSoundName(std::string_view name, std::string_view what);

// Hands out names that differ from all it has seen.
class UniqueNames {
 public:
  // False where it was there before.
  bool Insert(std::string_view name) { return names_.emplace(name).second; }

  // `wanted`, or `wanted_2`, `wanted_3`, ... where it is taken.
  std::string Make(std::string_view wanted);

 private:
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, int64_t> counts_;  // the last number tried for a wanted name
};

}  // namespace fettle
