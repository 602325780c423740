#include "fettle/tuner/svg_chart.h"

#include <cassert>
#include <cmath>
#include <sstream>

#include "fettle/tuner/fixed_text.h"

namespace fettle {
namespace {

constexpr double kWidth = 860, kHeight = 420, kLeft = 70, kRight = 20, kTop = 20, kBottom = 50;
constexpr int kTicks = 5;

double ShareOf(const SvgChart::Axis& axis, double value) {
  if (axis.is_logarithmic) return std::log(value / axis.low) / std::log(axis.high / axis.low);
  return (value - axis.low) / (axis.high - axis.low);
}

double ValueAt(const SvgChart::Axis& axis, double share) {
  if (axis.is_logarithmic) return axis.low * std::pow(axis.high / axis.low, share);
  return axis.low + (axis.high - axis.low) * share;
}

// Digits enough to tell neighbouring ticks apart.
int DigitsOf(const SvgChart::Axis& axis) {
  const double step = std::abs(ValueAt(axis, 1.0 / kTicks) - axis.low);
  return step >= 10 ? 0 : step >= 1 ? 1 : step >= 0.1 ? 2 : 3;
}

}  // namespace

std::string EscapedHtml(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result.append("&amp;");
        break;
      case '<':
        result.append("&lt;");
        break;
      case '>':
        result.append("&gt;");
        break;
      case '"':
        result.append("&quot;");
        break;
      default:
        result.push_back(c);
    }
  }
  return result;
}

SvgChart::SvgChart(Axis x, Axis y) : x_(std::move(x)), y_(std::move(y)) {
  assert(x_.low < x_.high && y_.low < y_.high);
}

double SvgChart::X(double value) const {
  return kLeft + (kWidth - kLeft - kRight) * ShareOf(x_, value);
}

double SvgChart::Y(double value) const {
  return kTop + (kHeight - kTop - kBottom) * (1 - ShareOf(y_, value));
}

std::string SvgChart::Grid() const {
  std::ostringstream out;
  for (int i = 0; i <= kTicks; ++i) {
    const double x = ValueAt(x_, static_cast<double>(i) / kTicks);
    const double y = ValueAt(y_, static_cast<double>(i) / kTicks);
    out << "<line class=grid x1=" << X(x) << " x2=" << X(x) << " y1=" << kTop
        << " y2=" << kHeight - kBottom << " />"
        << "<text class=axis text-anchor=middle x=" << X(x) << " y=" << kHeight - kBottom + 18
        << ">" << FixedText(x, DigitsOf(x_)) << "</text>"
        << "<line class=grid y1=" << Y(y) << " y2=" << Y(y) << " x1=" << kLeft
        << " x2=" << kWidth - kRight << " />"
        << "<text class=axis text-anchor=end x=" << kLeft - 8 << " y=" << Y(y) + 4 << ">"
        << FixedText(y, DigitsOf(y_)) << "</text>\n";
  }
  out << "<text class=axis text-anchor=middle x=" << kWidth / 2 << " y=" << kHeight - 10 << ">"
      << EscapedHtml(x_.title) << "</text>"
      << "<text class=axis text-anchor=middle transform='rotate(-90 16 " << kHeight / 2
      << ")' x=16 y=" << kHeight / 2 << ">" << EscapedHtml(y_.title) << "</text>\n";
  return out.str();
}

void SvgChart::AddMark(const std::string& kind, const std::string& label,
                       const std::string& tooltip, const Interval& x, const Interval& y) {
  std::ostringstream out;
  const auto bar = [&](double x1, double x2, double y1, double y2) {
    if (x1 == x2 && y1 == y2) return;
    out << "<line class=bar x1=" << X(x1) << " x2=" << X(x2) << " y1=" << Y(y1) << " y2=" << Y(y2)
        << " />";
  };
  out << "<g class=" << kind << "><title>" << EscapedHtml(tooltip) << "</title>";
  bar(x.low, x.high, y.value, y.value);
  bar(x.value, x.value, y.low, y.high);
  out << "<circle class=dot r=4 cx=" << X(x.value) << " cy=" << Y(y.value)
      << " /><text class=label x=" << X(x.value) + 6 << " y=" << Y(y.value) - 6 << ">"
      << EscapedHtml(label) << "</text></g>\n";
  body_ += out.str();
}

void SvgChart::AddLine(const std::string& kind,
                       const std::vector<std::pair<double, double>>& points) {
  std::ostringstream out;
  out << "<polyline class=" << kind << " points='";
  for (const auto& [x, y] : points) out << X(x) << ',' << Y(y) << ' ';
  out << "' />\n";
  body_ += out.str();
}

std::string SvgChart::Text() const {
  std::ostringstream out;
  out << "<svg viewBox='0 0 " << kWidth << ' ' << kHeight << "' role=img>\n"
      << Grid() << body_ << "</svg>\n";
  return out.str();
}

}  // namespace fettle
