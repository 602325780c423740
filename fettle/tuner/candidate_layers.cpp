#include "fettle/tuner/candidate_layers.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/variants/factor_variant.h"
#include "fettle/network/variants/variant_list.h"

namespace fettle {
namespace {

constexpr size_t kMostPiecesOfALayer = 20'000;  // then they are forgotten

bool IsLocal(const TuningDecision& decision) {
  return std::all_of(
      decision.variants.begin() + 1, decision.variants.end(),
      [](const std::string& text) { return ParseVariant(text)->AsFactors() != nullptr; });
}

// Weights that two layers share are counted once, and constants may be narrowed: both are left to
// lowering.
bool HasTiesOrConstants(const LayerGraph& graph) {
  std::set<const Tensor*> seen;
  for (const Layer& layer : graph.layers) {
    for (const auto& weight : layer.weights) {
      if (!seen.insert(weight.get()).second) return true;
    }
  }
  return std::ranges::any_of(graph.tensors,
                             [](const LayerTensor& tensor) { return tensor.constant != nullptr; });
}

const std::string& NameIn(const LayerGraph& graph, TensorId id) {
  return graph.tensors[static_cast<size_t>(id)].name;
}

// Equal but for the numbers of the tensors.
bool AreAlike(const LayerGraph& a, const LayerGraph& b) {
  if (a.layers.size() != b.layers.size() || a.tensors.size() != b.tensors.size()) return false;
  const auto same_tensors = [&](const std::vector<TensorId>& x, const std::vector<TensorId>& y) {
    return std::ranges::equal(x, y, [&](TensorId i, TensorId j) {
      return NameIn(a, i) == NameIn(b, j) &&
             a.tensors[static_cast<size_t>(i)].type == b.tensors[static_cast<size_t>(j)].type;
    });
  };
  for (size_t i = 0; i < a.layers.size(); ++i) {
    const Layer &x = a.layers[i], &y = b.layers[i];
    if (x.name != y.name || x.spec != y.spec || !same_tensors(x.inputs, y.inputs) ||
        !same_tensors({x.output}, {y.output})) {
      return false;
    }
  }
  return same_tensors(a.inputs, b.inputs) && same_tensors(a.outputs, b.outputs);
}

bool HaveSameTypes(const Graph& a, const Node& x, const Graph& b, const Node& y) {
  const auto are_same = [&](const std::vector<ValueId>& of_x, const std::vector<ValueId>& of_y) {
    return std::ranges::equal(
        of_x, of_y, [&](ValueId i, ValueId j) { return a.value(i).type == b.value(j).type; });
  };
  return x.op == y.op && are_same(x.inputs, y.inputs) && are_same(x.outputs, y.outputs);
}

}  // namespace

CandidateLayers::CandidateLayers(const TuningSpace& space) : space_(space) {
  const std::vector<TuningDecision>& decisions = space_.decisions();
  for (size_t i = 0; i < decisions.size(); ++i) {
    if (decisions[i].kind == TuningDecision::Kind::kWidth) width_decisions_.push_back(i);
    if (decisions[i].kind != TuningDecision::Kind::kVariant) continue;
    if (IsLocal(decisions[i]) && !local_.contains(decisions[i].layer)) {
      local_.emplace(decisions[i].layer, i);
    } else {
      global_.push_back(i);
    }
  }
  FindWidths();
}

LayerGraph CandidateLayers::LowerWhole(const Candidate& candidate) {
  ++num_lowered_;
  return Lower(space_.Shapes(candidate), {.shapes_only = true});
}

// Of every layer of the original lowered, and of every node: where blocks are dropped, some become
// layers that are parts of others in the original.
void CandidateLayers::FindWidths() {
  const Graph& graph = space_.original();
  const LayerGraph original = LowerWhole(space_.space().Original());
  is_usable_ = !HasTiesOrConstants(original);
  for (const Node& node : graph.nodes()) followed_[node.name];
  for (const Layer& layer : original.layers) followed_[layer.name];
  for (const size_t decision : width_decisions_) {
    if (!is_usable_) return;
    Candidate single = space_.space().Original();
    single.options[decision] = space_.space().decisions()[decision].num_options - 1;
    const auto follow = [&](const std::string& name) {
      std::vector<size_t>& widths = followed_[name];
      if (widths.empty() || widths.back() != decision) widths.push_back(decision);
    };
    const Graph narrowed = space_.Shapes(single);
    for (const Node& node : narrowed.nodes()) {
      const auto before = std::ranges::find(graph.nodes(), node.name, &Node::name);
      if (before == graph.nodes().end() || !HaveSameTypes(graph, *before, narrowed, node)) {
        follow(node.name);
      }
    }
    const LayerGraph lowered = Lower(narrowed, {.shapes_only = true});
    is_usable_ = lowered.layers.size() == original.layers.size();
    for (size_t i = 0; is_usable_ && i < original.layers.size(); ++i) {
      is_usable_ = lowered.layers[i].name == original.layers[i].name;
      if (lowered.layers[i].spec != original.layers[i].spec) follow(original.layers[i].name);
    }
  }
}

CandidateLayers::Base& CandidateLayers::BaseOf(const Candidate& candidate) {
  std::vector<int> key;
  Candidate dropped = space_.space().Original();
  for (const size_t decision : global_) {
    key.push_back(candidate.options[decision]);
    dropped.options[decision] = candidate.options[decision];
  }
  const auto [entry, is_new] = bases_.try_emplace(key);
  Base& base = entry->second;
  if (!is_new) return base;
  base.graph = LowerWhole(dropped);
  for (size_t i = 0; i < base.graph.layers.size(); ++i) {
    Layer& layer = base.graph.layers[i];
    layer.weights.clear();
    base.layers.emplace(layer.name, i);
    std::string description = Text(layer.name, "\n", KeyOf(layer.spec).text);
    for (const TensorId id : layer.inputs) {
      description += Text(" ", std::ranges::find(layer.inputs, id) - layer.inputs.begin());
    }
    base.pieces.push_back(&pieces_[description]);
    const auto variant = local_.find(layer.name);
    base.variants.push_back(variant == local_.end() ? -1 : static_cast<int>(variant->second));
    const auto widths = followed_.find(layer.name);
    base.widths.push_back(widths == followed_.end() ? width_decisions_ : widths->second);
  }
  return base;
}

std::vector<int> CandidateLayers::OptionsAt(const Base& base, size_t layer,
                                            const Candidate& candidate) const {
  const int variant = base.variants[layer];
  std::vector<int> key = {variant < 0 ? 0 : candidate.options[static_cast<size_t>(variant)]};
  for (const size_t width : base.widths[layer]) key.push_back(candidate.options[width]);
  return key;
}

// False where a piece is not known.
bool CandidateLayers::Compose(const Base& base, const Candidate& candidate,
                              LayerGraph* graph) const {
  graph->tensors = base.graph.tensors;
  graph->inputs = base.graph.inputs;
  graph->outputs = base.graph.outputs;
  graph->layers.clear();
  for (size_t i = 0; i < base.graph.layers.size(); ++i) {
    const auto found = base.pieces[i]->find(OptionsAt(base, i, candidate));
    if (found == base.pieces[i]->end()) return false;
    const Piece& piece = found->second;
    const Layer& whole = base.graph.layers[i];
    const auto offset = static_cast<TensorId>(graph->tensors.size());
    graph->tensors.insert(graph->tensors.end(), piece.between.begin(), piece.between.end());
    for (const Layer& part : piece.layers) {
      Layer& layer = graph->layers.emplace_back(part);
      for (TensorId& id : layer.inputs) {
        id = id < 0 ? whole.inputs[static_cast<size_t>(-1 - id)] : id + offset;
      }
      layer.output = layer.output < 0 ? whole.output : layer.output + offset;
    }
    graph->tensors[static_cast<size_t>(whole.output)].type = graph->layers.back().spec.output;
  }
  return true;
}

// Takes a lowered network apart into pieces; false where it is not made of them.
bool CandidateLayers::Learn(const Base& base, const Candidate& candidate,
                            const LayerGraph& whole) const {
  std::vector<std::vector<const Layer*>> parts(base.graph.layers.size());
  for (const Layer& layer : whole.layers) {
    std::string name = layer.name;
    auto origin = base.layers.find(name);
    while (origin == base.layers.end()) {
      const size_t end = name.rfind('.');
      if (end == std::string::npos) return false;
      name.resize(end);
      origin = base.layers.find(name);
    }
    parts[origin->second].push_back(&layer);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) return false;
    const Layer& original = base.graph.layers[i];
    Piece piece;
    std::map<TensorId, TensorId> between;
    for (const Layer* part : parts[i]) {
      Layer& layer = piece.layers.emplace_back(*part);
      layer.weights.clear();
      for (TensorId& id : layer.inputs) {
        if (const auto inner = between.find(id); inner != between.end()) {
          id = inner->second;
          continue;
        }
        const auto input = std::ranges::find_if(original.inputs, [&](TensorId of_original) {
          return NameIn(base.graph, of_original) == NameIn(whole, id);
        });
        if (input == original.inputs.end()) return false;
        id = -1 - static_cast<TensorId>(input - original.inputs.begin());
      }
      if (part == parts[i].back()) {
        layer.output = -1;
      } else {
        piece.between.push_back(whole.tensors[static_cast<size_t>(part->output)]);
        layer.output = static_cast<TensorId>(piece.between.size()) - 1;
        between.emplace(part->output, layer.output);
      }
    }
    if (base.pieces[i]->size() > kMostPiecesOfALayer) base.pieces[i]->clear();
    base.pieces[i]->insert_or_assign(OptionsAt(base, i, candidate), std::move(piece));
  }
  return true;
}

LayerGraph CandidateLayers::Of(const Candidate& candidate) {
  if (!is_usable_) return LowerWhole(candidate);
  Base& base = BaseOf(candidate);
  LayerGraph composed;
  if (Compose(base, candidate, &composed)) return composed;
  LayerGraph whole = LowerWhole(candidate);
  is_usable_ = Learn(base, candidate, whole) && Compose(base, candidate, &composed) &&
               AreAlike(composed, whole);
  return whole;
}

}  // namespace fettle
