#include "fettle/deploy/layer_graph_edit.h"

#include <algorithm>
#include <utility>

namespace fettle {
namespace {

size_t Index(TensorId id) { return static_cast<size_t>(id); }

}  // namespace

LayerGraphEdit::LayerGraphEdit(LayerGraph* graph)
    : graph_(graph),
      producers_(graph->Producers()),
      readers_(graph->Readers()),
      is_output_(graph->tensors.size()),
      is_removed_(graph->layers.size()) {
  for (const TensorId id : graph_->outputs) is_output_[Index(id)] = true;
}

int LayerGraphEdit::SoleProducer(TensorId tensor, int reader) const {
  const int producer = producers_[Index(tensor)];
  if (producer < 0 || is_output_[Index(tensor)] || readers_[Index(tensor)].size() != 1) return -1;
  const Layer& layer = graph_->layers[static_cast<size_t>(reader)];
  return std::ranges::count(layer.inputs, tensor) == 1 ? producer : -1;
}

void LayerGraphEdit::TakeOver(int into, int from) {
  layer(into).output = layer(from).output;
  producers_[Index(layer(from).output)] = into;
  is_removed_[static_cast<size_t>(from)] = true;
}

void LayerGraphEdit::RemoveUnread() {
  std::vector<bool> is_read = is_output_;
  for (size_t i = graph_->layers.size(); i-- > 0;) {
    const Layer& layer = graph_->layers[i];
    if (!is_read[Index(layer.output)]) is_removed_[i] = true;
    if (is_removed_[i]) continue;
    for (const TensorId id : layer.inputs) is_read[Index(id)] = true;
  }
}

void LayerGraphEdit::Finish() {
  RemoveUnread();
  std::vector<Layer> layers;
  for (size_t i = 0; i < graph_->layers.size(); ++i) {
    if (!is_removed_[i]) layers.push_back(std::move(graph_->layers[i]));
  }
  graph_->layers = std::move(layers);

  std::vector<bool> is_used(graph_->tensors.size());
  for (const TensorId id : graph_->inputs) is_used[Index(id)] = true;
  for (const TensorId id : graph_->outputs) is_used[Index(id)] = true;
  for (const Layer& layer : graph_->layers) {
    is_used[Index(layer.output)] = true;
    for (const TensorId id : layer.inputs) is_used[Index(id)] = true;
  }
  std::vector<TensorId> new_ids(graph_->tensors.size(), -1);
  std::vector<LayerTensor> tensors;
  for (size_t i = 0; i < graph_->tensors.size(); ++i) {
    if (!is_used[i]) continue;
    new_ids[i] = static_cast<TensorId>(tensors.size());
    tensors.push_back(std::move(graph_->tensors[i]));
  }
  graph_->tensors = std::move(tensors);
  const auto renumber = [&](TensorId& id) { id = new_ids[Index(id)]; };
  std::ranges::for_each(graph_->inputs, renumber);
  std::ranges::for_each(graph_->outputs, renumber);
  for (Layer& layer : graph_->layers) {
    std::ranges::for_each(layer.inputs, renumber);
    renumber(layer.output);
  }
}

}  // namespace fettle
