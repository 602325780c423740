#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace fettle {

// The words with the separator in between; `word_of` gives each element's.
template <typename Range, typename WordOf = std::identity>
std::string JoinedText(const Range& range, std::string_view separator = ", ",
                       const WordOf& word_of = {}) {
  std::string text;
  bool is_first = true;
  for (const auto& element : range) {
    if (!is_first) text.append(separator);
    text.append(std::invoke(word_of, element));
    is_first = false;
  }
  return text;
}

}  // namespace fettle
