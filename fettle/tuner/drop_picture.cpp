#include "fettle/tuner/drop_picture.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/search/rank_correlation.h"
#include "fettle/tuner/fixed_text.h"
#include "fettle/tuner/svg_chart.h"

namespace fettle {
namespace {

std::string TauText(const std::vector<double>& predicted, const std::vector<double>& measured) {
  const std::optional<double> tau = KendallTau(predicted, measured);
  return tau ? FixedText(*tau, 2) : "undefined";
}

}  // namespace

std::string DropPicture(const std::vector<VerifiedPoint>& points) {
  std::vector<double> losses, drops;  // of all
  std::vector<double> predicted, measured, misses;
  double low = 0, high = 0;
  for (const VerifiedPoint& point : points) {
    losses.push_back(point.predicted_loss);
    drops.push_back(point.drop.value);
    if (!point.predicted_drop) continue;
    predicted.push_back(*point.predicted_drop);
    measured.push_back(point.drop.value);
    misses.push_back(std::abs(*point.predicted_drop - point.drop.value));
    low = std::min({low, point.drop.low, *point.predicted_drop});
    high = std::max({high, point.drop.high, *point.predicted_drop});
  }
  if (predicted.size() < 2) return "";
  const double margin = std::max(0.1, 0.05 * (high - low));
  SvgChart chart({"predicted drop of accuracy, points", low - margin, high + margin},
                 {"measured drop, points", low - margin, high + margin});
  chart.AddLine("equal", {{low, low}, {high, high}});
  for (const VerifiedPoint& point : points) {
    if (!point.predicted_drop) continue;
    const double x = *point.predicted_drop;
    chart.AddMark("on", point.id,
                  Text(point.id, ": predicted ", FixedText(x, 2), ", measured ",
                       FixedText(point.drop.value, 2), " points"),
                  {x, x, x}, point.drop);
  }
  return Text(
      "<h2>Predicted against measured drop</h2>\n", chart.Text(),
      "<p>Predicted before a point was verified, from the sum of what its changes cost alone, "
      "by the points verified before it; measured after its recovery, on the validation "
      "images (bars: 95&nbsp;% intervals of the paired difference). Half of the "
      "predictions are within ",
      FixedText(std::max(0.0, misses.empty() ? 0 : Median(misses)), 2),
      " points. Kendall's tau between predicted and measured drop: ", TauText(predicted, measured),
      "; between the sum of single changes' losses and the drop, "
      "over all ",
      points.size(), " points: ", TauText(losses, drops), ".</p>\n");
}

}  // namespace fettle
