#include "fettle/tuner/report.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "fettle/core/error.h"
#include "fettle/tuner/fixed_text.h"

namespace fettle {
namespace {

constexpr double kWidth = 860, kHeight = 420, kLeft = 70, kRight = 20, kTop = 20, kBottom = 50;

constexpr const char* kStyle = R"(
 body{font:15px/1.5 system-ui,sans-serif;max-width:1150px;margin:2rem auto;padding:0 1rem;color:#222}
 h1{font-size:1.5rem} h2{font-size:1.15rem;margin-top:2rem}
 table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
 td,th{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
 td:first-child,th:first-child,td.t{text-align:left}
 svg{width:100%;height:auto;background:#fafafa;border:1px solid #e5e5e5}
 .grid{stroke:#e5e5e5}.axis{font-size:12px;fill:#555}.front{fill:none;stroke:#1f6feb;stroke-width:1.5}
 .bar{stroke:#1f6feb;stroke-opacity:.5}.dot{fill:#1f6feb}.off .bar{stroke:#999}.off .dot{fill:#999}
 .orig .bar{stroke:#d1242f}.orig .dot{fill:#d1242f}.label{font-size:11px;fill:#333}
 details{margin:.4rem 0}.scroll{overflow-x:auto})";

std::string Escaped(const std::string& text) {
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

std::string Kib(int64_t bytes) {
  return FixedText(static_cast<double>(bytes) / 1024, 0).append(" KiB");
}

// From data to the picture: latency on a logarithmic axis, accuracy in per cent.
class Picture {
 public:
  explicit Picture(const std::vector<VerifiedPoint>& points) {
    for (const VerifiedPoint& point : points) {
      x_low_ = std::min(x_low_, point.latency_ms.low);
      x_high_ = std::max(x_high_, point.latency_ms.high);
      y_low_ = std::min(y_low_, 100 * point.accuracy.low);
      y_high_ = std::max(y_high_, 100 * point.accuracy.high);
    }
    x_low_ *= 0.93;
    x_high_ *= 1.07;
    const double margin = std::max(0.2, 0.05 * (y_high_ - y_low_));
    y_low_ -= margin;
    y_high_ += margin;
  }

  double X(double ms) const {
    return kLeft + (kWidth - kLeft - kRight) * std::log(ms / x_low_) / std::log(x_high_ / x_low_);
  }
  double Y(double percent) const {
    return kTop + (kHeight - kTop - kBottom) * (y_high_ - percent) / (y_high_ - y_low_);
  }

  std::string Grid() const {
    std::ostringstream out;
    for (int i = 0; i <= 5; ++i) {
      const double ms = x_low_ * std::pow(x_high_ / x_low_, i / 5.0);
      const double percent = y_low_ + (y_high_ - y_low_) * i / 5.0;
      out << "<line class=grid x1=" << X(ms) << " x2=" << X(ms) << " y1=" << kTop
          << " y2=" << kHeight - kBottom << " />"
          << "<text class=axis text-anchor=middle x=" << X(ms) << " y=" << kHeight - kBottom + 18
          << ">" << FixedText(ms, ms < 1 ? 3 : 2) << "</text>"
          << "<line class=grid y1=" << Y(percent) << " y2=" << Y(percent) << " x1=" << kLeft
          << " x2=" << kWidth - kRight << " />"
          << "<text class=axis text-anchor=end x=" << kLeft - 8 << " y=" << Y(percent) + 4 << ">"
          << FixedText(percent, 1) << "</text>\n";
    }
    out << "<text class=axis text-anchor=middle x=" << kWidth / 2 << " y=" << kHeight - 10
        << ">latency, ms (logarithmic)</text>"
        << "<text class=axis text-anchor=middle transform='rotate(-90 16 " << kHeight / 2
        << ")' x=16 y=" << kHeight / 2 << ">accuracy on the validation images, %</text>\n";
    return out.str();
  }

  std::string Mark(const VerifiedPoint& point, const char* kind) const {
    const double x = X(point.latency_ms.value), y = Y(100 * point.accuracy.value);
    std::ostringstream out;
    out << "<g class=" << kind << "><title>" << Escaped(point.id) << ": "
        << FixedText(point.latency_ms.value, 3) << " ms, "
        << FixedText(100 * point.accuracy.value, 2)
        << " %</title><line class=bar x1=" << X(point.latency_ms.low)
        << " x2=" << X(point.latency_ms.high) << " y1=" << y << " y2=" << y
        << " /><line class=bar x1=" << x << " x2=" << x << " y1=" << Y(100 * point.accuracy.low)
        << " y2=" << Y(100 * point.accuracy.high) << " /><circle class=dot r=4 cx=" << x
        << " cy=" << y << " /><text class=label x=" << x + 6 << " y=" << y - 6 << ">"
        << Escaped(point.id) << "</text></g>\n";
    return out.str();
  }

  std::string Line(const std::vector<VerifiedPoint>& front) const {
    std::ostringstream out;
    out << "<polyline class=front points='";
    for (const VerifiedPoint& point : front) {
      out << X(point.latency_ms.value) << ',' << Y(100 * point.accuracy.value) << ' ';
    }
    out << "' />\n";
    return out.str();
  }

 private:
  double x_low_ = 1e300, x_high_ = 0, y_low_ = 1e300, y_high_ = 0;
};

std::string PictureOf(const Session& session, const std::vector<VerifiedPoint>& front) {
  std::vector<VerifiedPoint> all = session.points();
  all.push_back(*session.original());
  const Picture picture(all);
  std::ostringstream out;
  out << "<svg viewBox='0 0 " << kWidth << ' ' << kHeight << "' role=img>\n" << picture.Grid();
  // With further objectives the front is no line in this plane.
  if (session.settings().objectives.size() == 2) out << picture.Line(front);
  for (const VerifiedPoint& point : session.points()) {
    const bool is_on_front = std::ranges::find(front, point) != front.end();
    out << picture.Mark(point, is_on_front ? "on" : "off");
  }
  out << picture.Mark(*session.original(), "orig") << "</svg>\n";
  return out.str();
}

std::string Range(const Interval& interval, double scale, int digits) {
  return Text(FixedText(scale * interval.value, digits), " <small>[",
              FixedText(scale * interval.low, digits), ", ",
              FixedText(scale * interval.high, digits), "]</small>");
}

std::string RowOf(const VerifiedPoint& point, const VerifiedPoint& original) {
  std::ostringstream out;
  out << "<tr><td>" << Escaped(point.id) << "<td>" << Range(point.latency_ms, 1, 3) << "<td>"
      << FixedText(original.latency_ms.value / point.latency_ms.value, 2) << "&times;<td>"
      << Range(point.accuracy, 100, 2) << "<td>"
      << (point.id == original.id ? "" : Range(point.drop, 1, 2)) << "<td>"
      << (point.test_accuracy ? Range(*point.test_accuracy, 100, 2) : "") << "<td>"
      << (point.test_drop ? Range(*point.test_drop, 1, 2) : "") << "<td>" << Kib(point.memory_bytes)
      << "<td>" << (point.energy_mj ? Range(*point.energy_mj, 1, 3) : "not measured") << "<td>"
      << Kib(point.size_bytes) << "<td>" << FixedText(static_cast<double>(point.macs) / 1e6, 1)
      << " M<td>" << point.trained_steps << "</tr>\n";
  return out.str();
}

std::string ChoicesOf(const VerifiedPoint& point) {
  std::ostringstream out;
  out << "<details><summary>" << Escaped(point.id) << ": the choices for each layer</summary>"
      << "<table><tr><th>layer<th class=t>variant of its group<th>precision<th>primitive</tr>\n";
  for (const LayerChange& change : point.changes) {
    out << "<tr><td>" << Escaped(change.layer) << "<td class=t>" << Escaped(change.variant)
        << "<td>" << Escaped(change.precision) << "<td class=t>" << Escaped(change.primitive)
        << "</tr>\n";
  }
  out << "</table></details>\n";
  return out.str();
}

}  // namespace

std::string ReportHtml(const Session& session) {
  const SessionSettings& settings = session.settings();
  std::ostringstream out;
  out << "<!doctype html><html lang=en><meta charset=utf-8>"
      << "<meta name=viewport content='width=device-width'><title>Fettle: "
      << Escaped(settings.model) << "</title><style>" << kStyle << "</style>\n<h1>"
      << Escaped(settings.model) << " on " << Escaped(settings.device_name) << "</h1>\n<p>Data "
      << Escaped(settings.data) << ", batch " << settings.batch << ", " << settings.threads
      << " thread(s), seed " << settings.seed << ", device " << Escaped(settings.device)
      << ".</p>\n";
  if (!session.original()) {
    out << "<p>Nothing has been verified yet.</p></html>\n";
    return out.str();
  }
  const std::vector<VerifiedPoint> front = FrontOf(session);
  out << "<h2>Accuracy against latency</h2>\n"
      << PictureOf(session, front)
      << "<p>Blue: the Pareto front. Grey: verified, but beaten in all objectives. Red: the "
         "original, with "
         "the default primitives in f32. Bars are 95&nbsp;% intervals.</p>\n"
      << "<h2>The front</h2>\n<div class=scroll><table><tr><th>id<th>latency, ms<th>speed-up<th>"
         "validation, %<th>drop, points<th>test, %<th>test drop, points<th>memory<th>energy, "
         "mJ<th>size<th>MACs"
         "<th>recovery steps</tr>\n"
      << RowOf(*session.original(), *session.original());
  for (const VerifiedPoint& point : front) out << RowOf(point, *session.original());
  out << "</table></div>\n<p>Every number was measured. Latencies: medians in a process of its "
         "own, "
         "interleaved with the original's. Points were chosen by the validation images; the test "
         "images are only reported. A drop is a paired difference on the same images. Memory: "
         "activations, scratch and executed weights as planned. Energy: of an inference, all that "
         "the "
         "meter counts.</p>\n<h2>What was changed</h2>\n";
  for (const VerifiedPoint& point : front) out << ChoicesOf(point);
  out << "</html>\n";
  return out.str();
}

}  // namespace fettle
