#pragma once

#include <chrono>
#include <ostream>
#include <string>
#include <vector>

#include "fettle/tuner/fixed_text.h"

namespace fettle {

// Where a command writes: results to `out`, for pipes; progress and messages to `err`.
class Console {
 public:
  // `is_terminal`: whether `err` is one, so that a status line may be overwritten.
  Console(std::ostream& out, std::ostream& err, bool is_terminal)
      : out_(out), err_(err), is_terminal_(is_terminal) {}
  ~Console() { ClearStatus(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // What the user asked for.
  std::ostream& out() { return out_; }

  // A line that stays.
  void Note(const std::string& line);

  // What is going on: on a terminal one line that is overwritten, elsewhere a line every ten
  // seconds at most.
  void Status(const std::string& line);
  void ClearStatus();

 private:
  std::ostream& out_;
  std::ostream& err_;
  bool is_terminal_;
  bool has_status_ = false;
  std::chrono::steady_clock::time_point last_status_{};
};

// Rows of cells with aligned columns; numbers (cells that begin with a digit, a sign or a dot) to
// the right. The first row is the heading.
std::string TableText(const std::vector<std::vector<std::string>>& rows);

// "1.23 ms", "456 us": three digits.
std::string MsText(double ms);
std::string BytesText(int64_t bytes);
// 1234567 -> "1.23 M".
std::string CountText(int64_t count);
std::string SecondsText(double seconds);

}  // namespace fettle
