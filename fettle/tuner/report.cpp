#include "fettle/tuner/report.h"

#include <algorithm>
#include <sstream>

#include "fettle/core/error.h"
#include "fettle/tuner/drop_picture.h"
#include "fettle/tuner/fixed_text.h"
#include "fettle/tuner/svg_chart.h"

namespace fettle {
namespace {

constexpr const char* kStyle = R"(
 body{font:15px/1.5 system-ui,sans-serif;max-width:1150px;margin:2rem auto;padding:0 1rem;color:#222}
 h1{font-size:1.5rem} h2{font-size:1.15rem;margin-top:2rem}
 table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:13px}
 td,th{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right;white-space:nowrap}
 td:first-child,th:first-child,td.t{text-align:left}
 svg{width:100%;height:auto;background:#fafafa;border:1px solid #e5e5e5}
 .grid{stroke:#e5e5e5}.axis{font-size:12px;fill:#555}.front{fill:none;stroke:#1f6feb;stroke-width:1.5}.equal{stroke:#999;stroke-dasharray:4}
 .bar{stroke:#1f6feb;stroke-opacity:.5}.dot{fill:#1f6feb}.off .bar{stroke:#999}.off .dot{fill:#999}
 .orig .bar{stroke:#d1242f}.orig .dot{fill:#d1242f}.label{font-size:11px;fill:#333}
 details{margin:.4rem 0}.scroll{overflow-x:auto})";

std::string Kib(int64_t bytes) {
  return FixedText(static_cast<double>(bytes) / 1024, 0).append(" KiB");
}

SvgChart FrontChart(const std::vector<VerifiedPoint>& points) {
  SvgChart::Axis ms{"latency, ms (logarithmic)", 1e300, 0, true};
  SvgChart::Axis percent{"accuracy on the validation images, %", 1e300, 0};
  for (const VerifiedPoint& point : points) {
    ms.low = std::min(ms.low, point.latency_ms.low);
    ms.high = std::max(ms.high, point.latency_ms.high);
    percent.low = std::min(percent.low, 100 * point.accuracy.low);
    percent.high = std::max(percent.high, 100 * point.accuracy.high);
  }
  ms.low *= 0.93;
  ms.high *= 1.07;
  const double margin = std::max(0.2, 0.05 * (percent.high - percent.low));
  percent.low -= margin;
  percent.high += margin;
  return {ms, percent};
}

Interval Scaled(const Interval& interval, double scale) {
  return {scale * interval.value, scale * interval.low, scale * interval.high};
}

void Mark(const VerifiedPoint& point, const char* kind, SvgChart* chart) {
  const std::string tooltip = Text(point.id, ": ", FixedText(point.latency_ms.value, 3), " ms, ",
                                   FixedText(100 * point.accuracy.value, 2), " %");
  chart->AddMark(kind, point.id, tooltip, point.latency_ms, Scaled(point.accuracy, 100));
}

std::string PictureOf(const Session& session, const std::vector<VerifiedPoint>& front) {
  std::vector<VerifiedPoint> all = session.points();
  all.push_back(*session.original());
  SvgChart chart = FrontChart(all);
  std::vector<std::pair<double, double>> line;
  for (const VerifiedPoint& point : front) {
    line.emplace_back(point.latency_ms.value, 100 * point.accuracy.value);
  }
  // With further objectives the front is no line in this plane.
  if (session.settings().objectives.size() == 2) chart.AddLine("front", line);
  for (const VerifiedPoint& point : session.points()) {
    const bool is_on_front = std::ranges::find(front, point) != front.end();
    Mark(point, is_on_front ? "on" : "off", &chart);
  }
  Mark(*session.original(), "orig", &chart);
  return chart.Text();
}

std::string Range(const Interval& interval, double scale, int digits) {
  return Text(FixedText(scale * interval.value, digits), " <small>[",
              FixedText(scale * interval.low, digits), ", ",
              FixedText(scale * interval.high, digits), "]</small>");
}

std::string RowOf(const VerifiedPoint& point, const VerifiedPoint& original) {
  std::ostringstream out;
  out << "<tr><td>" << EscapedHtml(point.id) << "<td>" << Range(point.latency_ms, 1, 3) << "<td>"
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
  out << "<details><summary>" << EscapedHtml(point.id) << ": the choices for each layer</summary>"
      << "<table><tr><th>layer<th class=t>variant, of it or its "
         "group<th>precision<th>primitive</tr>\n";
  for (const LayerChange& change : point.changes) {
    out << "<tr><td>" << EscapedHtml(change.layer) << "<td class=t>" << EscapedHtml(change.variant)
        << "<td>" << EscapedHtml(change.precision) << "<td class=t>"
        << EscapedHtml(change.primitive) << "</tr>\n";
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
      << EscapedHtml(settings.model) << "</title><style>" << kStyle << "</style>\n<h1>"
      << EscapedHtml(settings.model) << " on " << EscapedHtml(settings.device_name)
      << "</h1>\n<p>Data " << EscapedHtml(settings.data) << ", batch " << settings.batch << ", "
      << "at most " << settings.threads << " thread(s), seed " << settings.seed << ", device "
      << EscapedHtml(settings.device) << ".</p>\n";
  if (!session.original()) {
    out << "<p>Nothing has been verified yet.</p></html>\n";
    return out.str();
  }
  const std::vector<VerifiedPoint> front = FrontOf(session);
  if (settings.metric == "agreement") {
    out << "<p><b>The data has no labels: accuracy is the agreement with the original's "
           "answers.</b></p>\n";
  }
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
         "meter counts.</p>\n"
      << DropPicture(session.points()) << "<h2>What was changed</h2>\n";
  for (const VerifiedPoint& point : front) out << ChoicesOf(point);
  out << "</html>\n";
  return out.str();
}

}  // namespace fettle
