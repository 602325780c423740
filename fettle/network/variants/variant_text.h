#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fettle {

// The canonical name of a variant taken apart: "tucker2(r3=16,r4=16)". Each Take removes one field;
// Finish objects to what is left. All of them throw an Error of kind kUsage that quotes the text.
class VariantText {
 public:
  explicit VariantText(std::string_view text);

  const std::string& text() const { return text_; }
  std::string_view name() const { return name_; }

  int64_t TakeCount(std::string_view field);    // 1, 2, ...
  double TakeFraction(std::string_view field);  // in (0, 1]
  void Finish() const;

 private:
  std::string TakeField(std::string_view field);

  std::string text_, name_;
  std::vector<std::pair<std::string, std::string>> fields_;
};

// The shortest decimal text that reads back as the same number: "0.75".
std::string FractionText(double value);

}  // namespace fettle
