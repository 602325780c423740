#include "fettle/cost_models/predictor_error.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/statistics.h"
#include "fettle/cost_models/layer_predictor.h"

namespace fettle {
namespace {

struct Known {
  LayerSpec spec;
  Implementation implementation;
  double ms = 0;
};

// Layer by layer.
using KnownLayers = std::map<std::string, std::vector<Known>>;

KnownLayers LayersOf(std::span<const CostRecord> records) {
  std::map<std::string, std::map<std::string, Known>> newest;
  for (const CostRecord& record : records) {
    const std::optional<LayerSpec> spec = ParseLayerSpec(record.task.key.text);
    if (!spec || !record.measurement.has_latency()) continue;
    const LayerTask& task = record.task;
    std::string text = task.implementation;
    for (const Layout layout : task.inputs) text.append(" ").append(NameOf(layout));
    newest[task.key.text][text.append(" ").append(NameOf(task.output))] = {
        *spec,
        {task.implementation, task.version, task.inputs, task.output, std::nullopt},
        record.measurement.latency_ms->value};
  }
  KnownLayers layers;
  for (const auto& [key, entries] : newest) {
    for (const auto& [text, known] : entries) layers[key].push_back(known);
  }
  return layers;
}

LayerPredictor PredictorWithout(const std::string& left_out, const KnownLayers& layers) {
  LayerPredictor predictor;
  for (const auto& [key, entries] : layers) {
    if (key == left_out) continue;
    for (const Known& known : entries) {
      predictor.Add(known.spec, known.implementation, known.ms);
    }
  }
  return predictor;
}

double ShareWithin(const std::vector<double>& errors, double bound) {
  const auto count = std::ranges::count_if(errors, [&](double error) { return error <= bound; });
  return static_cast<double>(count) / static_cast<double>(errors.size());
}

PredictorError Summary(const std::string& primitive, const std::string& dtype,
                       std::vector<double> errors) {
  std::ranges::sort(errors);
  // The smallest error that 90 % do not exceed.
  const auto last = static_cast<size_t>(std::ceil(0.9 * static_cast<double>(errors.size())));
  PredictorError summary{primitive, dtype, static_cast<int64_t>(errors.size())};
  summary.median = Median(errors);
  summary.percentile90 = errors[last - 1];
  summary.within10 = ShareWithin(errors, 0.1);
  summary.within25 = ShareWithin(errors, 0.25);
  return summary;
}

std::string Percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", 100 * share);
  return text;
}

}  // namespace

std::vector<PredictorError> LeaveOneLayerOut(std::span<const CostRecord> records) {
  const KnownLayers layers = LayersOf(records);
  std::map<std::pair<std::string, std::string>, std::vector<double>> errors;
  for (const auto& [key, entries] : layers) {
    const LayerPredictor predictor = PredictorWithout(key, layers);
    for (const Known& known : entries) {
      const std::string& name = known.implementation.name;
      const double predicted = predictor.Predict(known.spec, known.implementation).ms;
      const double error = std::abs(predicted / known.ms - 1);
      const std::string dtype(NameOf(known.spec.output.dtype));
      errors[{"", ""}].push_back(error);
      errors[{name.substr(0, name.find(':')), dtype}].push_back(error);
    }
  }
  std::vector<PredictorError> summaries;
  for (auto& [group, list] : errors) {
    const bool is_all = group.first.empty();
    summaries.push_back(
        Summary(is_all ? "all" : group.first, is_all ? "all" : group.second, std::move(list)));
  }
  return summaries;
}

std::string MarkdownOf(std::span<const PredictorError> errors) {
  std::string text =
      "| primitive | precision | records | median error | 90th percentile | within 10 % | within "
      "25 % |\n|---|---|---|---|---|---|---|\n";
  for (const PredictorError& row : errors) {
    text += Text("| ", row.primitive, " | ", row.dtype, " | ", row.records, " | ",
                 Percent(row.median), " | ", Percent(row.percentile90), " | ",
                 Percent(row.within10), " | ", Percent(row.within25), " |\n");
  }
  return text;
}

}  // namespace fettle
