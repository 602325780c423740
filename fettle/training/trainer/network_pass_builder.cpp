#include "fettle/training/trainer/network_pass_builder.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "fettle/core/error.h"
#include "fettle/training/trainer/training_op_list.h"

namespace fettle {
namespace {

std::optional<Clamp> ClampOf(const Op& op) {
  const auto* activation = std::get_if<fettle::Activation>(&op);
  if (activation == nullptr) return std::nullopt;
  if (activation->kind == ActivationKind::kRelu) {
    return Clamp{0, std::numeric_limits<float>::infinity()};
  }
  if (activation->kind == ActivationKind::kClip) return Clamp{activation->alpha, activation->beta};
  return std::nullopt;
}

}  // namespace

NetworkPass::Builder::Builder(NetworkPass* pass, const Graph& graph, DType dtype)
    : pass_(*pass),
      graph_(graph),
      places_(graph.num_values()),
      clamps_(graph.nodes().size()),
      is_fused_(graph.nodes().size()),
      parameter_of_(graph.num_values(), -1),
      has_gradient_(pass->parameters_->size()) {
  CheckGraph();
  for (size_t id = 0; id < places_.size(); ++id) {
    places_[id].type = graph.value(static_cast<ValueId>(id)).type;
  }
  const std::vector<ValueId> constants = ConstantsOf(graph);
  assert(constants.size() == pass_.parameters_->size());
  for (size_t i = 0; i < constants.size(); ++i) {
    parameter_of_[static_cast<size_t>(constants[i])] = static_cast<int>(i);
    At(constants[i]).data = (*pass_.parameters_)[i].values.bytes();
  }
  PlaceInput(dtype);
}

void NetworkPass::Builder::Build() {
  FindFusions();
  PlanForward();
  PlanBackward();
  size_t scratch = 0;
  for (const Step& step : pass_.steps_) scratch = std::max(scratch, step.op->ScratchBytes());
  pass_.scratch_ = Tensor(TensorType{DType::kU8, {static_cast<int64_t>(scratch)}});
  for (Step& step : pass_.steps_) step.memory.scratch = pass_.scratch_.bytes();
}

void NetworkPass::Builder::CheckGraph() const {
  if (graph_.inputs().size() != 1 || graph_.outputs().size() != 1) {
    throw BadInput("a network to be trained has one input and one output; this one has ",
                   graph_.inputs().size(), " and ", graph_.outputs().size());
  }
  const TensorType& input = graph_.value(graph_.inputs()[0]).type;
  const size_t rank = input.shape.size();
  if (input.dtype != DType::kF32 || rank < 2 || rank > 4) {
    throw BadInput("the input ", TypeText(input), " cannot be trained; f32 with 2 to 4 axes can");
  }
}

void NetworkPass::Builder::PlaceInput(DType dtype) {
  const ValueId id = graph_.inputs()[0];
  const Shape& shape = graph_.value(id).type.shape;
  const TensorType type{shape.size() > 2 ? dtype : DType::kF32, shape};
  pass_.input_ = Tensor(TensorType{DType::kF32, shape});
  const bool convert = type.dtype != DType::kF32;
  if (convert) pass_.converted_input_ = Tensor(type);
  At(id) = {type, convert ? pass_.converted_input_.bytes() : pass_.input_.bytes()};
}

// A softmax at the end is left out, and a ReLU behind what can clamp goes into it.
void NetworkPass::Builder::FindFusions() {
  const auto readers = graph_.Readers();
  const auto producers = graph_.Producers();
  const ValueId output = graph_.outputs()[0];
  logits_ = output;
  const int last = producers[static_cast<size_t>(output)];
  if (last >= 0 && std::holds_alternative<Softmax>(graph_.nodes()[static_cast<size_t>(last)].op)) {
    is_fused_[static_cast<size_t>(last)] = true;
    logits_ = graph_.nodes()[static_cast<size_t>(last)].inputs[0];
  }
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    if (!CanClamp(node.op)) continue;
    const auto& users = readers[static_cast<size_t>(node.outputs[0])];
    if (users.size() != 1 || node.outputs[0] == output) continue;
    const auto reader = static_cast<size_t>(users[0]);
    if (const auto clamp = ClampOf(graph_.nodes()[reader].op)) {
      clamps_[i] = clamp;
      is_fused_[reader] = true;
    }
  }
}

// Where a node's result is found: behind the activation that is fused into it.
ValueId NetworkPass::Builder::OutputOf(const Node& node) const {
  const auto index = static_cast<size_t>(&node - graph_.nodes().data());
  if (!clamps_[index]) return node.outputs[0];
  for (const Node& reader : graph_.nodes()) {
    if (!reader.inputs.empty() && reader.inputs[0] == node.outputs[0]) return reader.outputs[0];
  }
  assert(false);
  return -1;
}

void NetworkPass::Builder::PlanForward() {
  for (size_t i = 0; i < pass_.parameters_->size(); ++i) {
    pass_.gradients_.emplace_back((*pass_.parameters_)[i].values.type());
  }
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    if (is_fused_[i]) continue;
    try {
      AddStep(node);
    } catch (const Error& fault) {
      throw Error(fault.kind(), Text("node '", node.name, "': ", fault.what()));
    }
  }
  const Place& logits = At(logits_);
  if (logits.data == nullptr || logits.type.shape.size() != 2 || logits.type.dtype != DType::kF32) {
    throw BadInput("a network to be trained ends in [batch, classes], this one in ",
                   ShapeText(graph_.value(logits_).type.shape));
  }
  pass_.logits_ = logits.data;
  pass_.num_logits_ = ElementCount(logits.type.shape);
}

