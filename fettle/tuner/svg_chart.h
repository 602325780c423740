#pragma once

#include <string>
#include <utility>
#include <vector>

#include "fettle/core/statistics.h"

namespace fettle {

// Text as it may stand in HTML.
std::string EscapedHtml(const std::string& text);

// A picture of points with their intervals over two axes, as an SVG element for a page of HTML
// whose style sheet knows the classes grid, axis, bar, dot, label and those of the marks and lines.
class SvgChart {
 public:
  struct Axis {
    std::string title;
    double low = 0, high = 1;  // low < high
    bool is_logarithmic = false;
  };

  SvgChart(Axis x, Axis y);

  // The bars are the intervals; one of no width is left out.
  void AddMark(const std::string& kind, const std::string& label, const std::string& tooltip,
               const Interval& x, const Interval& y);
  void AddLine(const std::string& kind, const std::vector<std::pair<double, double>>& points);

  std::string Text() const;

 private:
  double X(double value) const;
  double Y(double value) const;
  std::string Grid() const;

  Axis x_, y_;
  std::string body_;
};

}  // namespace fettle
