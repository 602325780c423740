#include "fettle/tuner/cli/console.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iomanip>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr std::chrono::seconds kStatusPause{10};

bool IsNumber(const std::string& cell) {
  return !cell.empty() && std::string_view("0123456789+-.").find(cell[0]) != std::string::npos;
}

// Three significant digits with a unit from a scale of thousands.
template <size_t N>
std::string Scaled(double value, double step, const std::array<const char*, N>& units) {
  size_t unit = 0;
  while (std::abs(value) >= step && unit + 1 < N) {
    value /= step;
    ++unit;
  }
  int digits = 2;
  if (std::abs(value) >= 10) digits = 1;
  if (std::abs(value) >= 100 || (unit == 0 && value == std::floor(value))) digits = 0;
  return FixedText(value, digits).append(*units[unit] ? " " : "").append(units[unit]);
}

}  // namespace

void Console::Note(const std::string& line) {
  ClearStatus();
  err_ << line << std::endl;
}

void Console::Status(const std::string& line) {
  const auto now = std::chrono::steady_clock::now();
  if (is_terminal_) {
    err_ << "\r\033[K" << line.substr(0, 110) << std::flush;
    has_status_ = true;
  } else if (now - last_status_ >= kStatusPause) {
    err_ << line << std::endl;
    last_status_ = now;
  }
}

void Console::ClearStatus() {
  if (has_status_) err_ << "\r\033[K" << std::flush;
  has_status_ = false;
}

std::string TableText(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::vector<bool> is_right(widths.size());
  if (rows.size() > 1) {
    for (size_t i = 0; i < rows[1].size(); ++i) is_right[i] = IsNumber(rows[1][i]);
  }
  std::ostringstream out;
  for (const auto& row : rows) {
    std::ostringstream line;
    for (size_t i = 0; i < row.size(); ++i) {
      line << (i == 0 ? "" : "  ") << (is_right[i] ? std::right : std::left)
           << std::setw(static_cast<int>(widths[i])) << row[i];
    }
    std::string text = line.str();
    text.erase(text.find_last_not_of(' ') + 1);
    out << text << '\n';
  }
  return out.str();
}

std::string MsText(double ms) {
  if (ms < 1) return Scaled(ms * 1000, 1e9, std::array{"us"});
  return Scaled(ms, 1000, std::array{"ms", "s"});
}

std::string BytesText(int64_t bytes) {
  return Scaled(static_cast<double>(bytes), 1024, std::array{"B", "KiB", "MiB", "GiB", "TiB"});
}

std::string CountText(int64_t count) {
  return Scaled(static_cast<double>(count), 1000, std::array{"", "k", "M", "G", "T"});
}

std::string SecondsText(double seconds) {
  const auto whole = static_cast<int64_t>(std::ceil(seconds));
  if (whole < 60) return Text(whole, " s");
  if (whole < 3600) return Text(whole / 60, " min ", whole % 60, " s");
  return Text(whole / 3600, " h ", whole / 60 % 60, " min");
}

}  // namespace fettle