void NetworkPass::Builder::AddStep(const Node& node) {
  Place& output = At(OutputOf(node));
  TrainingOpSpec spec{node.op, {}, {}, output.type.shape, {}, pass_.target_};
  spec.clamp = clamps_[static_cast<size_t>(&node - graph_.nodes().data())];
  if (node.outputs.size() != 1) throw BadInput("operator ", NameOf(node.op), " cannot be trained");
  for (const ValueId id : node.inputs) {
    const int parameter = parameter_of_[static_cast<size_t>(id)];
    spec.inputs.push_back(At(id).type);
    spec.is_parameter.push_back(parameter >= 0);
    // An estimated parameter never comes without learned ones.
    output.wants_gradient = output.wants_gradient || At(id).wants_gradient || parameter >= 0;
  }
  Step step{MakeTrainingOp(spec), {}, false, node.name, {}};
  output.type.dtype = step.op->OutputType();
  step.output_type = output.type;
  step.is_view = step.op->IsView();
  if (step.is_view) {
    output.data = At(node.inputs[0]).data;
  } else {
    pass_.activations_.emplace_back(output.type);
    output.data = pass_.activations_.back().bytes();
  }
  step.memory = MemoryOf(node, output);
  pass_.steps_.push_back(std::move(step));
  nodes_.push_back(&node);
}

OpMemory NetworkPass::Builder::MemoryOf(const Node& node, const Place& output) {
  OpMemory memory;
  memory.output = const_cast<std::byte*>(output.data);
  for (const ValueId id : node.inputs) {
    const int parameter = parameter_of_[static_cast<size_t>(id)];
    memory.inputs.push_back(At(id).data);
    memory.input_gradients.push_back(nullptr);
    memory.estimates.push_back(nullptr);
    if (parameter < 0) continue;
    std::byte* const place = ParameterGradient(static_cast<size_t>(parameter));
    if ((*pass_.parameters_)[static_cast<size_t>(parameter)].kind == ParameterKind::kEstimated) {
      memory.estimates.back() = reinterpret_cast<float*>(place);
    } else {
      memory.input_gradients.back() = place;
    }
  }
  return memory;
}

// A parameter that several nodes read has a gradient from each; they are added up at the end.
std::byte* NetworkPass::Builder::ParameterGradient(size_t parameter) {
  if (!has_gradient_[parameter]) {
    has_gradient_[parameter] = true;
    return pass_.gradients_[parameter].bytes();
  }
  pass_.spare_of_.emplace_back(parameter, pass_.spare_gradients_.size());
  pass_.spare_gradients_.emplace_back(pass_.gradients_[parameter].type());
  return pass_.spare_gradients_.back().bytes();
}

void NetworkPass::Builder::PlanBackward() {
  Place& logits = At(logits_);
  if (!logits.wants_gradient) throw BadInput("the network has no weights to be trained");
  logits.gradient = pass_.gradient_memory_.Take(static_cast<size_t>(ByteSize(logits.type)));
  pass_.logits_gradient_ = logits.gradient;
  for (size_t step = pass_.steps_.size(); step-- > 0;) PlanBackwardOf(step);
}

void NetworkPass::Builder::PlanBackwardOf(size_t index) {
  Step& step = pass_.steps_[index];
  const Node& node = *nodes_[index];
  Place& output = At(OutputOf(node));
  std::byte* gradient = output.gradient;
  if (gradient == nullptr) return;  // nothing that counts reads it, or nothing before it learns
  GradientMemory& memory = pass_.gradient_memory_;
  step.memory.output_gradient = gradient;
  std::vector<Place*> wanting;
  std::vector<size_t> wanting_inputs;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (!At(node.inputs[i]).wants_gradient) continue;
    wanting.push_back(&At(node.inputs[i]));
    wanting_inputs.push_back(i);
  }
  const GradientFlow flow = step.op->Flow();
  if (flow == GradientFlow::kOwn) {
    for (const size_t i : wanting_inputs) {
      const auto bytes = static_cast<size_t>(ByteSize(At(node.inputs[i]).type));
      step.memory.input_gradients[i] = memory.Take(bytes);
    }
    pass_.backward_.emplace_back(index);
    for (const size_t i : wanting_inputs) {
      Receive(&At(node.inputs[i]), step.memory.input_gradients[i]);
    }
    memory.Release(gradient);
    return;
  }
  if (flow == GradientFlow::kElementwise && !wanting.empty()) {
    if (memory.IsShared(gradient)) {
      memory.Release(gradient);
      gradient = memory.Take(static_cast<size_t>(ByteSize(output.type)));
    }
    step.memory.input_gradients[0] = gradient;
    pass_.backward_.emplace_back(index);
  }
  for (Place* place : wanting) {
    memory.Share(gradient);
    Receive(place, gradient);
  }
  memory.Release(gradient);
}

// The value gets this gradient, whose use passes to it, on top of what it may have already.
void NetworkPass::Builder::Receive(Place* place, std::byte* gradient) {
  GradientMemory& memory = pass_.gradient_memory_;
  if (place->gradient == nullptr) {
    place->gradient = gradient;
    return;
  }
  std::byte* const before = place->gradient;
  if (!memory.IsShared(gradient)) {
    place->gradient = gradient;
  } else if (memory.IsShared(before)) {
    place->gradient = memory.Take(static_cast<size_t>(ByteSize(place->type)));
  }
  pass_.backward_.emplace_back(Accumulation{place->gradient, before, gradient, place->type});
  if (place->gradient != before) memory.Release(before);
  if (place->gradient != gradient) memory.Release(gradient);
}

}  // namespace fettle
