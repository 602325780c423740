#include "fettle/tuner/cli/decisions_text.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <sstream>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/joined_text.h"
#include "fettle/tuner/cli/console.h"

namespace fettle {
namespace {

constexpr size_t kMostNames = 6;

std::string NamesText(const std::vector<std::string>& names) {
  const size_t shown = names.size() <= kMostNames + 1 ? names.size() : kMostNames;
  std::string text = JoinedText(std::span(names).first(shown));
  if (shown < names.size()) text += Text(" and ", names.size() - shown, " more");
  return text;
}

// "0.0123"; small errors as "1.2e-06", so that none looks like 0.
std::string ErrorText(const std::optional<double>& error) {
  if (!error) return "";
  if (*error == 0 || *error >= 1e-4) return FixedText(*error, 4);
  std::ostringstream text;
  text.precision(1);
  text << std::scientific << *error;
  return text.str();
}

// What else changes: "(prune: with conv3, conv5)".
std::string OthersText(const NetworkDecision& decision) {
  std::vector<std::string> others = decision.layers;
  std::erase(others, decision.layer);
  if (others.empty()) return "";
  return Text("(", decision.kind, ": with ", NamesText(others), ")");
}

// Where each layer stands in the network; a group's name counts as that of its layer ("NAME#2").
class LayerOrder {
 public:
  explicit LayerOrder(const Graph& graph) {
    for (const Node& node : graph.nodes()) places_.emplace(node.name, places_.size());
  }
  size_t Of(const std::string& layer) const {
    const auto found = places_.find(layer.substr(0, layer.rfind('#')));
    const auto exact = places_.find(layer);
    if (exact != places_.end()) return exact->second;
    return found != places_.end() ? found->second : places_.size();
  }

 private:
  std::map<std::string, size_t> places_;
};

std::string OptionsText(const Graph& graph, const std::vector<NetworkDecision>& decisions) {
  std::vector<const NetworkDecision*> open;
  for (const NetworkDecision& decision : decisions) {
    if (!decision.options.empty()) open.push_back(&decision);
  }
  const LayerOrder order(graph);
  std::ranges::stable_sort(open, {}, [&](const NetworkDecision* decision) {
    return std::pair(order.Of(decision->layer), decision->layer);
  });

  std::vector<std::vector<std::string>> rows = {
      {"option", "parameters", "MACs", "weights", "error"}};
  std::map<size_t, std::string> headings;  // before the row with this index
  const std::string* layer = nullptr;
  for (const NetworkDecision* decision : open) {
    std::string heading, others = OthersText(*decision);
    if (layer == nullptr || *layer != decision->layer) heading = decision->layer;
    layer = &decision->layer;
    if (!others.empty()) heading += Text("  ", others);
    headings[rows.size()] = heading;
    for (const NetworkOption& option : decision->options) {
      rows.push_back({option.variant, CountText(option.parameters), CountText(option.macs),
                      BytesText(option.weight_bytes), ErrorText(option.error)});
    }
  }
  std::istringstream lines(TableText(rows));
  std::string text, line;
  for (size_t row = 0; std::getline(lines, line); ++row) {
    const auto heading = headings.find(row);
    if (heading != headings.end() && !heading->second.empty()) {
      text += Text("  ", heading->second, "\n");
    }
    text += Text("    ", line, "\n");
  }
  return text;
}

std::string ReasonsText(const std::vector<NetworkDecision>& decisions) {
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons;  // with their layers
  for (const NetworkDecision& decision : decisions) {
    if (!decision.options.empty()) continue;
    const std::string text = Text(decision.kind, ": ", decision.reason);
    auto found = std::ranges::find(reasons, text, [](const auto& entry) { return entry.first; });
    if (found == reasons.end()) found = reasons.insert(found, {text, {}});
    found->second.push_back(decision.layer);
  }
  std::string lines;
  for (const auto& [reason, layers] : reasons) {
    lines += Text("  ", reason, "\n    ", layers.size(),
                  layers.size() == 1 ? " layer: " : " layers: ", NamesText(layers), "\n");
  }
  return lines;
}

}  // namespace

std::string DecisionsText(const Graph& graph, const std::vector<NetworkDecision>& decisions) {
  std::string text;
  const std::string options = OptionsText(graph, decisions), reasons = ReasonsText(decisions);
  if (options.find('\n') + 1 < options.size()) {
    text += Text(
        "\nwhat may change (each option alone: parameters, MACs and weights of the whole "
        "network; the error of what changes, by its weights)\n",
        options);
  }
  if (!reasons.empty()) text += Text("\nwhat may not, and why\n", reasons);
  return text;
}

}  // namespace fettle
